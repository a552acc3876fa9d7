"""`datetime.now` and its like: replaced within the classes, so that a `datetime` stays one to whoever looks at it.

A subclass in their place would be another type: to `type(x) is datetime`, to pickle, to models that are defined
meanwhile. The classes refuse new attributes, so the dictionary behind them is changed.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from safelight.testing.virtual_time.functions import date_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

#: Class and name of each function that says what date it is -> the real one, as it stands in the class.
_REAL: Final[Mapping[tuple[type, str], Any]] = {
    (cls, name): vars(cls)[name] for cls, name in ((datetime, "now"), (datetime, "utcnow"), (date, "today"))
}

#: As the real ones make their result, whatever a subclass has of this name.
_FROM_TIMESTAMP: Final[Any] = vars(datetime)["fromtimestamp"]


def _now(cls: type[datetime], tz: tzinfo | None = None) -> Any:
    moment = date_for(sys._getframe(1))  # noqa: SLF001 - the way to know who calls
    if moment is None:
        return _REAL[datetime, "now"].__get__(None, cls)(tz)
    return _FROM_TIMESTAMP.__get__(None, cls)(moment, tz)


def _utcnow(cls: type[datetime]) -> Any:
    moment = date_for(sys._getframe(1))  # noqa: SLF001 - as above
    if moment is None:
        return _REAL[datetime, "utcnow"].__get__(None, cls)()
    return _FROM_TIMESTAMP.__get__(None, cls)(moment, UTC).replace(tzinfo=None)


def _today(cls: type[date]) -> Any:
    moment = date_for(sys._getframe(1))  # noqa: SLF001 - as above
    return _REAL[date, "today"].__get__(None, cls)() if moment is None else cls.fromtimestamp(moment)


_OURS: Final[Mapping[tuple[type, str], Callable[..., Any]]] = {
    (datetime, "now"): _now,
    (datetime, "utcnow"): _utcnow,
    (date, "today"): _today,
}


def install() -> None:
    """Put ours in the place of the real ones."""
    for (cls, name), ours in _OURS.items():
        _put(cls, name, classmethod(ours))


def uninstall() -> None:
    """Put the real ones back."""
    for (cls, name), real in _REAL.items():
        _put(cls, name, real)


def _put(cls: type, name: str, function: Any) -> None:
    (names,) = gc.get_referents(vars(cls))  # a view has one thing behind it
    names[name] = function
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))  # it looks no more at what it found before
