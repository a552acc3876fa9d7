"""What the settings of faults can be: each of these says nothing, or raises `ValueError` with a sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from safelight.contracts.wording import did_you_mean, either, shown

if TYPE_CHECKING:
    from collections.abc import Collection

#: What a header can carry in each of its words, quotation marks and all.
_HEADER: Final = re.compile(r"[ -~]{1,200}")

_MEDIA_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+(;[ -~]*)?", re.ASCII)

#: Answers that have no body, whatever is said of it.
_BODILESS: Final = (204, 205, 304)


def check_error(status: int) -> None:
    """It is the HTTP status of an error."""
    if not 400 <= status <= 599:  # noqa: PLR2004 - the errors of HTTP
        raise ValueError(f"{status} is no HTTP status of an error: give 400 to 599")


def check_status(status: int, *, has_body: bool = True) -> None:
    """It is the HTTP status of an answer."""
    if not 200 <= status <= 599:  # noqa: PLR2004 - what is below is said before an answer
        raise ValueError(f"{status} is no HTTP status of an answer: give 200 to 599")
    if has_body and status in _BODILESS:
        raise ValueError(f"an answer with HTTP status {status} has no body: write empty {status}")


def check_known(word: str, known: Collection[str], what: str) -> None:
    """It is one of the words that there are."""
    if word not in known:
        raise ValueError(f"{shown(word)} is no {what}{did_you_mean(word, known) or f': give {either(known)}'}")


def check_number(number: float, least: float, most: float, what: str) -> None:
    """It lies between the two, or is one of them. Nothing compares with NaN."""
    if not least <= number <= most:
        raise ValueError(f"{number:.15g} cannot be the {what}: give {least:,.15g} to {most:,.15g}")


def check_header(text: str, what: str) -> None:
    """A header can carry it."""
    if not _HEADER.fullmatch(text):
        raise ValueError(f"{shown(text)} cannot be the {what}: give 1 to 200 visible ASCII characters")


def check_media_type(text: str) -> None:
    """It is a media type."""
    if not _MEDIA_TYPE.fullmatch(text):
        raise ValueError(f"{shown(text)} is no media type: write text/plain")
