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

    def after(cursor: int, most: int) -> Sequence[T]:
        start = bisect_right(things, cursor, key=number)
        return things[start : start + most]

    return page_after(after, number, query)


def page_after(
    after: Callable[[int, int], Sequence[T]], number: Callable[[T], int], query: Mapping[str, str]
) -> tuple[Sequence[T], int | None]:
    """The same of things that are found by the number that they come after, and by how many are wanted."""
    limit = int(query.get("limit", MAX_ON_PAGE))
    found = after(int(query.get("cursor", 0)), limit + 1)
    return found[:limit], number(found[limit - 1]) if len(found) > limit else None
