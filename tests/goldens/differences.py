"""Where a replay leaves its recording: one place, in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Stands for a member that is not there.
_NOTHING: Final = "(nothing)"

#: Characters of a value that are shown, and how many of them before the first that differs.
_SHOWN: Final = 160
_BEFORE: Final = 60


def differences(expected: Any, got: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each place where two JSON values differ, with what was expected there and what came."""
    match expected, got:
        case dict(), dict():
            for name in sorted({*expected, *got}):
                yield from differences(expected.get(name, _NOTHING), got.get(name, _NOTHING), f"{path}.{name}")
        case list(), list() if len(expected) == len(got):
            for number, pair in enumerate(zip(expected, got, strict=True)):
                yield from differences(*pair, f"{path}[{number}]")
        case _ if expected != got or type(expected) is not type(got):
            yield path.lstrip("."), expected, got


def told(story: str, step: int, line: Any, place: tuple[str, Any, Any], others: int) -> str:
    """A sentence about a difference, and the two values beneath it."""
    path, expected, got = place
    at = _first_difference(str(expected), str(got))
    asked = (
        " ".join(str(line["step"].get(name, "")) for name in ("do", "method", "path", "query"))
        if "step" in line
        else ""
    )
    more = f", and {others} more in this step" if others else ""
    return "\n".join(
        [
            f"story {story}, step {step} ({_cut(asked.strip() or 'its end', 0)}): {path} differs{more}",
            f"  expected {_cut(str(expected), at)}",
            f"  got      {_cut(str(got), at)}",
        ]
    )


def _first_difference(one: str, other: str) -> int:
    return next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)


def _cut(text: str, at: int) -> str:
    begin = max(0, at - _BEFORE)
    cut = text[begin : begin + _SHOWN]
    return ("... " if begin else "") + cut + (" ..." if begin + _SHOWN < len(text) else "")
