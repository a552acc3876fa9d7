"""What a session can be like, and what can be done to it, for properties that hold over whole histories."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from safelight.contracts import Axis
from safelight.mockserver.model.delays import Fixed, LogNormal, Uniform
from safelight.mockserver.model.settings import Settings, User
from safelight.mockserver.model.task_profile import TaskProfile

DELAYS = st.sampled_from([Fixed(0), Fixed(2.5), Fixed(float("inf")), Uniform(1, 3), LogNormal(5, 0.25)])

PROFILES = st.builds(
    TaskProfile,
    queued=DELAYS,
    running=DELAYS,
    axis=st.sampled_from(Axis),
    fail_rate=st.sampled_from([0.0, 0.5, 1.0]),
    fail_reason=st.sampled_from([None, "no \u00e9lan \U0001f4a5"]),
    fail_nth=st.frozensets(st.integers(1, 5)),
)

SETTINGS = st.builds(
    Settings,
    PROFILES,
    workflows=st.dictionaries(st.sampled_from(["rr3", "anime", "image_editing"]), PROFILES),
    vocabulary=st.sampled_from(["published", "plain"]),
    plan=st.sampled_from([(), ("poll#2: http 502", "poll 50%: garbled", "submit over 1/s: throttle")]),
    balance=st.sampled_from([0, 35, Decimal("1000.125")]),
    prices=st.sampled_from([{}, {"image_generation": Decimal("2.5")}]),
    down=st.sampled_from([frozenset(), frozenset(["grok"])]),
    user=st.sampled_from([None, User(7, "alice")]),
    revoked=st.just(value=False),
)

PROMPTS = st.sampled_from(
    ["a lamp", "\U0001f4a5 \u05d0", "[[safelight fail=ink poll#1: hang]]", "[[safelight poll#1: http 502]]"]
)

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.sampled_from(["default", "rr3", "grok"]), PROMPTS),
        st.tuples(st.just("poll"), st.integers(0, 5)),
        st.tuples(st.just("release"), st.integers(0, 5)),
        st.tuples(st.just("advance"), st.sampled_from([0.5, 2.0, 60.0])),
        st.tuples(st.just("next"), st.sampled_from(["slow", None])),
        st.tuples(st.just("fail"), st.integers(0, 5)),
        st.just("balance"),
    ),
    max_size=12,
)
