"""Documents and prompts that are JSON, and not what a request is: graphs in other formats, envelopes, texts of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from safelight.contracts.recognizers.row import Recognizer


@dataclass(frozen=True, slots=True)
class Sent:
    """A value as it was sent, and where it is a text of JSON what that says."""

    value: Any
    is_text: bool = False

    @classmethod
    def of(cls, value: Any) -> Sent | None:
        """The value, read where it is a text of an object or an array; None for any other text, as most prompts are."""
        if not isinstance(value, str):
            return cls(value)
        if value.lstrip()[:1] in ("{", "["):
            with suppress(ValueError, RecursionError):
                return cls(json.loads(value), is_text=True)
        return None


Sees = Callable[[Any], object]


def _value(sees: Sees) -> Sees:
    """It is seen in the value, whether that came as a text or not."""
    return lambda sent: sees(sent.value)


def _plain(sees: Sees) -> Sees:
    """It is seen in a value that came as it is."""
    return lambda sent: not sent.is_text and sees(sent.value)


def _text(sees: Sees) -> Sees:
    """It is seen in a value that came as a text."""
    return lambda sent: sent.is_text and sees(sent.value)


def is_graph(value: Any) -> bool:
    """A graph in ComfyUI's API format: nodes by their ids, each with its class."""
    nodes = value.values() if isinstance(value, Mapping) else ()
    return bool(nodes) and all(isinstance(node, Mapping) and isinstance(node.get("class_type"), str) for node in nodes)


def _is_of_editor(value: Any) -> bool:
    """A graph as the editor saves it: its nodes in a list, or by their ids with a `type` in the place of a class."""
    match value:
        case {"nodes": list()}:
            return True
        case {}:
            nodes = value.values()
            return bool(nodes) and all(isinstance(one, Mapping) and _is_node_of_editor(one) for one in nodes)
    return False


def _is_node_of_editor(node: Mapping[str, Any]) -> bool:
    return isinstance(node.get("type"), str) and "class_type" not in node


def _holds(*path: str) -> Sees:
    """A graph lies at the end of this path of members."""

    def sees(value: Any) -> bool:
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return is_graph(value) or _is_of_editor(value)

    return sees


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("prompt"), str)


def _wrapped(value: Any) -> bool:
    """An object whose only member is a request."""
    match list(value.values()) if isinstance(value, Mapping) and "prompt" not in value else []:
        case [{"prompt": _}]:
            return True
    return False


_API_FORMAT: Final = "it in the API format (in the editor: Workflow > Export (API))"

#: What an object is that stands as a prompt, or a text that says one. The first row that sees it counts.
PROMPTS: Final = (
    Recognizer("a graph as ComfyUI's editor saves it", _value(_is_of_editor), _API_FORMAT),
    Recognizer("what ComfyUI's graphToPrompt gives", _value(_holds("output")), "its member output alone"),
    Recognizer(
        "the body of ComfyUI's /prompt", _value(_holds("prompt")), "the graph alone, which is its member prompt"
    ),
    Recognizer("a graph within a member workflow", _value(_holds("workflow")), _API_FORMAT),
    Recognizer("a graph as a text of JSON", _text(is_graph), "the object itself, without quotation marks around it"),
    Recognizer(
        "a prompt within a prompt, as the Linux DO edition takes it",
        _plain(_nested),
        "the text alone (the fake takes this as requests = linux-do)",
    ),
    Recognizer("a request as a text of JSON", _text(_nested), "the text of its prompt alone"),
    Recognizer(
        "messages of a chat", _plain(lambda value: isinstance(value, Mapping) and "messages" in value), "a text"
    ),
)

#: A request that is legal, though little of it is read.
OF_LINUX_DO: Final = Recognizer(
    "a request of the Linux DO edition, with its parameters in settings",
    lambda sent: isinstance(sent.value, Mapping) and isinstance(sent.value.get("settings"), Mapping),
    "them beside the prompt (the fake takes this as requests = linux-do)",
)

#: What a document is that is no request: the same, and requests within something else.
DOCUMENTS: Final = (
    Recognizer("a request as a text of JSON, encoded twice", _text(lambda _: True), "the object itself"),
    Recognizer(
        "a list of requests",
        _plain(lambda value: isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value)),
        "each by itself",
    ),
    Recognizer("a graph", _plain(is_graph), 'it as the prompt: {"prompt": {...}}'),
    Recognizer("a graph as ComfyUI's editor saves it", _plain(_is_of_editor), f"{_API_FORMAT}, as the prompt"),
    OF_LINUX_DO,
    Recognizer(
        "a request to a chat completion",
        _plain(lambda value: isinstance(value, Mapping) and "messages" in value and "prompt" not in value),
        "a text as prompt",
    ),
    Recognizer("a request within another object", _plain(_wrapped), "the inner object alone"),
)
