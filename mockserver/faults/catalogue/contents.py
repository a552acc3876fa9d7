"""Faults of single fields: the answer is the one that was due, but for what stands in them. No field, no fault."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from safelight.mockserver.faults.catalogue import fault
from safelight.mockserver.faults.catalogue.settings import choice, setting
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


def with_field(reply: Reply, name: str, change: Callable[[Any], Any]) -> Reply:
    """The reply with this field of its data changed; where it has none, it stays as it is."""
    return rewritten(reply, lambda document: {**document, "data": _changed(document.get("data"), name, change)})


def _changed(data: Any, name: str, change: Callable[[Any], Any]) -> Any:
    if not isinstance(data, dict) or name not in data:
        return data
    return {field: value for field, value in {**data, name: change(data[name])}.items() if value is not REMOVED}


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
        return with_field(reply, "id", _IDS[self.kind])


@fault
class Word:
    """Say another status word, such as one that nobody knows."""

    word: str = "warming_up"

    def strike(self, reply: Reply) -> Reply:
        return with_field(reply, "status", lambda _: self.word)


@fault
class Shout:
    """Say the status word in upper case."""

    def strike(self, reply: Reply) -> Reply:
        return with_field(reply, "status", str.upper)


@fault
class Progress:
    """Spoil the progress: `absent`, `null`, `falling` (100 less what it was), a number such as 250, or any text."""

    value: str = "absent"

    def strike(self, reply: Reply) -> Reply:
        return with_field(reply, "progress", _PROGRESS.get(self.value, lambda _: _number_or_text(self.value)))


#: The words that stand for something else -> what becomes of the progress that was due.
_PROGRESS: Final[Mapping[str, Callable[[float], Any]]] = {
    "absent": lambda _: REMOVED,
    "null": lambda _: None,
    "falling": lambda percent: 100 - percent,
}

_NUMBER: Final = re.compile(r"-?(0|[1-9]\d{0,29})(\.\d{1,30})?", re.ASCII)


def _number_or_text(value: str) -> Any:
    return json.loads(value) if _NUMBER.fullmatch(value) else value


def _each(change: Callable[[str], str]) -> Callable[[Mapping[str, str]], Any]:
    """What changes every URL of a result."""
    return lambda result: {name: change(url) for name, url in result.items()}


#: Kind of result -> what becomes of the one that was due.
_RESULTS: Final[Mapping[str, Callable[[Mapping[str, str]], Any]]] = {
    "null": lambda _: None,
    "empty": lambda _: {},
    "blank": _each(lambda _: ""),
    "relative": _each(lambda url: urlsplit(url).path),
    "elsewhere": _each(at_second_origin),
    "gone": _each(lambda url: f"{url.rpartition('/')[0]}/gone.{url.rpartition('.')[2]}"),
}


@fault
class Result:
    """Spoil a finished task's result: `null`, `empty`, or its URLs: `blank`, `relative`, `elsewhere`, `gone`."""

    kind: str = choice("null", _RESULTS, "kind of result")

    def strike(self, reply: Reply) -> Reply:
        return with_field(reply, "result", lambda result: _RESULTS[self.kind](result) if result else result)


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


_NO_PATH: Final = "{} is no path: write data.status"


@fault
class Mistype:
    """Give the field at this path, such as `data.status`, a value of another type; without a path each field."""

    path: str = setting("", lambda path, _: "" if not path or all(path.split(".")) else _NO_PATH.format(path))

    def strike(self, reply: Reply) -> Reply:
        names = self.path.split(".") if self.path else []
        return rewritten(reply, lambda document: _along(document, *names) if names else _all(document))


def _along(value: Any, name: str, *deeper: str) -> Any:
    if not isinstance(value, dict) or name not in value:
        return value
    return {**value, name: _along(value[name], *deeper) if deeper else _mistyped(value[name])}


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
