"""What the lives of tasks to come are drawn from: delays, failures, and who gets which."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from math import inf, log
from typing import TYPE_CHECKING, Any, Final, Protocol

from safelight.contracts import Axis, Phase, Step, Timeline, operations, workflows
from safelight.contracts.dialects import check_dialect
from safelight.contracts.wording import did_you_mean, listed
from safelight.mockserver.submits import ENGINES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from random import Random

    from safelight.mockserver.money import Credits
    from safelight.mockserver.plan_rules import Rule


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
    "never|inf": lambda: Fixed(inf),
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
    #: The life that all tasks lead, whatever else is said.
    timeline: Timeline | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.fail_rate <= 1:
            raise ValueError(f"a fail rate of {self.fail_rate} is no share: give 0 to 1")
        _check_text(self.fail_reason, "reason")

    def draw(self, number: int, random: Random) -> Timeline:
        """The life of the `number`-th task."""
        queued, running = self.queued.draw(random), self.running.draw(random)
        # Drawn always, so that a change of the rate changes no other number.
        unlucky = random.random() < self.fail_rate
        fail = (self.fail_reason or True) if unlucky or number in self.fail_nth else False
        if self.timeline:
            return self.timeline
        return Timeline.of(queued=queued, running=running, fail=fail)


def lives(
    *,
    queued: str | float | None = None,
    running: str | float | None = None,
    polls: tuple[int, int] | None = None,
    ticks: tuple[int, int] | None = None,
    timeline: Timeline | None = None,
    **failures: Any,
) -> Lives:
    """Lives as people write them: delays as texts or numbers, or a pair of `polls` or `ticks`, queued and running.

    A whole `timeline`, in seconds, is led by all tasks, whatever their workflow.
    """
    seconds = None if queued is None and running is None else (queued, running)
    said = {
        ("seconds", "queued and running"): seconds,
        ("polls", "polls"): polls,
        ("ticks", "ticks"): ticks,
        ("a timeline", "timeline"): timeline,
    }
    given = [names for names, value in said.items() if value is not None]
    if len(given) > 1:
        axes, ways = zip(*given, strict=True)
        raise ValueError(f"lives are in {' or in '.join(axes)}: give {', or '.join(ways)}")
    if polls is None and ticks is None:
        return Lives(delay(queued or 0), delay(running or 0), timeline=timeline, **failures)
    axis, pair = (Axis.TICKS, ticks) if polls is None else (Axis.POLLS, polls)
    match pair:
        case (int(waiting), int(working)):
            return Lives(delay(waiting), delay(working), axis, **failures)
    raise ValueError(f"{axis} are a pair of whole numbers, queued and running: give (1, 2), not {pair!r}")


SLOTS_NEED_SECONDS: Final = (
    "engine slots need lives in seconds (queued and running): polls and ticks do not say when a slot is free"
)


#: Credits at the start, unless somebody says otherwise.
BALANCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class User:
    """Who a key belongs to, as `user_balance` says."""

    id: int
    name: str


def kinds() -> tuple[str, ...]:
    """What tasks can have lives of their own by: the workflows, and the submits that have none."""
    return (*workflows(), *(name for name in submits() if name != "image_generation"))


def submits() -> tuple[str, ...]:
    """The operations that are paid for."""
    return tuple(name for name, operation in operations().items() if operation.is_submit)


def check_names(given: Iterable[str], known: Iterable[str], kind: str) -> None:
    """Raises `ValueError` with a sentence where one of the names is not known."""
    options = list(known)
    for name in given:
        if name not in options:
            near = did_you_mean(name, options) or f": there are {listed(options)}"
            raise ValueError(f"no {kind} is called {name!r}{near}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a session is like, and what it does to its tasks."""

    lives: Lives = field(default_factory=Lives)
    #: Workflow -> lives of its own.
    workflows: Mapping[str, Lives] = field(default_factory=dict)
    #: How many tasks an engine runs at once; None: as many as come. On the seconds axis only.
    slots: int | None = None
    vocabulary: str = "published"
    #: What goes wrong, and when.
    plan: tuple[Rule, ...] = ()
    #: Credits at the start.
    balance: Credits = BALANCE
    #: Operation -> credits for each of its tasks, where they are not as published.
    prices: Mapping[str, Credits] = field(default_factory=dict)
    #: Engines that do not answer.
    down: frozenset[str] = frozenset()
    #: How errors are written, and what becomes of values over their maximum.
    errors: str = "object"
    limits: str = "reject"
    #: Who the key belongs to; None: somebody.
    user: User | None = None
    #: The key is not accepted.
    revoked: bool = False
    #: A prompt can say what becomes of its task: `[[safelight running=5]]`.
    directives: bool = True

    def __post_init__(self) -> None:
        check_names(self.workflows, kinds(), "workflow")
        check_names(self.prices, submits(), "submit")
        check_names(self.down, ENGINES, "engine")
        if self.slots is not None and (type(self.slots) is not int or self.slots < 1):
            raise ValueError(f"{self.slots} engine slots would run nothing: give a whole number, 1 or more")
        if self.slots and any(lives.axis is not Axis.SECONDS for lives in (self.lives, *self.workflows.values())):
            raise ValueError(SLOTS_NEED_SECONDS)
        for setting in ("vocabulary", "errors", "limits"):
            check_dialect(setting, getattr(self, setting))

    def lives_of(self, workflow: str) -> Lives:
        """The lives that tasks of this workflow lead."""
        if self._is_instant(workflow):
            return replace(self.lives, queued=Fixed(0), running=Fixed(0))
        return self.workflows.get(workflow, self.lives)

    def slots_of(self, workflow: str) -> int | None:
        """The slots that tasks of this workflow wait for: none where the result is there at once."""
        return None if self._is_instant(workflow) else self.slots

    def price_of(self, operation: str) -> Credits:
        """Credits that one accepted submit of this operation costs."""
        return self.prices.get(operation, operations()[operation].price)

    def _is_instant(self, workflow: str) -> bool:
        return workflow in workflows() and workflows()[workflow].instant and workflow not in self.workflows


