"""Rules of a plan as texts in a list: one that is wrong is named by its place in the list, and within its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.contracts.wording import shown
from safelight.mockserver.faults.rules import FaultRule, WrongRule, read_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def read(texts: Iterable[str], name: str) -> tuple[FaultRule, ...]:
    """The rules; `name` is the member that they stand in. Raises `ValueError` with place and reason."""
    return tuple(_read(texts, name))


def _read(texts: Iterable[str], name: str) -> Iterator[FaultRule]:
    for number, text in enumerate(texts):
        try:
            yield read_rule(text)
        except WrongRule as wrong:
            where = f"{name}.{number}, column {wrong.at + 1} of {shown(text)}"
            raise ValueError(f"{where}: {wrong.reason}") from None
