"""The life of a task: where it is at each position."""

import json
import pickle
from itertools import pairwise
from math import inf, nan
from typing import Any, Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from safelight.contracts import FINAL, MOVES, Axis, Phase, State, Step, Timeline

Q, R, D, F = Phase

USUAL: Final = Timeline.of(queued=1, running=2)
INSTANT: Final = Timeline.of()
FAILING: Final = Timeline.of(queued=1, running=2, fail="out of memory")
ENDLESS: Final = Timeline((Step(Q, 1), Step(R)))
STUCK: Final = Timeline((Step(Q, inf), Step(D)))
ODD: Final = Timeline((Step(R, 2), Step(Q, 2), Step(D, 2), Step(R, 2), Step(F, reason="odd")))

#: Timeline, position, the state there.
TABLE: Final = [
    (USUAL, 0, State(Q)),
    (USUAL, 0.999, State(Q)),
    (USUAL, 1, State(R, 0)),
    (USUAL, 2, State(R, 50)),
    (USUAL, 2.999, State(R, 99)),
    (USUAL, 3, State(D)),
    (USUAL, 1e300, State(D)),
    (USUAL, inf, State(D)),
    (USUAL, -1, State(Q)),
    (INSTANT, 0, State(D)),
    (FAILING, 2, State(R, 50)),
    (FAILING, 3, State(F, reason="out of memory")),
    (Timeline.of(fail=True), 0, State(F)),
    (Timeline.of(running=4), 0, State(R, 0)),
    (Timeline((Step(R, 4), Step(D))), -3, State(R, 0)),
    (Timeline.of(running=4), 1, State(R, 25)),
    (Timeline.of(queued=4), 4, State(D)),
    (ENDLESS, 1e300, State(R, 0)),
    (ENDLESS, inf, State(R, 0)),
    (STUCK, inf, State(Q)),
    (Timeline((Step(R, 4),)), 1, State(R, 25)),
    (Timeline((Step(R, 4),)), 1e308, State(R, 99)),
    (Timeline((Step(R, 4),)), inf, State(R, 99)),
    (Timeline((Step(R, 5e-324), Step(D))), 0, State(R, 0)),
    (ODD, 1, State(R, 50)),
    (ODD, 3, State(Q)),
    (ODD, 5, State(D)),
    (ODD, 7, State(R, 50)),
    (ODD, 8, State(F, reason="odd")),
]


@pytest.mark.parametrize(("timeline", "position", "state"), TABLE)
def test_a_task_is_where_its_time_has_come(timeline: Timeline, position: float, state: State) -> None:
    assert timeline.at(position) == state


def test_two_units_on_any_axis_are_two_units() -> None:
    polls = Timeline.of(queued=1, running=2)
    assert [polls.at(seen).phase for seen in range(5)] == [Q, R, R, D, D]
    assert set(Axis) == {"seconds", "polls", "ticks"}


def test_the_final_phases_are_those_without_moves() -> None:
    assert {D, F} == FINAL
    assert set(MOVES) == set(Phase)
    assert State(D).is_final
    assert State(F).is_final
    assert not State(Q).is_final
    assert not State(R).is_final


@pytest.mark.parametrize(
    ("phases", "illegal"),
    [
        ([Q, R, D], []),
        ([Q, R, F], []),
        ([Q, F], []),
        ([Q, Q, R, R, D], []),
        ([Q, D], ["queued became done"]),
        ([R, Q, R, D], ["running became queued"]),
        ([D, F, D], ["done became failed", "failed became done"]),
    ],
)
def test_a_move_that_is_not_in_the_table_is_named(phases: list[Phase], illegal: list[str]) -> None:
    assert list(Timeline(tuple(Step(phase, 1) for phase in phases)).illegal_moves()) == illegal


@pytest.mark.parametrize("dwell", [-1, -inf, nan])
def test_a_step_lasts_no_less_than_nothing(dwell: float) -> None:
    with pytest.raises(ValueError, match="a step cannot last"):
        Step(Q, dwell)