@dataclass(frozen=True, slots=True)
class Next:
    """What was said beforehand about one task to come. What was left out is drawn as for any other."""

    timeline: Timeline | None = None
    #: Delays as people write them: `2`, `1..3`, `never`.
    queued: str | float | None = None
    running: str | float | None = None
    fail: str | bool | None = None
    id: str | None = None
    axis: Axis | str | None = None

    def __post_init__(self) -> None:
        parts = (self.queued, self.running, self.fail)
        if self.timeline and any(part is not None for part in parts):
            raise ValueError("a timeline is a whole life: leave out queued, running and fail")
        for units in (self.queued, self.running):
            if units is not None:
                delay(units)  # or it says why that is none
        _check_text(self.fail, "reason")
        if not isinstance(self.fail, str | bool | None):
            raise ValueError(f"fail is {self.fail!r}: give True, False, or the reason as a text")  # noqa: TRY004 - as all
        if self.axis is not None and self.axis not in list(Axis):
            raise ValueError(f"{self.axis!r} is no axis: there are {', '.join(Axis)}")
        _check_id(self.id)

    def applied(self, drawn: Timeline, random: Random) -> Timeline:
        """The drawn life with what was said in place of what was drawn."""
        if self.timeline or (self.queued, self.running, self.fail) == (None, None, None):
            return self.timeline or drawn
        queued, running, end = drawn.steps if _is_usual(drawn) else Timeline.of().steps
        if self.fail is not None:
            end = Timeline.of(fail=self.fail).steps[-1]
        return Timeline((_lasting(queued, self.queued, random), _lasting(running, self.running, random), end))


def _is_usual(timeline: Timeline) -> bool:
    """It has the three steps that `queued`, `running` and `fail` are about."""
    return [step.phase for step in timeline.steps[:-1]] == [Phase.QUEUED, Phase.RUNNING]


def _check_id(task_id: object) -> None:
    if task_id is not None and not isinstance(task_id, str):
        raise ValueError(f"{task_id!r} is no id: ids are texts, those of digits too")
    if task_id == "":
        raise ValueError("a task needs an id of at least one character")
    _check_text(task_id, "id")


def _check_text(text: object, name: str) -> None:
    """What is answered has to be UTF-8."""
    if isinstance(text, str) and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{text!r} is no {name}: half a surrogate pair is no character")


def _lasting(step: Step, units: str | float | None, random: Random) -> Step:
    return step if units is None else replace(step, dwell=delay(units).draw(random))
