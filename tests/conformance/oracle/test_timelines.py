"""Whatever becomes of a task by a legal timeline, and whoever sees what of it, it is possible."""

from dataclasses import dataclass
from math import inf
from typing import Final

from hypothesis import event, given
from hypothesis import strategies as st

from histories import LOST, URL, balance, done, failed, poll, running, submit, unknown
from safelight.conformance.oracle.oracle import Oracle
from safelight.contracts import Phase, Timeline
from safelight.strategies import timelines
from safelight.traffic.exchange import Exchange

#: Quarters of a second: requests begin at once, and one when another is answered, as often as not.
SECONDS: Final = st.integers(0, 60).map(lambda quarters: quarters / 4)
PRICE: Final = 10
CREDITS: Final = 1_000.0


@dataclass(frozen=True)
class Life:
    """A task: when it was booked, within the submit's request and answer, and from when on polls know it."""

    task_id: str
    timeline: Timeline
    start: float
    booked: float
    end: float
    known: float
    lost: bool

    @property
    def spent(self) -> tuple[tuple[float, int], ...]:
        """When which credits are taken, or given back."""
        fails = self.timeline.steps[-1].phase is Phase.FAILED
        back = [(self.booked + self.timeline.length, -PRICE)] if fails and self.timeline.length < inf else []
        return ((self.booked, PRICE), *back)

    def submit(self) -> Exchange:
        """The submit, whose answer was perhaps lost."""
        return submit(self.start, self.task_id, took=self.end - self.start, **(LOST if self.lost else {}))

    def told(self, at: float, moment: float, took: float) -> Exchange:
        """What a poll is told, by the state at a moment between request and answer."""
        if moment < self.known:
            return unknown(at, self.task_id, took=took)
        state = self.timeline.at(moment - self.booked)
        match state.phase:
            case Phase.QUEUED:
                return poll(at, task_id=self.task_id, took=took)
            case Phase.RUNNING:
                return running(at, state.progress, task_id=self.task_id, took=took)
            case Phase.DONE:
                return done(at, URL, task_id=self.task_id, took=took)
        return failed(at, state.reason or "", task_id=self.task_id, took=took)


@st.composite
def spans(draw: st.DrawFn) -> tuple[float, float, float]:
    """When a request begins, when it takes effect, and when it is answered."""
    start, took = draw(SECONDS), draw(SECONDS) + 0.25
    return start, start + took * draw(st.sampled_from([0.2, 0.5, 0.8])), start + took


@st.composite
def lives(draw: st.DrawFn, task_id: str) -> Life:
    start, booked, end = draw(spans())
    lag = draw(st.sampled_from([0, 0, 1.5]))
    timeline = draw(timelines(max_dwell=6, endless=True))
    return Life(task_id, timeline, start, booked, end, booked + lag, draw(st.booleans()))


@st.composite
def histories(draw: st.DrawFn) -> list[Exchange]:
    """What somebody has recorded of some tasks of one account, in the order of the requests, or of the answers."""
    tasks = [draw(lives(task_id)) for task_id in ("1", "2", "3")[: draw(st.integers(1, 3))]]
    found = [task.submit() for task in tasks]
    for start, moment, end in draw(st.lists(spans(), max_size=12)):
        task = draw(st.sampled_from([*tasks, None]))
        if task is None:
            spent = sum(taken for each in tasks for at, taken in each.spent if at <= moment)
            found.append(balance(start, CREDITS - spent, took=end - start))
        elif moment >= task.booked:
            told = task.told(start, moment, end - start)
            found.append(told._replace(**LOST) if draw(st.booleans()) and draw(st.booleans()) else told)
    by_answer = draw(st.booleans())
    event(f"in the order of the {'answers' if by_answer else 'requests'}")
    return sorted(found, key=lambda one: one.at + (one.took or 0) if by_answer else one.at)


@given(histories())
def test_what_a_legal_timeline_tells_is_possible(history: list[Exchange]) -> None:
    oracle = Oracle()
    assert [found.sentence for found in oracle.all(history)] == []


@given(timelines(max_dwell=6), st.lists(SECONDS, min_size=2, max_size=8), st.data())
def test_two_polls_told_the_wrong_way_round_are_impossible(
    timeline: Timeline, at: list[float], data: st.DataObject
) -> None:
    """The teeth of the test above: of a history, the answers of two polls with another state are swapped."""
    life = Life("1", timeline, 0, 0, 0, 0, lost=False)
    polls = [life.told(when, when, 0.1) for when in sorted(set(at))]
    pairs = [(one, two) for one in polls for two in polls if one.at < two.at and one.answer != two.answer]
    if not pairs:
        return
    one, two = data.draw(st.sampled_from(pairs))
    oracle = Oracle()
    oracle.see(one._replace(answer=two.answer))
    assert oracle.see(two._replace(answer=one.answer))
