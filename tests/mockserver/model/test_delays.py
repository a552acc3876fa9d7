"""Delays as people write them, what is drawn from them, and settings that cannot be."""

from collections.abc import Callable
from math import inf, log
from statistics import median, stdev
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.contracts import Axis, Phase, Step, Timeline
from safelight.mockserver.model.chance import Chance
from safelight.mockserver.model.delays import Delay, Fixed, LogNormal, Uniform, delay
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.model.task_profile import TaskProfile
from safelight.mockserver.sessions.opening import task_profile

FORMS: Final[list[tuple[str | float, Delay]]] = [
    ("2", Fixed(2)),
    ("0", Fixed(0)),
    ("2.5", Fixed(2.5)),
    (" 2 ", Fixed(2)),
    (2, Fixed(2)),
    (0.25, Fixed(0.25)),
    (1e-7, Fixed(1e-7)),
    ("never", Fixed(inf)),
    ("inf", Fixed(inf)),
    ("1..3", Uniform(1, 3)),
    ("0.5..0.75", Uniform(0.5, 0.75)),
    ("3..3", Uniform(3, 3)),
    ("~5", LogNormal(5)),
    ("~5/0.8", LogNormal(5, 0.8)),
    ("~5/0", LogNormal(5, 0)),
]

FORM: Final = "write 2, 1..3, ~5, ~5/0.8 or never"

MISTAKES: Final[list[tuple[str | float, str]]] = [
    ("", f"'' is no delay: {FORM}"),
    ("soon", f"'soon' is no delay: {FORM}"),
    ("-1", f"'-1' is no delay: {FORM}"),
    (-1, f"-1 is no delay: {FORM}"),
    ("nan", f"'nan' is no delay: {FORM}"),
    (1e400, f"inf is no delay: {FORM}"),
    ("1e400", f"'1e400' is no delay: {FORM}"),
    ("1-3", f"'1-3' is no delay: {FORM}"),
    ("1..", f"'1..' is no delay: {FORM}"),
    ("1 .. 3", f"'1 .. 3' is no delay: {FORM}"),
    ("~", f"'~' is no delay: {FORM}"),
    ("~5/", f"'~5/' is no delay: {FORM}"),
    ("2s", f"'2s' is no delay: {FORM}"),
    ("1" + 400 * "0", f"'1{59 * '0'}… is no delay: {FORM}"),
    ("3..1", "'3..1' is no delay: 3 is more than 1"),
    ("~0", "'~0' is no delay: a median is above 0"),
    ("~5/400", "'~5/400' is no delay: a sigma is at most 10"),
]


@pytest.mark.parametrize(("text", "made"), FORMS)
def test_a_delay_is_read_from_its_text(text: str | float, made: Delay) -> None:
    assert delay(text) == made


@pytest.mark.parametrize(("text", "sentence"), MISTAKES)
def test_a_mistake_in_a_delay_is_told(text: str | float, sentence: str) -> None:
    with pytest.raises(ValueError, match="is no delay") as raised:
        delay(text)
    assert str(raised.value) == sentence


WHOLE: Final = st.integers(0, 10**15 - 1).map(str)
DIGITS: Final = st.one_of(WHOLE, st.decimals(0, 1_000, places=3).map(str))
TEXTS: Final = st.one_of(
    DIGITS,
    st.just("never"),
    st.tuples(DIGITS, DIGITS).map("..".join),
    DIGITS.map("~{}".format),
    st.tuples(DIGITS, DIGITS).map(lambda parts: "~{}/{}".format(*parts)),
    st.text(alphabet="0123456789.~/e-never "),
    st.text(),
    st.floats(),
)


@given(TEXTS, st.integers(0, 1_000))
def test_whatever_is_read_can_be_drawn_from(text: str | float, seed: int) -> None:
    mistake = mistake_in(text)
    if mistake:
        assert mistake.startswith(f"{text!r} is no delay: ")
    else:
        chance = Chance(str(seed))
        assert all(delay(text).draw(chance) >= 0 for _ in range(5))


def mistake_in(text: str | float) -> str:
    """What is said about a delay that cannot be read, else nothing."""
    try:
        delay(text)
    except ValueError as error:
        return str(error)
    return ""


def draws(text: str, number: int = 2_000) -> list[float]:
    chance, made = Chance("2"), delay(text)
    return [made.draw(chance) for _ in range(number)]


def test_a_fixed_delay_is_always_the_same() -> None:
    assert set(draws("2.5")) == {2.5}
    assert set(draws("never")) == {inf}


