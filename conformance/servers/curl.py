"""A probe as a line of shell to paste; keys are variables in it."""

from __future__ import annotations

import re
import shlex
from typing import Final

from safelight.conformance.servers.probe import KEY, OTHER_KEY, Probe

#: Bytes of a body that stands in the line.
_MAX_BODY_BYTES: Final = 2_000

#: Characters of the value of a header that stands in the line.
_MAX_HEADER_CHARACTERS: Final = 200


def curl(url: str, probe: Probe) -> str:
    """The line. A body that is too long, or no text, is described in the place of its file."""
    words = ["curl -i", _quoted(f"{url}?{probe.query}" if probe.query else url)]
    if probe.method not in ("GET", "POST") or (probe.method == "GET") == bool(probe.body):
        words.insert(1, f"-X {probe.method}")
    words += [f"-H {_quoted(_header(name, value))}" for name, value in probe.headers.items()]
    if probe.body:
        words.append(f"--data-binary {_body(probe.body)}")
    return " ".join(words)


def _header(name: str, value: str) -> str:
    if len(value) > _MAX_HEADER_CHARACTERS:
        value = f"{value[:20]}... ({len(value):,} characters)"
    return f"{name}: {value}" if value.strip() else f"{name};"


def _body(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = ""
    if not text.isprintable() or len(body) > _MAX_BODY_BYTES:
        return f"@FILE  # a file of {len(body):,} bytes: {body[:20]!r}..."
    return _quoted(text)


def _quoted(text: str) -> str:
    """In single quotes; in double ones where a shell has to put a key in."""
    if KEY not in text and OTHER_KEY not in text:
        return shlex.quote(text)
    return f'"{_LIVE.sub(_escaped, text)}"'


#: The keys, which a shell has to see, and the other signs that mean something to it between double quotes.
_LIVE: Final = re.compile(rf'{re.escape(OTHER_KEY)}|{re.escape(KEY)}|[\\"`$]')


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0] in (KEY, OTHER_KEY) else f"\\{found[0]}"
