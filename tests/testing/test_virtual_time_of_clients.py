"""Virtual time of clients: a minute passes at once, no poll is overtaken, and what would never end is stopped."""

import asyncio
import re
import socket
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from math import inf
from typing import Any, Final

import aiohttp
import httpx
import pytest

from idle_fake import IdleFake
from safelight.contracts import Phase
from safelight.mockserver.model.clock import RealClock, VirtualClock
from safelight.mockserver.model.real_time import WALL
from safelight.testing.safelight import Safelight
from safelight.testing.virtual_time import virtual_time
from safelight.testing.virtual_time.loops import Jumping
from safelight.traffic.expectations import UnmetExpectation

#: Seconds of the wall that are too many: whoever takes them has waited.
LONG: Final = 20.0


def with_httpx(api: Safelight) -> float:
    begun = time.monotonic()
    with httpx.Client(headers={"x-api-key": api.api_key}) as http:
        task = http.post(f"{api.url}?endpoint=image_generation", json={"prompt": "a lamp"}).json()["data"]
        query = {"endpoint": "task_status", "task_id": task["id"]}
        while http.get(api.url, params=query).json()["data"]["status"] != "completed":
            time.sleep(3)
    return time.monotonic() - begun


async def polled_with_httpx(api: Safelight) -> float:
    begun = time.monotonic()
    async with httpx.AsyncClient(headers={"x-api-key": api.api_key}) as http:
        answer = await http.post(f"{api.url}?endpoint=image_generation", json={"prompt": "a lamp"})
        query = {"endpoint": "task_status", "task_id": answer.json()["data"]["id"]}
        while (await http.get(api.url, params=query)).json()["data"]["status"] != "completed":  # noqa: ASYNC110 - so they are
            await asyncio.sleep(3)
    return time.monotonic() - begun


async def polled_with_aiohttp(api: Safelight) -> float:
    begun = asyncio.get_running_loop().time()
    async with aiohttp.ClientSession(headers={"x-api-key": api.api_key}) as http:
        async with http.post(f"{api.url}?endpoint=image_generation", json={"prompt": "a lamp"}) as answer:
            query = {"endpoint": "task_status", "task_id": (await answer.json())["data"]["id"]}
        word = ""
        while word != "completed":
            await asyncio.sleep(3)
            async with http.get(api.url, params=query) as answer:
                word = (await answer.json())["data"]["status"]
    return asyncio.get_running_loop().time() - begun


async def several(api: Safelight) -> float:
    clients = [*(polled_with_httpx(api) for _ in range(5)), polled_with_aiohttp(api), polled_with_aiohttp(api)]
    return max(await asyncio.gather(*clients))


