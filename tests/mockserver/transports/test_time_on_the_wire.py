"""What takes time takes it through every way in: the client sees the same, and so do the journal and the plan."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, Final, NamedTuple

import httpx
import httpx2
import pytest
import requests

from safelight.testing.backends.shared_server import SharedServer
from safelight.testing.factory import key_of, open_server, shared_backend
from safelight.testing.safelight import Safelight
from sentences import CheckSentence

#: Seconds that are as good as for ever.
LONG: Final = 30.0


class Row(NamedTuple):
    """A fault, the client's read time-out, what the client sees, and the seconds that this takes."""

    fault: str
    patience: float | None
    seen: int | str
    seconds: float


#: What takes time, and time-outs that are longer, shorter, and none.
ROWS: Final = [
    Row("hang 1", 5, 200, 1),
    Row("hang 1", 0.5, "ReadTimeout", 0.5),
    Row("hang 1", None, 200, 1),
    Row("hang", 5, "ReadTimeout", 5),
    Row("stall", 5, "ReadTimeout", 5),
    # A piece each 0.05 s, and all of it later than the time-out.
    Row("drip 300", 0.5, 200, 1),
    Row("drip 300", None, 200, 1),
    Row("drip 0.5", 0.5, "ReadTimeout", 0.5),
    Row("drip 0.5", 3, 200, 600),
    Row("cut", 5, "ReadError", 0),
    Row("length", 5, "RemoteProtocolError", 0),
]

#: The same in the wall's time, where it is short.
WALL_ROWS: Final = [
    Row("hang 0.2", LONG, 200, 0.2),
    Row("hang 0.2", None, 200, 0.2),
    Row(f"hang {LONG}", 0.1, "ReadTimeout", 0.1),
    Row("hang", 0.1, "ReadTimeout", 0.1),
    Row("stall", 0.1, "ReadTimeout", 0.1),
    Row("drip 1000", LONG, 200, 0.3),
    Row("drip 0.01", 0.1, "ReadTimeout", 0.1),
]

#: Asks for the balance with this time-out; gives the status, or the name of the error.
Ask = Callable[[Safelight, float | None], int | str]


def _timeout(library: Any, patience: float | None) -> Any:
    """The others are short: nothing of them takes time."""
    return library.Timeout(0.5, read=patience, connect=None)


def _with(library: Any, way: str) -> Ask:
    def ask(api: Safelight, patience: float | None) -> int | str:
        options = {"transport": api.transport(library)} if way == "transport" else {}
        url, headers = asked(api)
        with (
            api.respx if way == "respx" else nullcontext(),
            library.Client(timeout=_timeout(library, patience), trust_env=False, **options) as http,
        ):
            try:
                return int(http.get(url, headers=headers).status_code)
            except library.TransportError as error:
                return type(error).__name__

    return ask


def _with_async(library: Any, way: str) -> Ask:
    async def answered(api: Safelight, patience: float | None) -> int | str:
        makes: Mapping[str, Callable[[], Any]] = {
            "transport": lambda: api.transport(library),
            "ASGI": lambda: library.ASGITransport(api.asgi),
        }
        options = {"transport": makes[way]()} if way in makes else {}
        url, headers = asked(api)
        async with library.AsyncClient(timeout=_timeout(library, patience), trust_env=False, **options) as http:
            try:
                return int((await http.get(url, headers=headers)).status_code)
            except (library.TransportError, ConnectionResetError) as error:
                return type(error).__name__

    def ask(api: Safelight, patience: float | None) -> int | str:
        with api.respx if way == "respx" else nullcontext():
            return asyncio.run(answered(api, patience))

    return ask


def _with_requests(api: Safelight, patience: float | None) -> int | str:
    url, headers = asked(api)
    try:
        return requests.get(url, headers=headers, timeout=(5, patience)).status_code
    except requests.exceptions.ReadTimeout as error:
        return type(error).__name__
    except requests.ConnectionError as error:  # what it says of a time-out within the body
        return "ReadTimeout" if "timed out" in str(error) else type(error).__name__


def asked(api: Safelight) -> tuple[str, dict[str, str]]:
    return f"{api.url}?endpoint=user_balance", {"x-api-key": api.api_key}


#: The ways in whose clients can have virtual time: all but those that wait in the system.
VIRTUAL: Final[Mapping[str, Ask]] = {
    "socket, httpx async": _with_async(httpx, "socket"),
    "socket, httpx2 async": _with_async(httpx2, "socket"),
    "respx, httpx": _with(httpx, "respx"),
    "respx, httpx async": _with_async(httpx, "respx"),
    "transport, httpx": _with(httpx, "transport"),
    "transport, httpx async": _with_async(httpx, "transport"),
    "transport, httpx2": _with(httpx2, "transport"),
    "transport, httpx2 async": _with_async(httpx2, "transport"),
}

ALL: Final[Mapping[str, Ask]] = {
    **VIRTUAL,
    "socket, httpx": _with(httpx, "socket"),
    "socket, requests": _with_requests,
}


@pytest.fixture(scope="module")
def server() -> Iterator[SharedServer]:
    with open_server() as opened:
        yield opened


