"""One date for the client and for the fake: whatever tells it agrees with `time.time`, and nothing else changes."""

import datetime as dt
import pickle
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from email.utils import formatdate, localtime, parsedate_to_datetime
from http.cookiejar import Cookie
from threading import Thread
from typing import Any, Final

import backoff
import freezegun
import httpx
import pytest
import requests
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from idle_fake import IdleFake
from safelight.mockserver.model.clock import AdjustableClock, RealClock, VirtualClock
from safelight.testing.safelight import Safelight
from safelight.testing.virtual_time import virtual_time

YEAR: Final = 365 * 86_400.0


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    """The clock that this test's sleeps move."""
    clock = VirtualClock()
    with virtual_time(clock, IdleFake()):
        yield clock


class Day(datetime):
    """A user's own kind of date."""


#: What tells the date -> that in seconds since the epoch.
TELLERS: Final[dict[str, Callable[[], float]]] = {
    "datetime.now": lambda: datetime.now().timestamp(),  # noqa: DTZ005 - as clients have it
    "datetime.now with a zone": lambda: datetime.now(UTC).timestamp(),
    "datetime.utcnow": lambda: datetime.utcnow().replace(tzinfo=UTC).timestamp(),  # noqa: DTZ003 - as above
    "datetime.today": lambda: datetime.today().timestamp(),  # noqa: DTZ002 - as above
    "a subclass": lambda: Day.now(UTC).timestamp(),
    "by the module": lambda: dt.datetime.now(dt.UTC).timestamp(),
    "time_ns": lambda: time.time_ns() / 1e9,
    "gmtime": lambda: datetime(*time.gmtime()[:6], tzinfo=UTC).timestamp(),
    "localtime": lambda: time.mktime(time.localtime()),
    "ctime": lambda: time.mktime(time.strptime(time.ctime())),
    "asctime": lambda: time.mktime(time.strptime(time.asctime())),
    "strftime": lambda: float(time.strftime("%s")),
    "formatdate": lambda: parsedate_to_datetime(formatdate()).timestamp(),
    "email.utils.localtime": lambda: localtime().timestamp(),
}


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
@pytest.mark.parametrize("name", TELLERS)
def test_whatever_tells_the_date_agrees_with_time_time(clock: VirtualClock, name: str) -> None:
    tell = TELLERS[name]
    assert tell() == time.time()
    time.sleep(YEAR)
    assert tell() == time.time()
    assert clock.now() == YEAR


def test_the_day_is_that_of_the_clock(clock: VirtualClock) -> None:
    time.sleep(YEAR)
    assert date.today() == date.fromtimestamp(time.time())  # noqa: DTZ011, DTZ012 - as clients have it
    assert type(date.today()) is date  # noqa: DTZ011 - as above
    assert clock.now() == YEAR


@given(st.floats(0, 4e9))
def test_a_date_that_is_given_stays_what_it_is(seconds: float) -> None:
    before = time.gmtime(seconds), time.ctime(seconds), time.strftime("%c", time.gmtime(seconds))
    with virtual_time(VirtualClock(), IdleFake()):
        assert before == (time.gmtime(seconds), time.ctime(seconds), time.strftime("%c", time.gmtime(seconds)))


@pytest.mark.usefixtures("clock")
def test_a_date_is_of_the_type_that_it_always_was() -> None:
    class Task(BaseModel):
        at: datetime

    class Mine(datetime):
        pass

    now = datetime.now(UTC)
    assert type(now) is datetime
    assert isinstance(Mine.now(), datetime)
    assert type(Mine.now()) is Mine
    assert pickle.loads(pickle.dumps(now)) == now
    assert type(Task(at=now).at) is type(Task.model_validate_json(Task(at=now).model_dump_json()).at) is datetime
    match now:
        case datetime(year=year):
            assert year == now.year


def test_nothing_is_left_in_the_classes() -> None:
    before = {**vars(datetime), **vars(date)}
    with virtual_time(VirtualClock(), IdleFake()):
        assert {**vars(datetime), **vars(date)} != before
    assert {**vars(datetime), **vars(date)} == before
    assert abs(datetime.now(UTC).timestamp() - time.time()) < 60