CLIENTS: Final[dict[str, Callable[[Safelight], float]]] = {
    "httpx": with_httpx,
    "httpx async": lambda api: asyncio.run(polled_with_httpx(api)),
    "aiohttp": lambda api: asyncio.run(polled_with_aiohttp(api)),
    "seven at once": lambda api: asyncio.run(several(api)),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_minute_passes_at_once_and_no_poll_is_overtaken(client: str) -> None:
    with Safelight(queued=10, running=50, virtual_time=True) as api:
        assert CLIENTS[client](api) == api.clock.now() == 60
        gaps = [exchange.gap for exchange in api.journal if exchange.operation == "task_status"]
        assert {gap for gap in gaps if gap} == {3.0}, "each poll was answered at the time it was sent"
        assert {exchange.at % 3 for exchange in api.journal} == {0.0}


def poll_to_the_end(api: Safelight, pause: Callable[[], object] = lambda: None) -> Any:
    """A client that goes on whatever comes, until its task has ended."""
    with httpx.Client(headers={"x-api-key": api.api_key}) as http:
        task = http.post(f"{api.url}?endpoint=image_generation", json={"prompt": "a lamp"}).json()["data"]
        while True:
            with suppress(BaseException):
                answer = http.get(api.url, params={"endpoint": "task_status", "task_id": task["id"]}).json()["data"]
                if answer["status"] in ("completed", "failed"):
                    return answer
            pause()


STOOD_STILL: Final = r"^the client has sent 51 requests, and the clock stood still"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty polls are too many, however long they take."""
    monkeypatch.setattr("safelight.testing.virtual_time.thread_time.MAX_UNMOVED_POLLS", 50)
    monkeypatch.setattr("safelight.testing.virtual_time.thread_time.MAX_UNMOVED_SECONDS", inf)


def use(by: Callable[[Safelight], object], **options: Any) -> None:
    with Safelight(queued=10, virtual_time=True, **options) as api:
        by(api)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("way", ["socket", "respx"])
@pytest.mark.parametrize("running", [50, "never"])
def test_the_task_of_whoever_polls_and_does_not_wait_fails_and_so_does_the_test(way: str, running: Any) -> None:
    def client(api: Safelight) -> None:
        with api.respx if way == "respx" else nullcontext():
            assert re.match(STOOD_STILL, poll_to_the_end(api)["error"])
        assert api.clock.now() == 0

    with pytest.raises(UnmetExpectation, match=STOOD_STILL) as raised:
        use(client, running=running)
    assert re.search(r"^0\.0 +51 polls +1 +200 pending +queued", raised.value.transcript, re.MULTILINE)


@pytest.mark.usefixtures("few")
def test_each_later_task_of_theirs_fails_after_one_poll() -> None:
    def client(api: Safelight) -> None:
        for _ in range(3):
            assert poll_to_the_end(api)["status"] == "failed"
        phases = [exchange.phase for exchange in api.journal if exchange.task_id == api.tasks[-1].id]
        assert phases == [Phase.QUEUED, Phase.QUEUED, Phase.FAILED]

    with pytest.raises(UnmetExpectation, match=STOOD_STILL):
        use(client)


def test_whoever_waits_with_what_does_not_move_the_clock_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight.testing.virtual_time.thread_time.MAX_UNMOVED_SECONDS", 0.1)

    def client(api: Safelight) -> None:
        poll_to_the_end(api, lambda: WALL["sleep"](0.05))
        assert len(api.journal) < 20

    with pytest.raises(UnmetExpectation, match=r"or in another thread or process, or with something else"):
        use(client)


@pytest.mark.usefixtures("few")
def test_a_failure_of_the_block_itself_comes_first() -> None:
    def client(api: Safelight) -> None:
        raise KeyError(poll_to_the_end(api)["error"])

    with pytest.raises(KeyError):
        use(client)


def test_whoever_swallows_all_that_stops_it_ends_by_its_deadline_and_the_test_fails() -> None:
    def client(api: Safelight) -> None:
        until = time.monotonic() + 31_000
        while time.monotonic() < until:
            with suppress(BaseException):
                time.sleep(3)
        assert api.clock.now() >= 31_000

    with pytest.raises(UnmetExpectation, match=r"^the client has slept 10,001 times, 30,003 s of the clock"):
        use(client)


def test_a_clock_that_is_advanced_does_not_stand_still() -> None:
    with Safelight(queued=3_000, virtual_time=True) as api, api.respx, httpx.Client() as http:
        headers = {"x-api-key": api.api_key}
        http.post(f"{api.url}?endpoint=image_generation", headers=headers, json={"prompt": "a lamp"})
        query = {"endpoint": "task_status", "task_id": api.tasks[0].id}
        for _ in range(1_500):
            api.clock.advance(1)  # type: ignore[attr-defined]  # a virtual one
            assert http.get(api.url, headers=headers, params=query).json()["data"]["status"] == "pending"


def test_where_time_does_not_matter_it_may_stand_still() -> None:
    with Safelight(polls=(1_200, 0), virtual_time=True) as api, api.respx, httpx.Client() as http:
        headers = {"x-api-key": api.api_key}
        http.post(f"{api.url}?endpoint=image_generation", headers=headers, json={"prompt": "a lamp"})
        query = {"endpoint": "task_status", "task_id": api.tasks[0].id}
        words = [http.get(api.url, headers=headers, params=query).json()["data"]["status"] for _ in range(1_201)]
        assert words[-1] == "completed"


def test_a_server_that_has_settled_has_read_what_was_sent_to_it() -> None:
    with Safelight() as api:
        server = api._backend.in_process("server").server  # noqa: SLF001 - what a sleep asks
        address = httpx.URL(api.url)
        for _ in range(50):
            with socket.create_connection((address.host, address.port)) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                assert server.is_quiet()
                connection.setblocking(False)
                assert connection.recv(12) == b"HTTP/1.1 404"


def test_connections_to_the_fake_are_no_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, has_foreign = [], Jumping._has_foreign  # noqa: SLF001 - what decides whether a jump waits

    def look(self: Jumping) -> bool:
        seen.append(has_foreign(self))
        return seen[-1]

    monkeypatch.setattr(Jumping, "_has_foreign", look)
    with Safelight(queued=10, running=50, virtual_time=True) as api:
        asyncio.run(polled_with_aiohttp(api))
    assert len(seen) >= 20
    assert not any(seen)


def test_a_minute_passes_without_a_socket_too() -> None:
    with Safelight(queued=10, running=50, virtual_time=True) as api, api.respx:
        assert with_httpx(api) == 60
        assert asyncio.run(polled_with_httpx(api)) == 60
        assert api.clock.now() == 120


def test_an_exchange_that_is_under_way_is_not_overtaken() -> None:
    class Busy(IdleFake):
        looks = 0

        def is_quiet(self) -> bool:
            self.looks += 1
            return self.looks > 5

    naps: list[Callable[[], None]] = [lambda: time.sleep(3), lambda: asyncio.run(asyncio.sleep(3))]
    for nap in naps:
        clock, busy = VirtualClock(), Busy()
        with virtual_time(clock, busy):
            nap()
        assert (clock.now(), busy.looks) == (3, 6)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"virtual_time": True, "speed": 2}, "speed lets the wall's time run faster: leave out virtual_time"),
        ({"clock": VirtualClock(), "speed": 2}, "speed lets the wall's time run faster: leave out clock"),
        ({"clock": RealClock(), "virtual_time": True}, "virtual time moves a virtual clock: give one, or none"),
    ],
)
def test_times_that_contradict_each_other_are_refused(told: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        Safelight(**told)
    assert str(raised.value) == sentence


def test_speed_lets_the_wall_run() -> None:
    with Safelight(queued=10, running=50, speed=600) as api:
        begun = time.monotonic()
        with httpx.Client(headers={"x-api-key": api.api_key}) as http:
            task = http.post(f"{api.url}?endpoint=image_generation", json={"prompt": "a lamp"}).json()["data"]
            query = {"endpoint": "task_status", "task_id": task["id"]}
            while http.get(api.url, params=query).json()["data"]["status"] != "completed":
                pass
        assert 0.1 <= time.monotonic() - begun < LONG
