"""Faults of single fields: the answer is the one that was due, but for what stands in them. No field, no fault."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from safelight.mockserver.faults.catalogue import fault
from safelight.mockserver.faults.catalogue.settings import Json, choice, path
from safelight.mockserver.model.messages import Reply, encoded
from safelight.mockserver.model.second_origin import at_second_origin

#: Stands for a field that is there no longer.
REMOVED: Final = object()


def is_object(reply: Reply) -> bool:
    """The reply carries a JSON object."""
    return reply.media_type == "application/json" and reply.body.startswith(b"{")


def rewritten(reply: Reply, change: Callable[[dict[str, Any]], Any]) -> Reply:
    """The reply with its JSON object changed; what carries none stays as it is."""
    return reply._replace(body=encoded(change(json.loads(reply.body)))) if is_object(reply) else reply


def with_field(reply: Reply, path: str, change: Callable[[Any], Any]) -> Reply:
    """The reply with the field at this path changed; where it has none, it stays as it is."""
    return rewritten(reply, lambda document: _changed(document, path.split("."), change))


def _changed(value: Any, path: Sequence[str], change: Callable[[Any], Any]) -> Any:
    name, *deeper = path
    if not isinstance(value, dict) or name not in value:
        return value
    held = _changed(value[name], deeper, change) if deeper else change(value[name])
    return {name: held for name, held in {**value, name: held}.items() if held is not REMOVED}


#: Kind of id -> what becomes of the one that was due.
_IDS: Final[Mapping[str, Callable[[str], Any]]] = {
    "missing": lambda _: REMOVED,
    "null": lambda _: None,
    "number": lambda task_id: int(task_id) if re.fullmatch("[0-9]{1,30}", task_id) else 10**19,
    "object": lambda task_id: {"id": task_id},
    "other": lambda task_id: task_id[:-1] + _OTHER.get(task_id[-1:], "0"),
}

#: The last character of an id -> that of another.
_OTHER: Final[Mapping[str, str]] = dict(zip("0123456789abcdef", "1234567890bcdefa", strict=True))


@fault
class Id:
    """Spoil the id: `missing`, `null`, `number`, `object`, or `other`, which is another task's."""

    kind: str = choice("missing", _IDS, "kind of id")

    def strike(self, reply: Reply) -> Reply:
        return with_field(reply, "data.id", _IDS[self.kind])


@fault
class Word:
    """Say another status word, such as one that nobody knows."""

    word: str = "warming_up"

    def strike(self, reply: Reply) -> Reply:
        return with_field(reply, "data.status", lambda _: self.word)


@fault
class Shout:
    """Say the status word in upper case."""

    def strike(self, reply: Reply) -> Reply:
        return with_field(reply, "data.status", str.upper)


@fault
class Progress:
    """Spoil the progress: `absent`, `null`, `falling` (100 less what it was), a number such as 250, or any text."""

    value: str = "absent"

    def strike(self, reply: Reply) -> Reply:
        return with_field(reply, "data.progress", _PROGRESS.get(self.value, lambda _: _number_or_text(self.value)))


#: The words that stand for something else -> what becomes of the progress that was due.
_PROGRESS: Final[Mapping[str, Callable[[float], Any]]] = {
    "absent": lambda _: REMOVED,
    "null": lambda _: None,
    "falling": lambda percent: 100 - percent,
}

_NUMBER: Final = re.compile(r"-?(0|[1-9]\d{0,29})(\.\d{1,30})?", re.ASCII)


def _number_or_text(value: str) -> Any:
    return json.loads(value) if _NUMBER.fullmatch(value) else value


#: Kind of result -> what becomes of the one that was due.
_RESULTS: Final[Mapping[str, Callable[[Mapping[str, str]], Any]]] = {
    "null": lambda _: None,
    "empty": lambda _: {},
}

#: Kind of URL -> what becomes of the one that was due, at an origin.
_URLS: Final[Mapping[str, Callable[[str, str], str]]] = {
    "blank": lambda *_: "",
    "relative": lambda url, _: urlsplit(url).path,
    "elsewhere": at_second_origin,
    "gone": lambda url, _: f"{url.rpartition('/')[0]}/gone.{url.rpartition('.')[2]}",
}


def with_urls(reply: Reply, change: Callable[[str], str]) -> Reply:
    """The reply with each URL of a finished task's result changed."""
    return _with_result(reply, lambda result: {name: change(url) for name, url in result.items()})


def _with_result(reply: Reply, change: Callable[[Mapping[str, str]], Any]) -> Reply:
    return with_field(reply, "data.result", lambda result: change(result) if result else result)


@fault
class Result:
    """Spoil a finished task's result: `null`, `empty`, or its URLs: `blank`, `relative`, `elsewhere`, `gone`."""

    kind: str = choice("null", [*_RESULTS, *_URLS], "kind of result")

    def strike(self, reply: Reply) -> Reply:
        if self.kind in _URLS:
            origin = reply.request.origin if reply.request else ""
            return with_urls(reply, lambda url: _URLS[self.kind](url, origin))
        return _with_result(reply, _RESULTS[self.kind])


@fault
class Extra:
    """Add fields that nobody knows, at each level."""

    def strike(self, reply: Reply) -> Reply:
        return rewritten(reply, _with_more)


#: What is added.
_UNKNOWN: Final = {"x_unknown": {"node": "gpu-7", "retries": [0, None]}}


def _with_more(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {**{name: _with_more(held) for name, held in value.items()}, **_UNKNOWN}


@fault
class Mistype:
    """Give the field at this path, such as `data.status`, a value of another type; without a path each field."""

    path: str = path("")

    def strike(self, reply: Reply) -> Reply:
        return with_field(reply, self.path, _mistyped) if self.path else rewritten(reply, _all)


#: Stands for a value while an answer is encoded: no answer has this text.
_STAND_IN: Final = "safelight:\x00"


@fault
class Set:
    """Give the field at this path, such as `data.error`, this value: JSON, or a text without quotation marks."""

    path: str = path("data.result")
    value: Json = Json("null")

    def strike(self, reply: Reply) -> Reply:
        struck = with_field(reply, self.path, lambda _: _STAND_IN)
        # As it is written: what Python makes of 1e400 or of half a surrogate pair could not be sent.
        return struck._replace(body=struck.body.replace(_STAND_IN_BYTES, self.value.encode()))


_STAND_IN_BYTES: Final = json.dumps(_STAND_IN).encode()


@fault
class Remove:
    """Take out the field at this path."""

    path: str = path("data.id")

    def strike(self, reply: Reply) -> Reply:
        return with_field(reply, self.path, lambda _: REMOVED)


def _all(value: Any) -> Any:
    if isinstance(value, dict) and value:
        return {name: _all(held) for name, held in value.items()}
    return _mistyped(value)


def _mistyped(value: Any) -> Any:
    match value:
        case None:
            return []
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str():
            return 7
        case _:
            return [value]
