"""Mock server and contract-testing toolkit for clients of a submit-and-poll image-generation API.

`Safelight` and `__version__` are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safelight.testing import Safelight

    __version__: str

__all__ = ["Safelight", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Safelight":
        from safelight.testing import Safelight

        return Safelight
    if name == "__version__":
        from importlib.metadata import version

        return version("safelight")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
