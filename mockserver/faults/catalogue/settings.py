"""What the settings of faults can be: each function here makes a field with a check, which words what is wrong."""

import json
import re
from collections.abc import Callable, Collection
from dataclasses import field
from typing import Any, Final, Self

from safelight.contracts.wording import did_you_mean, either, shown

#: From a value and the name of its setting to what is wrong with it, or nothing.
Check = Callable[[Any, str], str]

#: What a header can carry in each of its words, quotation marks and all.
_HEADER: Final = re.compile(r"[ -~]{1,200}")

_MEDIA_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+(;[ -~]*)?", re.ASCII)
#: Answers that have no body, whatever is said of it.
_BODILESS: Final = (204, 205, 304)


def setting(default: Any, check: Check) -> Any:
    """A field of a fault with this default; the decorator `fault` has every value checked."""
    return field(default=default, metadata={"check": check})


class Json(str):
    """A JSON value as it is written. A text that is none, and does not begin like one, is that text as a string."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raises `ValueError` where the text begins like JSON, and is none."""
        is_json = _is_json(text)
        if not is_json and text.startswith(("{", "[", '"')):
            raise ValueError(text)
        return super().__new__(cls, text.strip() if is_json else json.dumps(text, ensure_ascii=False))


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _no_constant(name: str) -> None:
    """NaN is no JSON."""
    raise ValueError(name)


#: Names, each within what the name before it means.
_PATH: Final = re.compile(r"[^\s.\"']+(\.[^\s.\"']+)*")


def path(default: str) -> Any:
    """Where a field is in an answer: `data.status`; a fault without a default can do without."""

    def check(path: str, _: str) -> str:
        is_path = _PATH.fullmatch(path) or path == default == ""
        return "" if is_path else f"{shown(path)} is no path: write data.status"

    return setting(default, check)


def text(default: str) -> Any:
    """Any text, blanks and all, although other settings follow."""
    return field(default=default, metadata={"has_blanks": True})


def error_status(default: int) -> Any:
    """An HTTP status of an error."""
    wrong = "{} is no HTTP status of an error: give 400 to 599"
    return setting(default, lambda status, _: "" if 400 <= status <= 599 else wrong.format(status))  # noqa: PLR2004


def status(default: int, *, has_body: bool = True) -> Any:
    """An HTTP status of an answer."""

    def check(status: int, _: str) -> str:
        if not 200 <= status <= 599:  # noqa: PLR2004 - what is below is said before an answer
            return f"{status} is no HTTP status of an answer: give 200 to 599"
        is_wrong = has_body and status in _BODILESS
        return f"an answer with HTTP status {status} has no body: write empty {status}" if is_wrong else ""

    return setting(default, check)


def choice(default: Any, known: Collection[str], what: str) -> Any:
    """One of the words that there are."""

    def check(value: Any, _: str) -> str:
        word = str(value)
        hint = did_you_mean(word, known) or f": give {either(known)}"
        return "" if word in known else f"{shown(word)} is no {what}{hint}"

    return setting(default, check)


def number(default: float, least: float, most: float) -> Any:
    """A number from `least` to `most`. Nothing compares with NaN."""
    wrong = f"{{:.15g}} cannot be the {{}}: give {least:,.15g} to {most:,.15g}"
    return setting(default, lambda value, name: "" if least <= value <= most else wrong.format(value, name))


def header(default: str, name: str) -> Any:
    """A text that a header can carry."""
    wrong = f"{{}} cannot be the value of {name}: give 1 to 200 visible ASCII characters"
    return setting(default, lambda text, _: "" if _HEADER.fullmatch(text) else wrong.format(shown(text)))


def media_type(default: str) -> Any:
    """A media type, with parameters or without."""
    wrong = "{} is no media type: write text/plain"
    return setting(default, lambda text, _: "" if _MEDIA_TYPE.fullmatch(text) else wrong.format(shown(text)))
