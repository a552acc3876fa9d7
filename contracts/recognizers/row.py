"""A row of the tables: something that people send in the place of what is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Recognizer(NamedTuple):
    """What it is, how it is seen, and what to send instead."""

    #: With its article: what follows "it is".
    what: str
    sees: Callable[[Any], object]
    #: What follows "send".
    send: str
