"""A session as JSON, and back: what a store writes that keeps sessions outside of this process.

JSON's own values stand for themselves. An object with one member stands for the rest: `{"tuple": [...]}`,
`{"decimal": "12.5"}`, `{"float": "inf"}`, or the name of a class with the values of its fields.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from decimal import Decimal
from enum import Enum
from functools import partial
from math import isfinite
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from safelight.contracts import Axis, Phase, Step, Timeline
from safelight.contracts.lifecycle import UsualTimeline
from safelight.mockserver.model import delays
from safelight.mockserver.model.clock import AdjustableClock, RealClock, VirtualClock
from safelight.mockserver.model.index import Index, Place
from safelight.mockserver.model.kept_bytes import BytesOnDisk
from safelight.mockserver.model.ledger import Entry, Ledger
from safelight.mockserver.model.recorded_task import RecordedTask
from safelight.mockserver.model.session_state import (
    Bounds,
    PlannedRule,
    PlanState,
    RuleCounts,
    SessionState,
    TaskCounts,
)
from safelight.mockserver.model.settings import Settings, User
from safelight.mockserver.model.task import Task
from safelight.mockserver.model.task_order import AllTasks
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.model.task_profile import TaskProfile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_Made = TypeVar("_Made")

#: The classes that a session consists of; each is written as the list of its fields, in their order.
_CLASSES: Final[Mapping[str, type[Any]]] = {
    kind.__name__: kind
    for kind in (
        *(delays.Fixed, delays.LogNormal, delays.Uniform),
        *(AllTasks, Bounds, Entry, Place, PlannedRule, PlanState, RuleCounts, SessionState, TaskCounts),
        *(RecordedTask, Settings, Step, Task, TaskOverride, TaskProfile, Timeline, User, UsualTimeline),
    )
}

#: Of those that are no tuples, the names of their fields.
_NAMES: Final[Mapping[type[Any], Sequence[str]]] = {
    kind: kind.__slots__ for kind in _CLASSES.values() if not issubclass(kind, tuple)
}

#: Classes that are more than their fields: each says what is kept of one, and is restored of that.
_STATEFUL: Final[dict[str, Any]] = {
    kind.__name__: kind for kind in (BytesOnDisk, Index, Ledger, RealClock, AdjustableClock, VirtualClock)
}


def _read(kind: type[Any], forms: Any) -> Any:
    values = _values(forms)
    return kind(*values) if issubclass(kind, tuple) else made(kind, dict(zip(_NAMES[kind], values, strict=True)))


def made(kind: type[_Made], values: Mapping[str, Any]) -> _Made:
    """An object of a class with these values of its fields, as they were: nothing is drawn or checked again."""
    new = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(new, name, value)
    return new


def _restored(kind: Any, form: Any) -> Any:
    return kind.restored(_value(form))


#: What stands for a value that JSON has no word for -> how it is read.
_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "tuple": lambda values: tuple(_values(values)),
    "set": lambda values: set(_values(values)),
    "frozenset": lambda values: frozenset(_values(values)),
    "map": lambda pairs: {_value(name): _value(value) for name, value in pairs},
    "bytes": b64decode,
    "decimal": Decimal,
    "float": float,
    "Axis": Axis,
    "Phase": Phase,
    **{name: partial(_read, kind) for name, kind in _CLASSES.items()},
    **{name: partial(_restored, kind) for name, kind in _STATEFUL.items()},
}


def stateful(kind: type[_Made]) -> type[_Made]:
    """Register a class that says what is kept of one by `kept`, and makes one of that by `restored`."""
    _STATEFUL[kind.__name__] = kind
    _READERS[kind.__name__] = partial(_restored, kind)
    return kind


def encoded(value: Any) -> str:
    """A session, or a part of one, as JSON text, in ASCII."""
    return _JSON.encode(_form(value))


def decoded(text: str) -> Any:
    """What `encoded` wrote."""
    return _value(json.loads(text))


_JSON: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False)


def _form(value: Any) -> Any:
    """A value as JSON has it."""
    kind = type(value)
    writer = _WRITER_OF.get(kind) or _WRITER_OF.setdefault(kind, _writer(kind))
    return writer(value)


#: Class -> what makes a form of its values. It is looked for once, as a transaction writes a hundred values.
_WRITER_OF: Final[dict[type[Any], Callable[[Any], Any]]] = {}


def _writer(kind: type[Any]) -> Callable[[Any], Any]:
    name = kind.__name__
    if issubclass(kind, Enum):
        return lambda value: {name: value.value}
    for known, writer in _WRITERS.items():
        if issubclass(kind, known):
            return writer
    if name in _STATEFUL:
        return lambda value: {name: _form(value.kept())}
    if names := _NAMES.get(kind):
        return lambda value: {name: [_form(getattr(value, one)) for one in names]}
    if issubclass(kind, set | frozenset):
        return lambda value: {name: [_form(one) for one in sorted(value)]}
    return lambda value: {name: [_form(one) for one in value]}


def _same(value: Any) -> Any:
    return value


#: Classes of values that are no objects of ours -> how they are written.
_WRITERS: Final[Mapping[type[Any], Callable[[Any], Any]]] = {
    NoneType: _same,
    int: _same,
    str: _same,
    float: lambda value: value if isfinite(value) else {"float": repr(value)},
    Decimal: lambda value: {"decimal": str(value)},
    bytes: lambda value: {"bytes": b64encode(value).decode()},
    list: lambda value: [_form(one) for one in value],
    dict: lambda value: {"map": [[_form(name), _form(one)] for name, one in value.items()]},
}


def _value(form: Any) -> Any:
    """The value that a form stands for."""
    kind = type(form)
    if kind is dict:
        [(name, contents)] = form.items()
        return _READERS[name](contents)
    return _values(form) if kind is list else form


def _values(forms: Any) -> list[Any]:
    return [_value(form) if type(form) in _NESTED else form for form in forms]


_NESTED: Final = frozenset({dict, list})
