"""The PNG's text chunks: what was asked for, where image tools look for it."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from safelight.mockserver.pictures.picture import Picture
from safelight.mockserver.pictures.subject import subject_of

#: Bytes of one text chunk. There are three at most, and readers (Pillow among them) refuse files with too much text.
CHUNK_BYTES: Final = 64_000


def chunks(picture: Picture) -> dict[str, str]:
    """`parameters` as Automatic1111 writes them, `safelight` with the request, and `prompt` as ComfyUI writes it.

    A workflow too long for a chunk has no `prompt`, since no tool could read a part of it.
    """
    found = {"parameters": _parameters(picture), "safelight": _document(picture)}
    if isinstance(prompt := picture.request.get("prompt"), Mapping):
        workflow = json.dumps(prompt)
        if len(workflow) <= CHUNK_BYTES:
            found["prompt"] = workflow
    return found


def _parameters(picture: Picture) -> str:
    """Prompt, negative prompt, and a line of `Name: value` pairs, of those that the request names."""
    request, third = picture.request, CHUNK_BYTES // 3
    pairs = {"Steps": request.get("steps"), "CFG scale": request.get("cfg"), "Seed": picture.seed}
    pairs |= {"Size": f"{picture.width}x{picture.height}", "Model": request.get("model")}
    line = ", ".join(f"{name}: {_quoted(value)}" for name, value in pairs.items() if value is not None)
    negative = request.get("negative_prompt")
    middle = [f"Negative prompt: {_cut(negative, third)}"] if negative else []
    return "\n".join([_cut(subject_of(request), third), *middle, _cut(line, third)])


def _quoted(value: Any) -> str:
    """A value as Automatic1111 writes it: in JSON quotes when it could be taken for two."""
    text = str(value)
    return json.dumps(text) if re.search("[,:\n]", text) else text


def _document(picture: Picture) -> str:
    """The task as JSON, with its request as it came; of one that is too long, the start of its JSON as a string."""
    request = dict(picture.request)
    facts = {"task_id": picture.task_id, "seed": picture.seed, "width": picture.width, "height": picture.height}
    whole = json.dumps(facts | {"request": request})
    if len(whole) <= CHUNK_BYTES:
        return whole
    short = {
        "task_id": _cut(picture.task_id, CHUNK_BYTES // 16),
        "request": _cut(json.dumps(request), CHUNK_BYTES // 4),
    }
    return json.dumps(facts | short)


def _cut(text: str, most: int) -> str:
    """`text` without what a chunk cannot hold, in at most about `most` bytes of UTF-8, and a mark where it was cut."""
    start = text[:most].replace("\0", "\u2400").encode("utf-8", "replace")
    if len(text) <= most and len(start) <= most:
        return start.decode()
    return f"{start[:most].decode(errors='ignore')}… [cut: {len(text)} characters in all]"