def test_a_timeline_has_a_step() -> None:
    with pytest.raises(ValueError, match="at least one step"):
        Timeline(())


def test_wait_and_length_are_the_units_before_and_between() -> None:
    assert (USUAL.wait, USUAL.length) == (1, 3)
    assert (INSTANT.wait, INSTANT.length) == (0, 0)
    assert (ODD.wait, ODD.length) == (0, 8)
    assert (STUCK.wait, STUCK.length) == (inf, inf)


def test_a_held_task_does_the_same_later() -> None:
    held = USUAL.held(10)
    assert [held.at(position) for position in (0, 10, 10.5, 11, 12, 13)] == [
        *(State(Q), State(Q), State(Q)),
        *(State(R, 0), State(R, 50), State(D)),
    ]
    assert USUAL.at(3) == State(D), "the timeline itself is what it was"


DWELLS: Final = st.just(0.0) | st.floats(0, 100) | st.just(inf)
POSITIONS: Final = st.lists(st.floats(0, 500), min_size=2, max_size=30).map(sorted)


@st.composite
def task_profile(draw: st.DrawFn) -> Timeline:
    """Legal timelines: from queued by the table to a phase without moves."""
    steps, phase = [Step(Q, draw(DWELLS))], Q
    while MOVES[phase]:
        phase = draw(st.sampled_from(sorted(MOVES[phase])))
        steps.append(Step(phase, draw(DWELLS)))
    return Timeline(tuple(steps))


STEPS: Final = st.builds(Step, st.sampled_from(Phase), DWELLS)
ANY_LIFE: Final = st.lists(STEPS, min_size=1, max_size=6).map(lambda steps: Timeline(tuple(steps)))


@given(st.integers(0, 60) | DWELLS, DWELLS, st.sampled_from([False, True, "out of memory"]), st.data())
def test_the_usual_timeline_is_its_steps(queued: float, running: float, fail: Any, data: st.DataObject) -> None:
    usual = Timeline.of(queued=queued, running=running, fail=fail)
    plain = Timeline(usual.steps)
    assert (usual, hash(usual), repr(usual)) == (plain, hash(plain), repr(plain))
    assert (usual.wait, usual.length, usual.fails_after) == (plain.wait, plain.length, plain.fails_after)
    edges = [edge for edge in (0, queued, queued + running, queued + running / 2) if edge < inf]
    position = data.draw(st.sampled_from(edges) | st.floats(0, 200))
    assert (usual.at(position), usual.phase_at(position)) == (plain.at(position), plain.phase_at(position))
    assert usual.held(2.5) == plain.held(2.5)
    assert pickle.loads(pickle.dumps(usual)) == usual


@given(ANY_LIFE, st.floats(0, 500))
def test_the_phase_at_a_position_is_that_of_the_state(life: Timeline, position: float) -> None:
    assert life.phase_at(position) is life.at(position).phase


def follows(before: Phase, after: Phase) -> bool:
    """By the table, in any number of moves: some may have been due at once."""
    return before is after or any(follows(between, after) for between in MOVES[before])


@given(task_profile(), POSITIONS)
def test_phases_follow_the_table(life: Timeline, positions: list[float]) -> None:
    states = [life.at(position) for position in positions]
    assert all(follows(before.phase, after.phase) for before, after in pairwise(states))
    assert list(life.illegal_moves()) == []


@given(task_profile(), POSITIONS)
def test_what_is_final_stays(life: Timeline, positions: list[float]) -> None:
    states = [life.at(position) for position in positions]
    assert all(before == after for before, after in pairwise(states) if before.is_final)


@given(ANY_LIFE, POSITIONS)
def test_progress_is_of_running_tasks_and_between_0_and_99(life: Timeline, positions: list[float]) -> None:
    for state in (life.at(position) for position in positions):
        assert (state.progress is not None) == (state.phase is R)
        assert state.progress is None or 0 <= state.progress <= 99


