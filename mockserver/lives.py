"""What the lives of tasks to come are drawn from: delays, failures, and who gets which."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from math import inf, log
from typing import TYPE_CHECKING, Any, Final, Protocol

from safelight.contracts import Axis, Phase, Step, Timeline, vocabularies, workflows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random


class Delay(Protocol):
    """How long something takes, in units of the axis."""

    def draw(self, random: Random) -> float:
        """One duration, 0 or more."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same."""

    units: float

    def draw(self, random: Random) -> float:  # noqa: ARG002 - the protocol's signature
        """The units."""
        return self.units


@dataclass(frozen=True, slots=True)
class Uniform:
    """Anything from `low` to `high`, equally likely."""

    low: float
    high: float

    def draw(self, random: Random) -> float:
        """One duration between the bounds."""
        return random.uniform(self.low, self.high)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Around `median`, now and then much longer: how real queues behave. `sigma` is that of the logarithm."""

    median: float
    sigma: float = 0.5

    def draw(self, random: Random) -> float:
        """One duration above 0."""
        return random.lognormvariate(log(self.median), self.sigma)


#: Finite whatever its digits; the exponent is what Python writes small numbers with.
_NUMBER: Final = r"(\d{1,15}(?:\.\d+)?(?:e-\d{2,3})?)"

#: With more, a draw is a number too large to be one.
_MOST_SIGMA: Final = 10

#: How delays are written, and what that makes. The first group that matches wins.
_FORMS: Final[Mapping[str, Callable[..., Delay]]] = {
    _NUMBER: lambda units: Fixed(float(units)),
    "never": lambda: Fixed(inf),
    rf"{_NUMBER}\.\.{_NUMBER}": lambda low, high: Uniform(float(low), float(high)),
    rf"~{_NUMBER}": lambda median: LogNormal(float(median)),
    rf"~{_NUMBER}/{_NUMBER}": lambda median, sigma: LogNormal(float(median), float(sigma)),
}


def delay(text: str | float) -> Delay:
    """A delay from its text: `2`, `1..3`, `~5` (log-normal around 5), `~5/0.8` (with its sigma), `never`."""
    for form, make in _FORMS.items():
        found = re.fullmatch(form, str(text).strip())
        if found:
            return _possible(make(*found.groups()), text)
    raise ValueError(f"{text!r} is no delay: write 2, 1..3, ~5, ~5/0.8 or never")


def _possible(made: Delay, text: object) -> Delay:
    match made:
        case Uniform(low, high) if low > high:
            raise ValueError(f"{text!r} is no delay: {low:g} is more than {high:g}")
        case LogNormal(median) if not median:
            raise ValueError(f"{text!r} is no delay: a median is above 0")
        case LogNormal(sigma=sigma) if sigma > _MOST_SIGMA:
            raise ValueError(f"{text!r} is no delay: a sigma is at most {_MOST_SIGMA}")
    return made


@dataclass(frozen=True, slots=True)
class Lives:
    """How tasks live: how long they wait and run, and which of them fail."""

    queued: Delay = Fixed(0)
    running: Delay = Fixed(0)
    axis: Axis = Axis.SECONDS
    #: The share of tasks that fail, 0 to 1.
    fail_rate: float = 0.0
    #: What failed tasks say; None is the service's own sentence.
    fail_reason: str | None = None
    #: Tasks that fail whatever the rate, counted from 1.
    fail_nth: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not 0 <= self.fail_rate <= 1:
            raise ValueError(f"a fail rate of {self.fail_rate} is no share: give 0 to 1")

    def draw(self, number: int, random: Random) -> Timeline:
        """The life of the `number`-th task."""
        queued, running = self.queued.draw(random), self.running.draw(random)
        # Drawn always, so that a change of the rate changes no other number.
        unlucky = random.random() < self.fail_rate
        fail = (self.fail_reason or True) if unlucky or number in self.fail_nth else False
        return Timeline.of(queued=queued, running=running, fail=fail)


def lives(
    *,
    queued: str | float | None = None,
    running: str | float | None = None,
    polls: tuple[int, int] | None = None,
    **failures: Any,
) -> Lives:
    """Lives as people write them: delays as texts or numbers, or `polls` (so many queued, so many running)."""
    if polls is None:
        return Lives(delay(queued or 0), delay(running or 0), **failures)
    if queued is not None or running is not None:
        raise ValueError("lives are in seconds or in polls: give queued and running, or polls")
    waiting, working = polls
    return Lives(delay(waiting), delay(working), Axis.POLLS, **failures)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a session does to its tasks."""

    lives: Lives = field(default_factory=Lives)
    #: Workflow -> lives of its own.
    workflows: Mapping[str, Lives] = field(default_factory=dict)
    #: How many tasks an engine runs at once; None: as many as come. On the seconds axis only.
    slots: int | None = None
    vocabulary: str = "published"

    def __post_init__(self) -> None:
        unknown = sorted(set(self.workflows) - set(workflows()))
        if unknown:
            raise ValueError(f"no workflow is called {unknown[0]!r}: there are {', '.join(workflows())}")
        if self.slots is not None and self.slots < 1:
            raise ValueError(f"{self.slots} engine slots would run nothing: give 1 or more")
        if self.slots and any(lives.axis is not Axis.SECONDS for lives in (self.lives, *self.workflows.values())):
            raise ValueError("engine slots need lives in seconds: polls and ticks do not say when a slot is free")
        if self.vocabulary not in vocabularies():
            raise ValueError(f"no vocabulary is called {self.vocabulary!r}: there are {', '.join(vocabularies())}")

    def lives_of(self, workflow: str) -> Lives:
        """The lives that tasks of this workflow lead."""
        own = self.workflows.get(workflow)
        if own is None and workflows()[workflow].instant:
            return replace(self.lives, queued=Fixed(0), running=Fixed(0))
        return own or self.lives


@dataclass(frozen=True, slots=True)
class Next:
    """What was said beforehand about one task to come. What was left out is drawn as for any other."""

    timeline: Timeline | None = None
    queued: float | None = None
    running: float | None = None
    fail: str | bool | None = None
    id: str | None = None
    axis: Axis | None = None

    def __post_init__(self) -> None:
        parts = (self.queued, self.running, self.fail)
        if self.timeline and any(part is not None for part in parts):
            raise ValueError("a timeline is a whole life: leave out queued, running and fail")
        if self.id == "":
            raise ValueError("a task needs an id of at least one character")
        if self.id and any("\ud800" <= character <= "\udfff" for character in self.id):
            raise ValueError(f"{self.id!r} is no id: half a surrogate pair is no character")
        for units in (self.queued, self.running):
            if units is not None:
                Step(Phase.QUEUED, units)  # or the step says why it cannot last so long

    def applied(self, drawn: Timeline) -> Timeline:
        """The drawn life with what was said in place of what was drawn."""
        if self.timeline:
            return self.timeline
        queued, running, end = drawn.steps
        if self.fail is not None:
            end = Timeline.of(fail=self.fail).steps[-1]
        return Timeline((_lasting(queued, self.queued), _lasting(running, self.running), end))


def _lasting(step: Step, units: float | None) -> Step:
    return step if units is None else replace(step, dwell=units)
