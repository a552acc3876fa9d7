"""Time is an argument: the wall's, faster, or advanced by hand."""

import time
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.mockserver.model.clock import AdjustableClock, RealClock, VirtualClock


@pytest.mark.parametrize("speed", [1.0, 60.0, 0.5])
def test_a_real_clock_goes_as_many_times_faster_as_it_is_told(speed: float) -> None:
    clock = RealClock(speed)
    outer, first, inner = time.monotonic(), clock.now(), time.monotonic()
    while clock.now() < first + 0.01 * speed:
        pass
    inner_end, last, outer_end = time.monotonic(), clock.now(), time.monotonic()
    rounding = 1e-5 * speed
    assert speed * (inner_end - inner) - rounding <= last - first <= speed * (outer_end - outer) + rounding


def test_a_real_clock_starts_at_the_walls_time_and_never_goes_back() -> None:
    before = time.time()
    clock = RealClock()
    seen = [clock.now() for _ in range(1_000)]
    assert before - 1 <= seen[0]
    assert seen == sorted(seen)


@pytest.mark.parametrize("speed", [0, -1, inf, nan])
def test_a_clock_has_a_speed_above_zero(speed: float) -> None:
    with pytest.raises(ValueError, match=r"a clock cannot run at .* times the speed: give a number above 0"):
        RealClock(speed)
    with pytest.raises(ValueError, match=r"a clock cannot run at .* times the speed: give a number above 0"):
        AdjustableClock(speed)
    with pytest.raises(ValueError, match=r"a clock cannot run at .* times the speed: give a number above 0"):
        AdjustableClock().scale(speed)


@given(st.integers(0, 1_000), st.lists(st.integers(0, 1_000)))
def test_a_virtual_clock_stands_where_it_was_advanced_to(start: int, advances: list[int]) -> None:
    clock = VirtualClock(start)
    for seconds in advances:
        clock.advance(seconds)
    assert clock.now() == clock.now() == start + sum(advances)


@pytest.mark.parametrize("seconds", [-1, -inf, inf, nan])
def test_time_does_not_go_back(seconds: float) -> None:
    clock = VirtualClock(5)
    with pytest.raises(ValueError, match=r"a clock cannot be advanced by .* s: give 0 or more"):
        clock.advance(seconds)
    with pytest.raises(ValueError, match=r"a clock cannot be advanced by .* s: give 0 or more"):
        AdjustableClock().advance(seconds)
    assert clock.now() == 5


_DEEDS = st.one_of(
    st.tuples(st.just("advance"), st.floats(0, 1e6)),
    st.tuples(st.just("scale"), st.floats(1e-6, 1e6)),
    st.tuples(st.just("freeze"), st.booleans()),
)


@given(st.lists(_DEEDS))
def test_a_steered_clock_never_goes_back(kinds: list[tuple[str, float]]) -> None:
    clock = AdjustableClock()
    seen = [clock.now()]
    for kind, value in kinds:
        getattr(clock, kind)(value)
        seen += [clock.now(), clock.now()]
        assert not clock.is_frozen or seen[-2] == seen[-1]
    assert seen == sorted(seen)


def test_a_frozen_clock_stands_still_and_is_advanced_all_the_same() -> None:
    clock = AdjustableClock(60)
    clock.freeze()
    stood = clock.now()
    clock.advance(5)
    clock.scale(2)
    assert (clock.now(), clock.is_frozen, clock.speed) == (stood + 5, True, 2)
    clock.freeze(False)
    assert clock.now() >= stood + 5


def test_a_steered_clock_goes_as_many_times_faster_as_it_is_told() -> None:
    clock = AdjustableClock()
    clock.scale(1e6)
    outer, first, inner = time.monotonic(), clock.now(), time.monotonic()
    while clock.now() < first + 1e4:
        pass
    inner_end, last, outer_end = time.monotonic(), clock.now(), time.monotonic()
    assert 1e6 * (inner_end - inner) - 10 <= last - first <= 1e6 * (outer_end - outer) + 10
