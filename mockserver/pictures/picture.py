"""What is to be drawn, what that is in words, and the text chunks that say it to image tools."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

#: Bytes of one text chunk. There are three at most, and readers (Pillow among them) refuse files with too much text.
MAX_CHUNK_BYTES: Final = 64_000


@dataclass(frozen=True, slots=True)
class Picture:
    """`width` x `height` pixels, from `seed` (0 or more) and the prompt in `request`, which keeps the contract.

    With a `ground`, an encoded picture, that one is edited: it keeps its own size, scaled down so that no side is
    longer than `longest`. What does not open as a picture is no ground.
    """

    width: int
    height: int
    seed: int
    task_id: str
    request: Mapping[str, Any]
    ground: bytes | None = field(default=None, repr=False)
    longest: int | None = None


def subject_of(request: Mapping[str, Any]) -> str:
    """The prompt, or of a workflow the text it draws, or else how large it is."""
    match request.get("prompt"):
        case str(prompt):
            return prompt
        case Mapping() as nodes:
            return _positive(nodes) or f"ComfyUI workflow, {len(nodes)} node{'s' * (len(nodes) != 1)}"
        case _:
            return ""


def _positive(nodes: Mapping[str, Any]) -> str:
    """The text of the first text node that a sampler takes as `positive`, else of one that none takes as `negative`."""
    texts = {name: text for name, node in nodes.items() if (text := _node_text(node))}
    links = {role: list(_sources(nodes, role)) for role in ("positive", "negative")}
    chosen = [name for name in links["positive"] if name in texts]
    chosen += [name for name in texts if name not in links["negative"]]
    return texts[chosen[0]] if chosen else ""


def _node_text(node: Any) -> str:
    match node:
        case {"class_type": str(kind), "inputs": {"text": str(text)} | {"text_g": str(text)}}:
            return text if kind.startswith("CLIPTextEncode") else ""
        case _:
            return ""


def _sources(nodes: Mapping[str, Any], role: str) -> Iterator[str]:
    """The ids of the nodes that are linked to an input of this name; links are `[node id, output index]`."""
    for node in nodes.values():
        match node:
            case {"inputs": {**inputs}}:
                match inputs.get(role):
                    case [str(name), *_]:
                        yield name


def chunks(picture: Picture) -> dict[str, str]:
    """`parameters` as Automatic1111 writes them, `safelight` with the request, and `prompt` as ComfyUI writes it.

    A workflow too long for a chunk has no `prompt`, since no tool could read a part of it.
    """
    found = {"parameters": _parameters(picture), "safelight": _document(picture)}
    if isinstance(prompt := picture.request.get("prompt"), Mapping):
        workflow = json.dumps(prompt)
        if len(workflow) <= MAX_CHUNK_BYTES:
            found["prompt"] = workflow
    return found


def _parameters(picture: Picture) -> str:
    """Prompt, negative prompt, and a line of `Name: value` pairs, of those that the request names."""
    request, third = picture.request, MAX_CHUNK_BYTES // 3
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
    facts = {"task_id": picture.task_id, "seed": picture.seed, "width": picture.width, "height": picture.height}
    whole = json.dumps(facts | {"request": dict(picture.request)})
    if len(whole) <= MAX_CHUNK_BYTES:
        return whole
    short = _cut(json.dumps(dict(picture.request)), MAX_CHUNK_BYTES // 4)
    return json.dumps(facts | {"task_id": _cut(picture.task_id, MAX_CHUNK_BYTES // 16), "request": short})


def _cut(text: str, most: int) -> str:
    """`text` without what a chunk cannot hold, in at most about `most` bytes of UTF-8, and a mark where it was cut."""
    start = text[:most].replace("\0", "\u2400").encode("utf-8", "replace")
    if len(text) <= most and len(start) <= most:
        return start.decode()
    return f"{start[:most].decode(errors='ignore')}… [cut: {len(text)} characters in all]"