@contextmanager
def session(server: SharedServer, **options: Any) -> Iterator[Safelight]:
    with shared_backend(server, key_of("time"), options) as backend:
        yield Safelight(backend=backend)


def check(api: Safelight, ask: Ask, row: Row) -> None:
    """The client sees it, the plan has it delivered, and the journal has it with what was done to the wire."""
    api.plan.add(f"balance: {row.fault}")
    assert ask(api, row.patience) == row.seen
    [(rule, struck, delivered)] = api.plan.counts()
    assert (struck, delivered) == (1, 1)
    api.assert_plan_delivered()
    [exchange] = api.journal
    name, *setting = row.fault.split()
    # Of a client that has left an answer which was only late, a server hears a moment later.
    wires = {name} if not setting else {""} if row.seen != "ReadTimeout" else {"", name}
    assert exchange.fault == str(rule)
    assert exchange.wire in wires


@pytest.mark.parametrize("way", VIRTUAL)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_on_virtual_time(server: SharedServer, way: str, row: Row) -> None:
    with session(server, virtual_time=True) as api:
        check(api, VIRTUAL[way], row)
        assert api.clock.now() == pytest.approx(row.seconds, rel=0.2)


@pytest.mark.parametrize("way", ALL)
@pytest.mark.parametrize("row", WALL_ROWS, ids=str)
def test_in_real_time(server: SharedServer, way: str, row: Row) -> None:
    with session(server, virtual_time=False) as api:
        check(api, ALL[way], row)


@pytest.mark.parametrize(
    "row",
    [
        Row("hang 1", 0.5, 200, 1),
        Row("drip 300", 0.5, 200, 1),
        Row("idle", 5, 200, 0),
        Row("hang", 5, "AnswerLost", 0),
        Row("stall", 5, "AnswerLost", 0),
        Row("cut", 5, "AnswerLost", 0),
    ],
    ids=str,
)
def test_an_asgi_caller_is_given_no_time_out_and_waits(server: SharedServer, row: Row) -> None:
    """httpx hands none to an application; what never comes is an error at once."""
    with session(server, virtual_time=True) as api:
        api.plan.add(f"balance: {row.fault}")
        assert _with_async(httpx, "ASGI")(api, row.patience) == row.seen
        assert api.clock.now() == pytest.approx(row.seconds, rel=0.2)
        assert api.plan.undelivered() == []


@pytest.mark.parametrize("way", ["respx", "transport"])
def test_who_waits_for_ever_on_virtual_time_is_told(
    server: SharedServer, way: str, check_sentence: CheckSentence
) -> None:
    with session(server, virtual_time=True) as api:
        api.plan.add("balance: hang")
        with pytest.raises(pytest.fail.Exception) as told:
            _with(httpx, way)(api, None)
        check_sentence(str(told.value))
        assert api.failure == str(told.value)


@pytest.mark.parametrize("way", ["socket", "respx", "transport"])
def test_a_deadline_around_the_call_ends_a_hang(server: SharedServer, way: str) -> None:
    async def bounded(api: Safelight) -> None:
        url, headers = asked(api)
        options = {"transport": api.transport(httpx)} if way == "transport" else {}
        async with httpx.AsyncClient(timeout=None, trust_env=False, **options) as http, asyncio.timeout(7):
            await http.get(url, headers=headers)

    with session(server, virtual_time=True) as api:
        api.plan.add("balance: hang")
        with pytest.raises(TimeoutError), api.respx if way == "respx" else nullcontext():
            asyncio.run(bounded(api))
        assert api.clock.now() == 7
        assert api.plan.undelivered() == []


@pytest.mark.parametrize("way", ["socket", "respx", "transport"])
def test_a_client_that_streams_has_the_head_before_the_body_stalls(server: SharedServer, way: str) -> None:
    with session(server, virtual_time=False) as api:
        api.plan.add("balance: stall")
        url, headers = asked(api)
        options = {"transport": api.transport(httpx)} if way == "transport" else {}
        with (
            api.respx if way == "respx" else nullcontext(),
            httpx.Client(timeout=_timeout(httpx, 0.1), trust_env=False, **options) as http,
            http.stream("GET", url, headers=headers) as answer,
        ):
            assert answer.status_code == 200
            came = answer.iter_raw()
            assert 0 < len(next(came)) < int(answer.headers["content-length"])
            with pytest.raises(httpx.ReadTimeout):
                next(came)


@pytest.mark.parametrize("way", ["socket", "respx", "transport"])
@pytest.mark.parametrize("fault", ["drip 0.5", "huge 64", "stall"])
def test_a_client_that_leaves_in_the_middle_has_had_the_fault(server: SharedServer, way: str, fault: str) -> None:
    with session(server, virtual_time=way != "socket") as api:
        url, headers = asked(api)
        api.plan.add(f"balance: {fault}")
        options = {"transport": api.transport(httpx)} if way == "transport" else {}
        with (
            api.respx if way == "respx" else nullcontext(),
            httpx.Client(
                timeout=_timeout(httpx, LONG if fault == "huge 64" else 0.1), trust_env=False, **options
            ) as http,
            suppress(httpx.ReadTimeout),
            http.stream("GET", url, headers=headers) as answer,
        ):
            answer.read() if fault == "stall" else next(answer.iter_raw())
        assert api.plan.undelivered() == []
