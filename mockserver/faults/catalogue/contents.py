"""Faults of single fields: the answer is the one that was due, but for what stands in them. No field, no fault."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from safelight.mockserver.faults.catalogue import fault
from safelight.mockserver.faults.catalogue.checks import check_known
from safelight.mockserver.faults.catalogue.envelopes import REMOVED, rewritten, with_field
from safelight.mockserver.model.second_origin import at_second_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safelight.mockserver.model.messages import Reply


@fault
class Id:
    """Spoil the id: `missing`, `null`, `number`, `object`, or `other`, which is another task's."""

    kind: str = "missing"

    def __post_init__(self) -> None:
        check_known(self.kind, _IDS, "kind of id")

    def strike(self, reply: Reply) -> Reply:
        """The same with another id."""
        return with_field(reply, "id", _IDS[self.kind])


#: An id of digits longer than this is no number that anybody would make of it.
_LONGEST_NUMBER: Final = 30

#: Kind of id -> what becomes of the one that was due.
_IDS: Final[Mapping[str, Callable[[str], Any]]] = {
    "missing": lambda _: REMOVED,
    "null": lambda _: None,
    "number": lambda task_id: int(task_id) if _is_number(task_id) else 10**19,
    "object": lambda task_id: {"id": task_id},
    "other": lambda task_id: task_id[:-1] + _OTHER.get(task_id[-1:], "0"),
}

#: The last character of an id -> that of another.
_OTHER: Final[Mapping[str, str]] = dict(zip("0123456789abcdef", "1234567890bcdefa", strict=True))


def _is_number(task_id: str) -> bool:
    return task_id.isdecimal() and len(task_id) <= _LONGEST_NUMBER


@fault
class Word:
    """Say another status word, such as one that nobody knows."""

    word: str = "warming_up"

    def strike(self, reply: Reply) -> Reply:
        """The same in another status."""
        return with_field(reply, "status", lambda _: self.word)


@fault
class Shout:
    """Say the status word in upper case."""

    def strike(self, reply: Reply) -> Reply:
        """The same, louder."""
        return with_field(reply, "status", str.upper)


@fault
class Progress:
    """Spoil the progress: `absent`, `null`, `falling` (100 less what it was), a number such as 250, or any text."""

    value: str = "absent"

    def strike(self, reply: Reply) -> Reply:
        """The same with another progress."""
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


@fault
class Result:
    """Spoil a finished task's result: `null`, `empty`, or its URLs: `blank`, `relative`, `elsewhere`, `gone`."""

    kind: str = "null"

    def __post_init__(self) -> None:
        check_known(self.kind, _RESULTS, "kind of result")

    def strike(self, reply: Reply) -> Reply:
        """The same with another result, where there is one."""
        return with_field(reply, "result", lambda result: _RESULTS[self.kind](result) if result else result)


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
class Extra:
    """Add fields that nobody knows, at each level."""

    def strike(self, reply: Reply) -> Reply:
        """The same and more."""
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

    path: str = ""

    def __post_init__(self) -> None:
        if self.path and not all(self.path.split(".")):
            raise ValueError(f"{self.path} is no path: write data.status")

    def strike(self, reply: Reply) -> Reply:
        """The same, of other types."""
        return rewritten(
            reply, lambda document: _along(document, *self.path.split(".")) if self.path else _all(document)
        )


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