def test_another_thread_reads_the_date_of_the_wall(clock: VirtualClock) -> None:
    clock.advance(YEAR)
    read: list[float] = []
    thread = Thread(target=lambda: read.append(datetime.now(UTC).timestamp()))
    thread.start()
    thread.join()
    assert time.time() - read[0] > YEAR - 60


@pytest.mark.filterwarnings("ignore:'asyncio.iscoroutinefunction':DeprecationWarning")  # backoff 2.2 on Python 3.14
def test_a_deadline_by_dates_is_reached(clock: VirtualClock) -> None:
    @backoff.on_exception(backoff.constant, ConnectionError, max_time=30, interval=4, jitter=None)
    def ask() -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        ask()
    assert clock.now() == 30


def test_a_cookie_expires_on_the_clock(clock: VirtualClock) -> None:
    jar = requests.Session().cookies
    jar.set("a", "b", expires=int(time.time()) + 60)
    (cookie,) = jar
    assert isinstance(cookie, Cookie)
    assert not cookie.is_expired()
    clock.advance(61)
    assert cookie.is_expired()


# --- what the fake says ----------------------------------------------------------------------------------------------


def throttled(api: Safelight, way: str) -> httpx.Response:
    transport = api.transport(httpx) if way == "transport" else None
    with httpx.Client(headers={"x-api-key": api.api_key}, transport=transport) as http:
        time.sleep(12)
        return http.get(api.url, params={"endpoint": "user_balance"})


def at(answer: httpx.Response, name: str) -> float:
    return parsedate_to_datetime(answer.headers[name]).timestamp()


@pytest.mark.parametrize("way", ["socket", "transport"])
def test_the_fake_and_its_client_have_one_date(way: str) -> None:
    with Safelight(faults=["user_balance: throttle date"], virtual_time=True) as api:
        answer = throttled(api, way)
        assert at(answer, "date") == time.time()
        assert at(answer, "retry-after") == time.time() + 2


@pytest.mark.parametrize("way", ["socket", "transport"])
@pytest.mark.parametrize("tick", [False, True])
def test_the_date_that_freezegun_holds_is_that_of_the_fake_too(way: str, tick: bool) -> None:  # noqa: FBT001 - as it is called
    with (
        Safelight(faults=["user_balance: throttle date"], virtual_time=True) as api,
        freezegun.freeze_time("2024-01-01", tick=tick),
    ):
        answer = throttled(api, way)
        assert api.clock.now() == 12
        assert at(answer, "date") == time.time() == datetime(2024, 1, 1, 0, 0, 12 * tick, tzinfo=UTC).timestamp()
        assert at(answer, "retry-after") == time.time() + 2


@pytest.mark.parametrize("way", ["socket", "transport"])
@pytest.mark.parametrize("tick", [False, True])
def test_so_is_the_date_to_which_time_machine_travels(way: str, tick: bool) -> None:  # noqa: FBT001 - as above
    begun = datetime(2024, 1, 1, tzinfo=UTC)
    with (
        Safelight(faults=["user_balance: throttle date"], virtual_time=True) as api,
        time_machine.travel(begun, tick=tick),
    ):
        answer = throttled(api, way)
        assert api.clock.now() == 12
        assert 0 <= at(answer, "date") - begun.timestamp() - 12 * tick < 60
        assert at(answer, "retry-after") == at(answer, "date") + 2
        assert datetime.now(UTC).timestamp() - at(answer, "date") < 60


@pytest.mark.parametrize("make", [RealClock, AdjustableClock])
def test_the_clock_of_the_fake_runs_while_the_date_is_held(make: Callable[[], Any]) -> None:
    clock = make()
    with freezegun.freeze_time("2024-01-01"):
        before = clock.now()
        assert clock.date() == time.time()
        while clock.now() == before:
            pass
        assert clock.now() - before < 60
