"""A session as JSON, and back: what a store writes that keeps sessions outside of this process.

JSON's own values stand for themselves. An object with one member stands for the rest: `{"tuple": [...]}`,
`{"decimal": "12.5"}`, `{"float": "inf"}`, or the name of a class with the values of its fields.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, TypeVar

from safelight.contracts import Axis, Phase, Step, Timeline
from safelight.mockserver.model import delays
from safelight.mockserver.model.clock import AdjustableClock, RealClock, VirtualClock
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
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.model.task_profile import TaskProfile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Made = TypeVar("_Made")

#: The classes that a session consists of; each is written as the list of its fields, in their order.
_CLASSES: Final[Mapping[str, type[Any]]] = {
    kind.__name__: kind
    for kind in (
        *(delays.Fixed, delays.LogNormal, delays.Uniform),
        *(Bounds, Entry, PlannedRule, PlanState, RuleCounts, SessionState, TaskCounts),
        *(RecordedTask, Settings, Step, Task, TaskOverride, TaskProfile, Timeline, User),
    )
}

#: Classes that are more than their fields: each says what is kept of one, and is restored of that.
_STATEFUL: Final[dict[str, Any]] = {
    kind.__name__: kind for kind in (BytesOnDisk, Ledger, RealClock, AdjustableClock, VirtualClock)
}


def _read(kind: type[Any], forms: Any) -> Any:
    values = list(map(_value, forms))
    if issubclass(kind, tuple):
        return kind(*values)
    return made(kind, dict(zip([field.name for field in fields(kind)], values, strict=True)))


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
    "tuple": lambda values: tuple(map(_value, values)),
    "set": lambda values: set(map(_value, values)),
    "frozenset": lambda values: frozenset(map(_value, values)),
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
    return json.dumps(_form(value), separators=(",", ":"), check_circular=False)


def decoded(text: str) -> Any:
    """What `encoded` wrote."""
    return _value(json.loads(text))


def _form(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case Enum():
            return {type(value).__name__: value.value}
        case None | bool() | int() | str():
            return value
        case float():
            return value if isfinite(value) else {"float": repr(value)}
        case Decimal():
            return {"decimal": str(value)}
        case bytes():
            return {"bytes": b64encode(value).decode()}
        case list():
            return [_form(one) for one in value]
        case dict():
            return {"map": [[_form(name), _form(one)] for name, one in value.items()]}
    name = type(value).__name__
    if name in _STATEFUL:
        return {name: _form(value.kept())}
    if is_dataclass(value):
        return {name: [_form(getattr(value, field.name)) for field in fields(value)]}
    ordered = sorted(value) if isinstance(value, set | frozenset) else value
    return {name: [_form(one) for one in ordered]}


def _value(form: Any) -> Any:
    """The value that a form stands for."""
    match form:
        case list():
            return [_value(one) for one in form]
        case dict():
            [(name, contents)] = form.items()
            return _READERS[name](contents)
    return form
