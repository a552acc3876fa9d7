"""Mock server and contract-testing toolkit for clients of a submit-and-poll image-generation API.

What stands here is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safelight.testing import Safelight
    from safelight.traffic.expectations import UnmetExpectation

    __version__: str

__all__ = ["Safelight", "UnmetExpectation", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Safelight":
        from safelight.testing import Safelight

        return Safelight
    if name == "UnmetExpectation":
        from safelight.traffic.expectations import UnmetExpectation

        return UnmetExpectation
    if name == "__version__":
        from importlib.metadata import version

        return version("safelight")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
