"""What is expected of the key: where it goes, and that it is one."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.wording import counted, listed
from safelight.traffic.exchange import object_of
from safelight.traffic.expectations.equality import same
from safelight.traffic.expectations.requests import data_told, is_accepted
from safelight.traffic.expectations.unmet import UnmetExpectation, judged
from safelight.traffic.leaks import ELSEWHERE, IN_BODY, IN_QUERY, KEY_HEADERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from safelight.traffic.exchange import Exchange

#: What stands in the journal in the place of a key.
_MARK: Final = "sk-..."

#: Ways in which the API takes a key beside the headers.
_READ: Final = frozenset({IN_QUERY, IN_BODY})


@judged("key_known")
def key_known(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """Each request to the API came with a key that it knows."""
    refused = [exchange for exchange in seen if _is_unknown(exchange)]
    if not refused:
        return None
    first = refused[0]
    has_key = any(first.headers.get(name) for name in KEY_HEADERS) or "api_key" in first.target
    how = "with a key that is not known here" if has_key else "without a key"
    others = f" (the first of {len(refused)})" if len(refused) > 1 else ""
    return UnmetExpectation(f"{_what(first)} came {how}{others}", refused)


@judged("key_only_to_origin")
def key_only_to_origin(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """The key went to the API's own origin alone, wherever a redirect or a result has led."""
    found = [exchange for exchange in seen if ELSEWHERE in exchange.leaks]
    if not found:
        return None
    times = counted(len(found), "request")
    return UnmetExpectation(
        f"the client took its key to another origin, with {_what(found[0])} ({times}): the key belongs to the origin "
        "of the API alone, also after a redirect",
        found,
    )


@judged("key_only_where_read")
def key_only_where_read(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """The key stood only where the API reads one, and not in another place, however encoded."""
    return _misplaced(seen, allowed=_READ)


def key_only_in_headers(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """The key stood in the headers for it alone: URLs, bodies and other headers end up in logs."""
    return _misplaced(seen, allowed=())


def _misplaced(seen: Iterable[Exchange], *, allowed: Collection[str]) -> UnmetExpectation | None:
    for exchange in seen:
        places = [place for place in exchange.leaks if place not in allowed and place != ELSEWHERE]
        if not places and not allowed:
            places = _marked(exchange)
        if places:
            return UnmetExpectation(
                f"a key stands in {listed(places)} of {_what(exchange)}; it belongs in the header x-api-key or "
                "Authorization: Bearer",
                [exchange],
            )
    return None


def _marked(exchange: Exchange) -> list[str]:
    """Where what looks like somebody's key was taken out."""
    places = {"the URL": _MARK in exchange.target, "the body": _MARK.encode() in exchange.body}
    return [place for place, is_marked in places.items() if is_marked]


@judged("submitted_under_one_key")
def submitted_under_one_key(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """A submit that was accepted, and whose answer was lost, was not sent again under another key."""
    lost: list[Exchange] = []
    for exchange in filter(is_accepted, seen):
        twin = next((one for one in lost if one.key != exchange.key and _is_same_submit(one, exchange)), None)
        if twin and exchange.key:
            return UnmetExpectation(
                "the client submitted the same request again under another key: the first was accepted too, and both "
                "are paid for",
                [twin, exchange],
            )
        if exchange.key and data_told(exchange).get("id") != exchange.task_id:
            lost.append(exchange)
    return None


def _is_same_submit(one: Exchange, other: Exchange) -> bool:
    return one.operation == other.operation and same(_parameters(one), _parameters(other))


def _parameters(submit: Exchange) -> Mapping[str, Any]:
    return {name: value for name, value in object_of(submit.body).items() if name != "api_key"}


def _is_unknown(exchange: Exchange) -> bool:
    """The API refused the key, of its own accord, and it is none that was revoked."""
    is_refused = exchange.status == HTTPStatus.UNAUTHORIZED and not exchange.fault
    return is_refused and not exchange.key and not exchange.is_at_second_origin


def _what(exchange: Exchange) -> str:
    return f"{exchange.method} {exchange.operation or exchange.target}"
