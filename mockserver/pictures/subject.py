"""What a picture is of, in words: its prompt, or what a ComfyUI workflow says it is."""

from collections.abc import Iterator, Mapping
from typing import Any


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