@given(st.floats(0, 100), st.floats(0.001, 100), st.lists(st.floats(0, 1), min_size=2).map(sorted))
def test_progress_never_falls_within_a_step(queued: float, running: float, parts: list[float]) -> None:
    life = Timeline.of(queued=queued, running=running)
    states = [life.at(queued + part * running) for part in parts]
    progress = [state.progress for state in states if state.progress is not None]
    assert progress == sorted(progress)


@given(ANY_LIFE)
def test_all_steps_that_are_due_are_taken(life: Timeline) -> None:
    assume(life.length < inf)
    position = 0.0
    for step in life.steps[:-1]:
        position += step.dwell
    assert life.at(position + 1).phase is life.steps[-1].phase


@given(task_profile(), st.integers(0, 50), st.integers(0, 200))
def test_holding_delays_and_changes_nothing_else(life: Timeline, units: int, position: int) -> None:
    whole = Timeline(
        tuple(Step(step.phase, step.dwell if step.dwell == inf else int(step.dwell)) for step in life.steps)
    )
    assert whole.held(units).at(position + units) == whole.at(position)


@given(ANY_LIFE, st.floats(0, 500))
def test_a_step_without_length_is_never_seen(life: Timeline, position: float) -> None:
    seen = Timeline(tuple(step for step in life.steps[:-1] if step.dwell) + life.steps[-1:])
    assert life.at(position) == seen.at(position)


@given(ANY_LIFE)
def test_the_last_step_begins_at_the_length_to_the_bit(life: Timeline) -> None:
    """Dwells of 0.1 and 0.7: to subtract them one by one from 0.8 leaves less than 0.7."""
    assume(life.length < inf)
    assert life.at(life.length).phase is life.steps[-1].phase


WRITTEN: Final[list[tuple[Any, Step]]] = [
    ("done", Step(Phase.DONE)),
    (("running", 5), Step(Phase.RUNNING, 5)),
    (["queued", 0.5], Step(Phase.QUEUED, 0.5)),
    (("queued", "never"), Step(Phase.QUEUED)),
    (["running", "never", "cancelled"], Step(Phase.RUNNING, word="cancelled")),
    ("unseen", Step(Phase.QUEUED, unseen=True)),
    (Step(Phase.FAILED, reason="no ink"), Step(Phase.FAILED, reason="no ink")),
]


@pytest.mark.parametrize(("written", "step"), WRITTEN)
def test_a_life_is_read_as_people_write_it(written: Any, step: Step) -> None:
    assert Timeline.read([("queued", 1), written]).steps == (Step(Phase.QUEUED, 1), step)


@pytest.mark.parametrize("endless", ["queued", ("queued", "never"), Step(Phase.QUEUED)])
def test_what_follows_a_step_that_never_ends_is_refused(endless: Any) -> None:
    with pytest.raises(ValueError, match=r"^done comes after queued, which never ends: leave it out, or say how long$"):
        Timeline.read([("running", 1), endless, "done"])


@pytest.mark.parametrize("step", [("running", 1e400), ("running", inf, "odd"), json.loads('["running", 1e400]')])
def test_a_number_beyond_all_is_not_for_ever(step: Any) -> None:
    with pytest.raises(ValueError, match=r"^a step cannot last inf: write how long it lasts, or 'never'"):
        Timeline.read([step])


@pytest.mark.parametrize(
    "written",
    [
        "asleep",
        ("asleep", 3),
        ("running", "5"),
        ("running", True),
        ("running",),
        ("running", "ever"),
        ("running", 5, 5),
        5,
        None,
    ],
)
def test_what_is_no_step_is_a_sentence(written: Any) -> None:
    with pytest.raises(
        ValueError, match=r"is no step of a timeline: write \('running', 5\), or a phase alone: queued, "
    ) as raised:
        Timeline.read([written])
    assert str(raised.value).startswith(repr(written))
