"""Other tools that patch loops, clocks and sockets: virtual time follows them, or says at once what is in the way."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import freezegun
import pytest
import trio
import uvloop

from idle_fake import IdleFake
from safelight.mockserver.model.clock import VirtualClock
from safelight.testing.virtual_time import virtual_time
from suites import ALONE, WITH_ASYNCIO, run, suite


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    """The clock that this test's sleeps move."""
    clock = VirtualClock()
    with virtual_time(clock, IdleFake()):
        yield clock


async def nap(seconds: float) -> float:
    """How long a sleep took, by the loop's own time."""
    begun = asyncio.get_running_loop().time()
    await asyncio.sleep(seconds)
    return asyncio.get_running_loop().time() - begun


@pytest.mark.parametrize("tick", [False, True])
@pytest.mark.parametrize("real_asyncio", [False, True])
def test_a_loop_moves_while_freezegun_holds_the_time(clock: VirtualClock, *, tick: bool, real_asyncio: bool) -> None:
    with freezegun.freeze_time("2024-01-01", tick=tick, real_asyncio=real_asyncio):
        assert asyncio.run(nap(600)) == 600
    assert clock.now() == 600


@pytest.mark.parametrize("tick", [False, True])
def test_so_it_does_where_it_was_held_before(*, tick: bool) -> None:
    clock = VirtualClock()
    with freezegun.freeze_time("2024-01-01", tick=tick), virtual_time(clock, IdleFake()):
        assert asyncio.run(nap(600)) == 600
        time.sleep(5)
    assert clock.now() == 605
    assert asyncio.run(nap(0.01)) < 20


def test_it_may_be_held_and_let_go_within_a_loop(clock: VirtualClock) -> None:
    async def naps() -> list[float]:
        taken = [await nap(5)]
        with freezegun.freeze_time("2024-01-01"):
            taken.append(await nap(6))
        return [*taken, await nap(7)]

    assert asyncio.run(naps()) == [5, 6, 7]
    assert clock.now() == 18


def test_a_client_that_sleeps_for_ever_is_told_who_holds_its_deadline(clock: VirtualClock) -> None:
    def client() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            time.sleep(3)

    with freezegun.freeze_time("2024-01-01"), pytest.raises(pytest.fail.Exception) as raised:
        client()
    sentence = "freezegun lets time stand still, so that no deadline comes; give it tick=True"
    assert str(raised.value).endswith(f"and goes on: {sentence}")
    assert clock.now() > 30_000


def test_a_loop_that_only_seems_to_be_asyncios_is_found_out_by_its_first_sleep(clock: VirtualClock) -> None:
    class Own(asyncio.SelectorEventLoop):
        """A loop that keeps time in its own way, as that of a graphical interface does."""

        def call_later(self, _: float, callback: Any, *args: Any, **__: Any) -> Any:  # type: ignore[override]
            return self.call_soon(callback, *args)

    with asyncio.Runner(loop_factory=Own) as runner, pytest.raises(pytest.fail.Exception, match=r"a loop of "):
        runner.run(asyncio.sleep(5))
    assert clock.now() == 0


def test_whoever_swallows_what_a_loop_is_refused_with_fails_all_the_same() -> None:
    async def swallow() -> None:
        with suppress(BaseException):
            await asyncio.sleep(1)

    async def swallow_in_trio() -> None:
        with suppress(BaseException):
            await trio.sleep(1)

    with virtual_time(VirtualClock(), IdleFake()) as its, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(swallow())
        assert its.failure.startswith("virtual time cannot move a loop of uvloop: ")
    with virtual_time(VirtualClock(), IdleFake()) as its:
        trio.run(swallow_in_trio)
        assert its.failure.startswith("virtual time cannot move a loop of trio: ")


# --- in suites -------------------------------------------------------------------------------------------------------

NESTED = """
import asyncio
import nest_asyncio2

@pytest.mark.safelight(queued=10)
def test_within(safelight):
    async def patched():
        nest_asyncio2.apply()
        await asyncio.sleep(5)
        asyncio.get_running_loop().run_until_complete(asyncio.sleep(6))

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(patched())
    loop.close()
    assert safelight.clock.now() == 11

@pytest.mark.safelight(queued=10)
def test_before(safelight):
    asyncio.set_event_loop(loop := asyncio.new_event_loop())
    asyncio.run(asyncio.sleep(600))
    loop.close()
    assert safelight.clock.now() == 600
"""


def test_a_loop_that_nest_asyncio_patched_moves(pytester: pytest.Pytester) -> None:
    suite(pytester, NESTED)
    # In a process of its own, as nobody undoes what nest_asyncio does.
    pytester.runpytest_subprocess(*ALONE, timeout=60).assert_outcomes(passed=2)


