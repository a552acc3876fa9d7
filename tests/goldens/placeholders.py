"""What stands in a step for what is known only later, or is too long to write down: `{task:3}`, `{fill:900}`.

| placeholder | stands for |
|---|---|
| `{key:N}`, `{qkey:N}`, `{jkey:N}` | the key of the N-th session: as it is, as in a query, as in a text of JSON |
| `{task:N}`, `{qtask:N}` | the id of the N-th task of the story, from 0: as it is, as in a query |
| `{url:N}` | the path of what comes of that task |
| `{graph:N}` | a ComfyUI graph of N nodes as a JSON object |
| `{deep:N}`, `{fill:N}`, `{digits:N}` | N arrays, each in the next; N letters; N digits |
| `{png}` | a picture of 8x8 pixels in Base64 |
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FORM: Final = re.compile(r"\{(\w+)(?::(\d+))?\}")

#: 8x8 pixels of one colour.
PNG: Final = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR42mNQUNDAihiGlgQAE9AwARzMWtcAAAAASUVORK5CYII="


def graph(nodes: int) -> str:
    """A graph as an editor exports it: each node has a literal or two and a link to the node before."""
    return json.dumps({str(number): _node(number) for number in range(1, nodes + 1)})


def _node(number: int) -> Mapping[str, Any]:
    inputs: dict[str, Any] = {"text": f"a lamp, number {number}", "strength": number / 4}
    if number > 1:
        inputs["model"] = [str(number - 1), 0]
    return {"class_type": f"Node{number % 7}", "inputs": inputs, "_meta": {"title": f"Node {number}"}}


#: Placeholder -> what it stands for, whatever the story.
_CONTENTS: Final[Mapping[str, Callable[[int], str]]] = {
    "graph": graph,
    "deep": lambda depth: "[" * depth + "]" * depth,
    "fill": lambda length: "x" * length,
    "digits": lambda length: "7" * length,
    "png": lambda _: PNG,
}

#: Beginning of a placeholder -> how what it stands for is written.
_SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "q": lambda text: quote(text, safe=""),
    "j": lambda text: json.dumps(text)[1:-1],
}


def filled(text: str, known: Mapping[str, Callable[[int], str]]) -> str:
    """The text with each placeholder replaced; `known` are those of the story: `key`, `task` and `url`."""
    return _FORM.sub(lambda found: _filling(found, known), text) if "{" in text else text


def _filling(found: re.Match[str], known: Mapping[str, Callable[[int], str]]) -> str:
    name, number = found[1], int(found[2] or 0)
    if name in _CONTENTS:
        return _CONTENTS[name](number)
    if name in known:
        return known[name](number)
    if name[1:] in known and name[0] in _SPELLINGS:
        return _SPELLINGS[name[0]](known[name[1:]](number))
    return found[0]
