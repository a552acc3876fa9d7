"""What is written into the recording, in a form that depends on no machine, library or time of the day."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from base64 import b64encode
from hashlib import sha256
from io import BytesIO
from math import inf
from typing import TYPE_CHECKING, Any, Final

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Bytes of a text that stands in the recording as it is, and of bytes that are no text.
MOST_TEXT: Final = 1_500
MOST_BYTES: Final = 120

#: Hexadecimal digits of a digest: enough that no two things share one.
_DIGITS: Final = 32

#: A date as HTTP has them: that of the wall.
_DATE: Final = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")

_LENGTH: Final = re.compile(r"(?<=content-length: )\d+")

#: How a PNG begins and ends.
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_END: Final = b"IEND\xaeB`\x82"


def digest(data: bytes) -> str:
    """SHA-256, its first half, and the length: `sha256:5feceb66... 1,204 bytes`."""
    return f"sha256:{sha256(data).hexdigest()[:_DIGITS]} {len(data):,} bytes"


def body(data: bytes, media_type: str = "", headers: Mapping[str, str] | None = None) -> Any:
    """Text as it is where it is short; a picture by its pixels, gzip by what is in it; the rest by its digest."""
    if is_file(media_type) or data.startswith(_PNG):
        return file(data)
    if (headers or {}).get("content-encoding") == "gzip":
        return _unpacked(data)
    if data.startswith(b'{"openapi"'):
        return _openapi(data)
    return text(data)


def text(data: bytes) -> Any:
    """Bytes as a text, as Base64 where they are none, as a digest where they are many."""
    try:
        decoded = data.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()} if len(data) <= MOST_BYTES else digest(data)
    return decoded if len(data) <= MOST_TEXT else digest(data)


def is_file(media_type: str) -> bool:
    """It is called a picture or a video."""
    return media_type.startswith(("image/", "video/"))


def file(data: bytes) -> Any:
    """A picture by its pixels and texts. How it is packed is a matter of zlib and Pillow: other bytes elsewhere."""
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        return {"video": True, "is_large": len(data) > MOST_TEXT}
    try:
        with Image.open(BytesIO(data)) as picture:
            texts = json.dumps(getattr(picture, "text", {}), sort_keys=True).encode()
            pixels = picture.convert("RGBA").tobytes()
            found = {"size": list(picture.size), "pixels": digest(pixels), "texts": digest(texts)}
    except (OSError, SyntaxError, ValueError, zlib.error):
        return {"damaged": data[:8].hex()}
    behind = len(data) - data.rfind(_PNG_END) - len(_PNG_END)
    return {**found, "bytes_behind": behind} if behind else found


def _unpacked(data: bytes) -> Any:
    """What is in a gzip: how it is packed is a matter of zlib."""
    try:
        return {"gzip": digest(gzip.decompress(data))}
    except (OSError, EOFError, zlib.error):
        return {"gzip": False, "bytes": digest(data)}


def _openapi(data: bytes) -> Any:
    """Of the OpenAPI document its paths: its sentences are for other tests."""
    document = json.loads(data)
    return {"openapi": document["openapi"], "paths": {path: sorted(has) for path, has in document["paths"].items()}}


def headers(found: Mapping[str, str]) -> dict[str, str]:
    """Headers, with a marker for the wall's date."""
    return {name: _DATE.sub("<date>", value) for name, value in sorted(found.items())}


def wire(found: Mapping[str, Any], body_: bytes, media_type: str) -> dict[str, Any]:
    """What happens below HTTP, its bytes as a head and a body."""
    steps = [_wire_step(step, body_, media_type) for step in found["steps"]]
    return {**found, "steps": steps}


def _wire_step(step: list[Any], body_: bytes, media_type: str) -> Any:
    if step[0] == "wait":
        return ["wait", number(step[1])]
    head, blank, rest = step[1].partition(b"\r\n\r\n")
    if not blank or not head.startswith(b"HTTP/"):
        return ["send", text(step[1]), number(step[2])]
    written = _DATE.sub("<date>", head.decode("latin-1"))
    if is_file(media_type):
        return ["send", _LENGTH.sub("N", written).splitlines(), _part(rest, body_), number(step[2])]
    return ["send", written.splitlines(), "=" if rest == body_ else text(rest), number(step[2])]


def _part(rest: bytes, body_: bytes) -> str:
    """How much of a file was sent: whole percents, as its length is another one elsewhere."""
    if rest == body_:
        return "="
    if not body_.startswith(rest):
        return "other bytes"
    return f"the first {round(100 * len(rest) / len(body_))}%" if len(rest) > MOST_BYTES else f"{len(rest)} bytes"


def number(value: float | None) -> Any:
    """Seconds to the microsecond: the last digits of a logarithm are a machine's own. JSON knows no infinity."""
    if value is None:
        return None
    return "inf" if value == inf else round(value, 6)


def exchange(found: Mapping[str, Any], as_was: Mapping[str, Any]) -> dict[str, Any]:
    """An exchange as it was written down: without what says nothing, and without what is as it was on its way."""
    said = {name: value for name, value in found.items() if value not in (None, [], {}, "") or name in as_was}
    kept = {name: value for name, value in said.items() if value != as_was.get(name)}
    forms: dict[str, Callable[[Any], Any]] = {"at": number, "gap": number, "body": text, "answer": body}
    return {name: forms[name](value) if name in forms else value for name, value in sorted(kept.items())}


def task(found: Mapping[str, Any]) -> dict[str, Any]:
    """A task, its request as short as a body."""
    request = text(json.dumps(found["request"], sort_keys=True).encode())
    state = {name: value for name, value in found["state"].items() if value not in (None, False)}
    return {**found, "request": request, "submitted": number(found["submitted"]), "state": state}


def ledger(found: Mapping[str, Any]) -> dict[str, Any]:
    """A ledger, its seconds to the microsecond."""
    return {**found, "entries": [[number(seconds), *rest] for seconds, *rest in found["entries"]]}