def test_an_asynchronous_client_whose_dates_are_frozen_waits_in_no_time(pytester: pytest.Pytester) -> None:
    tests = """
        import asyncio
        from freezegun import freeze_time

        @pytest.mark.asyncio
        @pytest.mark.parametrize("tick", [False, True])
        @pytest.mark.safelight(queued=2, running=30)
        async def test(safelight, tick):
            with freeze_time("2024-01-01", tick=tick):
                async with httpx.AsyncClient(headers={"x-api-key": safelight.api_key}, verify=False) as http:
                    query = {"endpoint": "image_generation"}
                    answer = await http.post(safelight.url, params=query, json={"prompt": "a lamp"})
                    query = {"endpoint": "task_status", "task_id": answer.json()["data"]["id"]}
                    while (await http.get(safelight.url, params=query)).json()["data"]["status"] != "completed":
                        await asyncio.sleep(3)
            assert safelight.clock.now() == 33
    """
    suite(pytester, tests)
    pytester.runpytest_inprocess(*WITH_ASYNCIO).assert_outcomes(passed=2)


WITHOUT_SOCKETS = """
import asyncio

def test_respx(safelight):
    with safelight.respx:
        assert words(safelight) == ["pending", "processing", "completed"]

def test_transport(safelight):
    with httpx.Client(transport=safelight.transport(httpx), headers={"x-api-key": safelight.api_key}) as http:
        assert http.get(safelight.url, params={"endpoint": "user_balance"}).status_code == 200

@pytest.mark.anyio
async def test_asgi(safelight):
    transport = httpx.ASGITransport(safelight.asgi)
    async with httpx.AsyncClient(transport=transport, headers={"x-api-key": safelight.api_key}) as http:
        assert (await http.get(safelight.url, params={"endpoint": "user_balance"})).status_code == 200
        await asyncio.sleep(60)

@pytest.fixture
def anyio_backend():
    return "asyncio"

def test_factory(safelight_factory):
    with safelight_factory(queued=5) as api, api.respx:
        assert words(api)[0] == "pending"
"""


def test_what_needs_no_socket_opens_none(pytester: pytest.Pytester) -> None:
    run(pytester, WITHOUT_SOCKETS, "--disable-socket", "--allow-unix-socket", "-W", "error").assert_outcomes(passed=4)


def test_who_needs_one_is_refused_in_the_words_of_who_forbids_it(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test(safelight):\n    submit(safelight)\n", "--disable-socket")
    assert result.parseoutcomes()["failed"] == 1
    assert any("A test tried to use socket." in line for line in result.outlines)


def test_sockets_to_this_machine_may_be_allowed_alone(pytester: pytest.Pytester) -> None:
    tests = """
        def test(safelight):
            assert words(safelight) == ["pending", "processing", "completed"]

        @pytest.mark.disable_socket
        def test_disabled(safelight):
            with safelight.respx:
                assert words(safelight)[0] == "pending"

        def test_again(safelight):
            assert words(safelight)[0] == "pending"
    """
    run(pytester, tests, "--allow-hosts=127.0.0.1").assert_outcomes(passed=3)


# --- waiting on each axis --------------------------------------------------------------------------------------------

WAITS = """
import time

def wait(api):
    task_id = submit(api)
    while poll(api, task_id)["status"] not in ("completed", "failed"):
        time.sleep(300)

def test_by_default(safelight):
    wait(safelight)
    assert safelight.clock.now() == 600

@pytest.mark.safelight(polls=(2, 2))
def test_polls(safelight):
    wait(safelight)
    assert safelight.clock.now() == 1200

@pytest.mark.safelight(ticks=(1, 1))
def test_ticks(safelight):
    task_id = submit(safelight)
    for _ in range(2):
        time.sleep(300)
        safelight.release(task_id)
    assert poll(safelight, task_id)["status"] == "completed"

@pytest.mark.safelight(workflows={"rr3": {"running": 600}})
def test_another_workflow(safelight):
    wait(safelight)

def test_next(safelight):
    safelight.timeline(("queued", 2), "done", axis="polls")
    wait(safelight)
    assert safelight.clock.now() == 600

def test_factory(safelight_factory):
    with safelight_factory(polls=(3, 0)) as api:
        wait(api)
        assert api.clock.now() == 900
"""


def test_whoever_waits_waits_in_no_time_on_each_axis(pytester: pytest.Pytester) -> None:
    run(pytester, WAITS).assert_outcomes(passed=6)
