"""Where virtual time replaces functions: in the modules that define them, and in those that imported the names."""

from __future__ import annotations

import asyncio
import queue
import select
import sys
import threading
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from safelight.testing.virtual_time import dates, functions, loops, waits

if TYPE_CHECKING:
    from collections.abc import Callable

#: Id of a real function -> the function, and the one in its place.
_SHIMS: Final = {id(real): (real, shim) for one in (functions, loops, waits) for real, shim in one.SHIMS.items()}

#: Class and name of a method -> the real one, and the one in its place.
_METHODS: Final = {**loops.METHODS, **waits.METHODS}

#: The modules that define them, and those that wait by them: of Python's own, they alone.
_SOURCES: Final[list[ModuleType]] = [
    *(time, select, threading, queue),
    *(asyncio, asyncio.events, asyncio.tasks, asyncio.futures),
]

#: Id of a module -> how many names it had when it was looked through, and which of them are replaced.
_LOOKED_THROUGH: Final[dict[int, tuple[int, list[str]]]] = {}

#: The threads of the blocks for which ours are in the place of the real ones.
READY: Final[list[int]] = []

#: The names of a module, the name that is replaced, the real function and the one in its place.
_REPLACED: Final[list[tuple[dict[str, Any], str, Any, Any]]] = []

#: A module's names, of those too that are loaded with their first attribute.
_vars: Final[Callable[[ModuleType], dict[str, Any]]] = vars(ModuleType)["__dict__"].__get__


def install() -> None:
    """Put ours in the place of the real ones."""
    _take_in("trio")
    try:
        _replace()
    except BaseException:
        uninstall()
        raise


def _replace() -> None:
    dates.install()
    for (cls, name), (_, ours) in _METHODS.items():
        setattr(cls, name, ours)
    for module in [*_SOURCES, *_foreign_modules()]:
        names = _vars(module)
        for name in _names_in(module, names):
            if found := _SHIMS.get(id(names.get(name))):
                names[name] = found[1]
                _REPLACED.append((names, name, *found))


def uninstall() -> None:
    """Put the real ones back, wherever ours still are."""
    dates.uninstall()
    for (cls, name), (real, _) in _METHODS.items():
        setattr(cls, name, real)
    while _REPLACED:
        names, name, real, ours = _REPLACED.pop()
        if names.get(name) is ours:
            names[name] = real


def put_back() -> None:
    """Put the real ones back where a test's own undoing has brought ours again, once nobody has virtual time."""
    if READY:
        return
    reals = {id(ours): real for real, ours in _SHIMS.values()}
    for names in map(_vars, _SOURCES):
        for name, value in list(names.items()):
            if real := reals.get(id(value)):
                names[name] = real


def _take_in(library: str) -> None:
    """Refuse the sleep of a library that is in use, and whose loops cannot be moved."""
    module: Any = sys.modules.get(library)
    if module and module not in _SOURCES:
        _SHIMS[id(module.sleep)] = (module.sleep, loops.refusing(module.sleep, library))
        _SOURCES.append(module)


def _foreign_modules() -> list[ModuleType]:
    loaded: list[tuple[Any, Any]] = list(sys.modules.items())  # whatever else packages put there
    return [
        module
        for name, module in loaded
        if isinstance(name, str)
        and issubclass(type(module), ModuleType)
        and name.partition(".")[0] not in functions.LEFT_ALONE
    ]


def _names_in(module: ModuleType, names: dict[str, Any]) -> list[str]:
    """The names under which a module has one of the functions.

    Of installed packages they are kept, as there are a thousand modules; a suite's own may be patched by its tests.
    """
    if "site-packages" not in str(names.get("__file__")):
        return _looked_through(names)
    size, found = _LOOKED_THROUGH.get(id(module), (-1, []))
    if size != len(names):
        found = _looked_through(names)
        _LOOKED_THROUGH[id(module)] = len(names), found
    return found


def _looked_through(names: dict[str, Any]) -> list[str]:
    return [name for name, value in list(names.items()) if id(value) in _SHIMS]
