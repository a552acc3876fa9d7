"""What a session is and has, as JSON: in the words of the settings that it is given in, where there are some."""

from collections.abc import Mapping
from decimal import Decimal
from math import isinf
from typing import Any, Final

from safelight.contracts import Axis, Timeline
from safelight.contracts.lifecycle import NEVER
from safelight.mockserver.model.clock import AdjustableClock, RealClock, VirtualClock
from safelight.mockserver.model.credits import Credits
from safelight.mockserver.model.delays import Delay, Fixed, LogNormal, Uniform
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task import Task
from safelight.mockserver.model.task_profile import TaskProfile
from safelight.mockserver.sessions.opening import FIELDS
from safelight.mockserver.sessions.session import Session
from safelight.mockserver.sessions.table import SESSION

Form = dict[str, Any]


def credits_form(amount: Credits) -> int | float:
    """A number: whole credits as an integer. A double carries the decimals of the rest exactly."""
    return amount if isinstance(amount, int) else float(amount)


def delay_form(delay: Delay) -> str | float:
    """`2`, `"1..3"`, `"~5/0.8"`, `"never"`."""
    match delay:
        case Fixed(units):
            return "never" if isinf(units) else _number(units)
        case Uniform(low, high):
            return f"{_number(low)}..{_number(high)}"
        case LogNormal(median, sigma):
            return f"~{_number(median)}/{_number(sigma)}"
    return str(delay)


def _number(units: float) -> int | float:
    return int(units) if float(units).is_integer() else units


def timeline_form(timeline: Timeline) -> list[Any]:
    """`[["queued", 2], ["running", 5], "done"]`, as far as it goes: a step that never ends is the last."""
    form: list[Any] = []
    for step in timeline.steps:
        dwell, word = NEVER if isinf(step.dwell) else _number(step.dwell), [step.word] if step.word else []
        form.append([step.name, dwell, *word] if word or dwell != NEVER else step.name)
        if dwell == NEVER:
            break
    return form


def profile_form(profile: TaskProfile) -> Form:
    """How tasks live, and which of them fail."""
    if profile.timeline:
        return {"timeline": timeline_form(profile.timeline)}
    queued, running = delay_form(profile.queued), delay_form(profile.running)
    is_timed = profile.axis is Axis.SECONDS
    time: Form = {"queued": queued, "running": running} if is_timed else {str(profile.axis): [queued, running]}
    failing = {
        "fail_reason": profile.fail_reason,
        "fail_rate": profile.fail_rate or None,
        "fail_nth": sorted(profile.fail_nth) or None,
    }
    return {**time, **_stated(failing)}


def _stated(form: Mapping[str, Any]) -> Form:
    return {name: value for name, value in form.items() if value is not None}


#: The settings that a session always has.
_PLAIN: Final = tuple(name for name in SESSION if name in FIELDS - {"slots", "workflows", "ids"})


def _form(value: Any) -> Any:
    match value:
        case Decimal():
            return credits_form(value)
        case dict():
            return {name: _form(part) for name, part in value.items()}
        case frozenset():
            return sorted(value)
    return value


def settings_form(settings: Settings, rules: list[str]) -> Form:
    """A session's settings; `rules` is its plan as it is now."""
    own = {
        "slots": settings.slots,
        "ids": settings.ids or None,
        "workflows": {name: profile_form(profile) for name, profile in settings.workflows.items()} or None,
    }
    return {
        **profile_form(settings.profile),
        **_stated(own),
        **{name: _form(getattr(settings, name)) for name in _PLAIN},
        "faults": rules,
    }


#: Class of a clock -> what it is called.
_KINDS: Final[Mapping[type[Any], str]] = {VirtualClock: "virtual", AdjustableClock: "real", RealClock: "wall"}


def clock_form(session: Session) -> Form:
    """A session's clock: its time, and seconds since the session began."""
    clock = session.clock
    kind = _KINDS.get(type(clock), "another")
    controlled = {"speed": clock.speed, "frozen": clock.is_frozen} if isinstance(clock, AdjustableClock) else {}
    return {"kind": kind, "now": clock.now(), "passed": session.passed(), **controlled}


def task_form(session: Session, task: Task) -> Form:
    """A task as it is now; `submitted` is in seconds since the session began."""
    state = session.state(task)
    return {
        "id": task.id,
        "number": task.number,
        "operation": task.operation,
        "workflow": task.workflow,
        "phase": str(state.phase),
        "progress": state.progress,
        "reason": state.reason,
        "polls": session.answered(task.id),
        "axis": str(task.axis),
        "timeline": timeline_form(task.timeline),
        "submitted": task.submitted - session.data.began,
        "price": credits_form(task.price),
        "seed": task.seed,
        "request": dict(task.request),
    }