def test_a_uniform_delay_is_anywhere_between_its_bounds() -> None:
    drawn = draws("1..3")
    assert 1 <= min(drawn) < 1.05
    assert 2.95 < max(drawn) <= 3
    assert 1.95 < median(drawn) < 2.05
    assert all(0.4 < sum(low <= one < low + 1 for one in drawn) / len(drawn) < 0.6 for low in (1, 2))


@pytest.mark.parametrize(("text", "sigma"), [("~5", 0.5), ("~5/0.8", 0.8), ("~5/0", 0)])
def test_a_log_normal_delay_lies_around_its_median(text: str, sigma: float) -> None:
    drawn = draws(text)
    assert min(drawn) > 0
    assert 4.7 < median(drawn) < 5.3
    assert stdev(map(log, drawn)) == pytest.approx(sigma, abs=0.05)


def test_time_is_in_seconds_or_in_polls() -> None:
    assert task_profile(queued=1, running="2..3") == TaskProfile(Fixed(1), Uniform(2, 3))
    assert task_profile(polls=(1, 2)) == TaskProfile(Fixed(1), Fixed(2), Axis.POLLS)
    assert task_profile() == TaskProfile(Fixed(0), Fixed(0), Axis.SECONDS)
    assert task_profile(running=1, fail_nth=frozenset({3})).fail_nth == {3}


SLOTS_NEED_SECONDS: Final = (
    "engine slots need timelines in seconds (queued and running): polls and ticks do not say when a slot is free"
)
A_DONE: Final = Timeline((Step(Phase.DONE),))

#: What cannot be set, and what is said about it.
IMPOSSIBLE: Final[list[tuple[Callable[[], Any], str]]] = [
    (
        lambda: task_profile(queued=1, polls=(1, 2)),
        "time is in seconds or in polls: give queued and running, or polls",
    ),
    (
        lambda: task_profile(running=0, polls=(1, 2)),
        "time is in seconds or in polls: give queued and running, or polls",
    ),
    (lambda: task_profile(polls=(-1, 2)), "polls.0: -1 is no count: write 0 or more"),
    (lambda: TaskProfile(fail_rate=1.5), "a fail rate of 1.5 is no share: give 0 to 1"),
    (lambda: TaskProfile(fail_rate=-0.1), "a fail rate of -0.1 is no share: give 0 to 1"),
    (lambda: TaskProfile(fail_rate=float("nan")), "a fail rate of nan is no share: give 0 to 1"),
    (lambda: Settings(slots=0), "0 engine slots would run nothing: give a whole number, 1 or more"),
    (lambda: Settings(task_profile(polls=(1, 1)), slots=1), SLOTS_NEED_SECONDS),
    (lambda: Settings(workflows={"rr3": TaskProfile(axis=Axis.TICKS)}, slots=2), SLOTS_NEED_SECONDS),
    (
        lambda: Settings(workflows={"rr4": TaskProfile()}),
        "no workflow is called 'rr4': there are default, anime, z-image, rr3, grok, image_editing and video_generation",
    ),
    (lambda: Settings(vocabulary="french"), "vocabulary cannot be 'french': there are published and plain"),
    (lambda: TaskOverride(id=""), "a task needs an id of at least one character"),
    (lambda: TaskOverride(id="a\ud800"), "'a\\ud800' is no id: half a surrogate pair is no character"),
    (lambda: Settings(slots=1.5), "1.5 engine slots would run nothing: give a whole number, 1 or more"),  # type: ignore[arg-type]
    (lambda: TaskProfile(fail_reason="\ud800"), "'\\ud800' is no reason: half a surrogate pair is no character"),
    (lambda: TaskOverride(running="2..1"), "'2..1' is no delay: 2 is more than 1"),
    (lambda: TaskOverride(fail=3), "fail is 3: give True, False, or the reason as a text"),  # type: ignore[arg-type]
    (lambda: TaskOverride(id=5), "5 is no id: ids are texts, those of digits too"),  # type: ignore[arg-type]
    (lambda: TaskOverride(axis="hours"), "'hours' is no axis: there are seconds, polls, ticks"),
    (lambda: TaskOverride(queued=-1), "-1 is no delay: write 2, 1..3, ~5, ~5/0.8 or never"),
    (lambda: TaskOverride(running=float("nan")), "nan is no delay: write 2, 1..3, ~5, ~5/0.8 or never"),
    (
        lambda: TaskOverride(timeline=A_DONE, queued=1),
        "a timeline says all of a task: leave out queued, running and fail",
    ),
    (
        lambda: TaskOverride(timeline=A_DONE, fail=False),
        "a timeline says all of a task: leave out queued, running and fail",
    ),
]


@pytest.mark.parametrize(("setting", "sentence"), IMPOSSIBLE)
def test_what_cannot_be_set_is_refused_with_a_sentence(setting: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        setting()
    assert str(raised.value) == sentence
