"""What is expected of the ids that a client sends: they go back as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from safelight.contracts.wording import counted, nearest, shown
from safelight.traffic.exchange import object_of
from safelight.traffic.expectations.requests import is_submit, polled_id
from safelight.traffic.expectations.unmet import UnmetExpectation, judged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from safelight.traffic.exchange import Exchange

#: What languages write where there is no value.
_NO_VALUES: Final = frozenset({"null", "none", "undefined", "nil", "nan", "nothing", "<nil>", "[object object]"})

#: Characters of an id that is read as a number.
_MAX_NUMBER_CHARACTERS: Final = 300


@judged("only_issued_ids")
def only_issued_ids(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """No task was asked for by an id that no answer had given, such as `null`, `undefined` or a rounded number."""
    exchanges = list(seen)
    issued = dict.fromkeys(task_id for exchange in exchanges for task_id in _told(exchange))
    wrong = [exchange for exchange in exchanges if (asked := _asked(exchange)) and asked not in issued]
    if not wrong:
        return None
    asked = _asked(wrong[0])
    times = counted(sum(_asked(exchange) == asked for exchange in wrong), "request")
    sentence = f"the client asked for task {shown(asked)}, an id that was never issued ({times})"
    return UnmetExpectation(f"{sentence}{_near(asked, issued)}", wrong)


def _asked(exchange: Exchange) -> str:
    """The id that a request asks for: of a poll, or of a file."""
    return polled_id(exchange) or (_stem(exchange.target.partition("?")[0]) if exchange.operation == "upload" else "")


def _stem(path: str) -> str:
    """The name of a file without what tells its kind."""
    return unquote(path.rpartition("/")[2].rpartition(".")[0])


def _told(exchange: Exchange) -> Iterator[str]:
    """The ids that an exchange gives a client, also a spoiled one, and also where the answer was lost."""
    if exchange.task_id and is_submit(exchange):
        yield exchange.task_id
    match object_of(exchange.answer).get("data"):
        case {"id": task_id, **rest}:
            yield from _id(task_id)
            yield from _of_result(rest.get("result"))
        case {"result": result}:
            yield from _of_result(result)


def _id(value: Any) -> Iterator[str]:
    if isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


def _of_result(result: Any) -> Iterator[str]:
    """The names of the files in a result: their ids."""
    for url in result.values() if isinstance(result, dict) else ():
        if isinstance(url, str):
            yield _stem(url.partition("?")[0])


def _near(asked: str, issued: Collection[str]) -> str:
    """Which id was meant, or what the wrong one is."""
    if asked.casefold() in _NO_VALUES:
        return ": that is how a language writes that there is no value"
    if number := next((one for one in issued if _is_same_number(one, asked)), None):
        return f"; {shown(number)} was, which is the same number once it is read as one: an id is a text"
    if whole := next((one for one in issued if asked and one.startswith(asked)), None):
        return f"; {shown(whole)} was, which begins so: it has to be percent-encoded in a URL"
    near = nearest(asked, issued)
    return f"; {shown(near)} was" if near else ""


def _is_same_number(one: str, other: str) -> bool:
    try:
        return max(len(one), len(other)) <= _MAX_NUMBER_CHARACTERS and float(one) == float(other)
    except ValueError:
        return False
