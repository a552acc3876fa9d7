"""Bad clients, each with one mistake, and the cases that are about it."""

from collections.abc import Callable
from typing import Final

from liars.clients.client import Client

#: Name -> bad client.
LIARS: Final[dict[str, type[Client]]] = {}

#: Name -> the cases that are about its mistake.
ABOUT: Final[dict[str, tuple[str, ...]]] = {}


def liar(*cases: str) -> Callable[[type[Client]], type[Client]]:
    """Register a bad client; its docstring says its mistake."""

    def register(made: type[Client]) -> type[Client]:
        name = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in made.__name__).strip("-")
        LIARS[name], ABOUT[name] = made, cases
        return made

    return register
