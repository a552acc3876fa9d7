"""Any plan against a careful client, the one of examples/lamp: it ends, and what it says of its task is true."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safelight.contracts import Phase, Timeline
from safelight.mockserver.faults.rules import FaultRule
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.sessions.opening import settings as session_settings
from safelight.strategies import fault_plans, timelines
from safelight.testing.backends.shared import SharedBackend
from safelight.testing.backends.shared_server import SharedServer
from safelight.testing.safelight import Safelight
from safelight.traffic.exchange import Exchange

sys.path.insert(0, str(Path(__file__).parents[3] / "examples" / "lamp"))
from lamp import Failed, Lamp, LampError, Picture, Refused, Unclear

#: To these a client may submit again: nothing was accepted, says the answer.
BUSY: Final = frozenset({429, 503})

#: 500 in CI, and half of that at a desk.
MANY: Final = settings(max_examples=5 * settings().max_examples, deadline=None, suppress_health_check=list(HealthCheck))


def drawn(api: Safelight) -> Picture | LampError:
    """How the client ends: with a picture, or with what it says is wrong. Anything else is raised."""
    with api.respx:
        try:
            return Lamp(api.url, api.api_key).draw("a lamp", width=8, height=8)
        except LampError as error:
            return error


def submits_of(api: Safelight) -> list[Exchange]:
    return [exchange for exchange in api.journal if exchange.operation == "image_generation"]


def lied(exchange: Exchange) -> bool:
    """Struck after it was carried out: the answer is not about what happened."""
    return bool(exchange.fault and exchange.task_id)


def is_true(api: Safelight, end: Picture | LampError) -> bool:
    """What the client says of its task is so, as far as it was told the truth."""
    submits = submits_of(api)
    match end:
        case Picture(task_id=task_id):
            return any(task.id == task_id for task in api.tasks)
        case Refused(task_id=None):
            return lied(submits[-1]) or not submits[-1].task_id
        case Unclear():
            return bool(submits[-1].fault)
        case Failed(task_id=task_id):
            told = [exchange for exchange in api.journal if exchange.task_id == task_id]
            return told[-1].phase is Phase.FAILED or bool(told[-1].fault)
    return any(exchange.fault for exchange in api.journal) or api.tasks[0].timeline.steps[-1].phase is Phase.RUNNING


@pytest.fixture(scope="module")
def server() -> Iterator[SharedServer]:
    with SharedServer() as server:
        yield server


@MANY
@given(plan=fault_plans(), life=timelines(max_dwell=9) | st.just(Timeline.read(["running"])))
def test_a_careful_client_ends_with_a_true_report_whatever_is_planned(
    server: SharedServer, plan: list[FaultRule], life: Timeline
) -> None:
    own = session_settings({"faults": plan, "timeline": life})
    backend = SharedBackend(server, FAKE_KEY, own, clock=VirtualClock(), virtual_time=True)
    with Safelight(backend=backend) as api:
        end: Any = drawn(api)
        assert is_true(api, end), f"{end!r}\n{api.transcript}"
        false_alarms = [exchange for exchange in submits_of(api) if lied(exchange) and exchange.status in BUSY]
        assert len(api.tasks) <= 1 + len(false_alarms), "it pays again only where it was told that nothing was accepted"
        assert all(struck == delivered for _, struck, delivered in api.plan.counts())
