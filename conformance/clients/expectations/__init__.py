"""What cases expect of a client, by name: each is a generator that yields what it saw instead.

The decorator registers; `expectations()` imports every module of this folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from inspect import signature
from pkgutil import iter_modules
from typing import Any, Final

from safelight.contracts.wording import either

Look = Callable[..., Iterator[str]]


@dataclass(frozen=True, slots=True)
class Expectation:
    """An expectation: its name, what it expects in a sentence, and the function that looks."""

    name: str
    fact: str
    look: Look
    #: It looks at processes and files, and not only at what the fake saw.
    needs_process: bool

    def fact_with(self, given: Mapping[str, Any]) -> str:
        """The sentence, with what the expectation is given."""
        usual = {name: one.default for name, one in signature(self.look).parameters.items()}
        return self.fact.format_map({**usual, **{name: _shown(value) for name, value in given.items()}})


def _shown(value: Any) -> str:
    return either([str(one) for one in value]) if isinstance(value, list) else str(value)


_REGISTRY: Final[dict[str, Expectation]] = {}


def expectation(*, needs_process: bool = False) -> Callable[[Look], Look]:
    """Register an expectation under its name; the first line of its docstring is its documentation."""

    def register(look: Look) -> Look:
        name, fact = look.__name__, (look.__doc__ or "").partition("\n")[0]
        _REGISTRY[name] = Expectation(name, fact, look, needs_process)
        return look

    return register


@cache
def expectations() -> Mapping[str, Expectation]:
    """Name -> expectation, for every module of this folder."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return _REGISTRY
