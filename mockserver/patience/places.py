"""Where the functions are that patience replaces: in the modules that define them, and in those that took the names."""

from __future__ import annotations

import asyncio
import sys
import time
from types import ModuleType
from typing import Any, Final
from weakref import WeakKeyDictionary

from safelight.mockserver.patience import loops, wall

#: Id of a real function -> the function, and the one in its place.
_SHIMS: Final = {id(real): (real, shim) for real, shim in {**wall.SHIMS, **loops.SHIMS}.items()}

#: The modules that define them: of Python's own, they alone.
_SOURCES: Final[list[ModuleType]] = [time, asyncio, asyncio.tasks]

#: Module -> how many names it had when it was looked through, and which of them are replaced.
_LOOKED_THROUGH: Final[WeakKeyDictionary[ModuleType, tuple[int, list[str]]]] = WeakKeyDictionary()

#: The names of a module, the name that is replaced, the real function and the one in its place.
_REPLACED: Final[list[tuple[dict[str, Any], str, Any, Any]]] = []


def install() -> None:
    """Put ours in the place of the real ones."""
    _take_in("trio")
    for name, (_, ours) in loops.METHODS.items():
        setattr(asyncio.BaseEventLoop, name, ours)
    for module in [*_SOURCES, *_foreign_modules()]:
        names = vars(module)
        for name in _names_in(module):
            if found := _SHIMS.get(id(names.get(name))):
                names[name] = found[1]
                _REPLACED.append((names, name, *found))


def uninstall() -> None:
    """Put the real ones back, wherever ours still are."""
    for name, (real, _) in loops.METHODS.items():
        setattr(asyncio.BaseEventLoop, name, real)
    while _REPLACED:
        names, name, real, ours = _REPLACED.pop()
        if names.get(name) is ours:
            names[name] = real


def _take_in(library: str) -> None:
    """Refuse the sleep of a library that is in use, and whose loops cannot be moved."""
    module: Any = sys.modules.get(library)
    if module and module not in _SOURCES:
        _SHIMS[id(module.sleep)] = (module.sleep, loops.refusing(module.sleep, library))
        _SOURCES.append(module)


def _foreign_modules() -> list[ModuleType]:
    loaded: list[tuple[str, Any]] = list(sys.modules.items())  # whatever else packages put there
    return [
        module
        for name, module in loaded
        if isinstance(module, ModuleType) and name.partition(".")[0] not in wall.LEFT_ALONE
    ]


def _names_in(module: ModuleType) -> list[str]:
    """The names under which a module has one of the functions.

    Of installed packages they are kept, as there are a thousand modules; a suite's own may be patched by its tests.
    """
    names = vars(module)
    size, found = _LOOKED_THROUGH.get(module, (-1, []))
    if size != len(names):
        found = [name for name, value in list(names.items()) if id(value) in _SHIMS]
        if "site-packages" in str(names.get("__file__")):
            _LOOKED_THROUGH[module] = len(names), found
    return found
