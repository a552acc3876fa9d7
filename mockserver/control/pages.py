"""Pages: a list that may be long is given a part at a time, so that none keeps other clients waiting."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

#: Things on a page, unless fewer are asked for.
MAX_ON_PAGE: Final = 1_000


def page_of(
    things: Sequence[T], number: Callable[[T], int], query: Mapping[str, str]
) -> tuple[Sequence[T], int | None]:
    """Of things whose numbers rise, the page that a query asks for; and its cursor, which is None for the last page."""
    limit = int(query.get("limit", MAX_ON_PAGE))
    start = bisect_right(things, int(query.get("cursor", 0)), key=number)
    found = things[start : start + limit]
    return found, number(found[-1]) if start + limit < len(things) else None
