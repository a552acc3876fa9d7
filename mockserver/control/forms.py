"""What a session is and has, as JSON: in the words of the settings that it is given in, where there are some."""

from __future__ import annotations

import json
from math import isinf
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts import Axis
from safelight.mockserver.clock import RealClock, SteeredClock, VirtualClock
from safelight.mockserver.lives import Delay, Fixed, LogNormal, Uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.contracts import Step, Timeline
    from safelight.mockserver.clock import Clock
    from safelight.mockserver.journal import Exchange
    from safelight.mockserver.lives import Lives, Settings
    from safelight.mockserver.money import Credits
    from safelight.mockserver.session import Session
    from safelight.mockserver.store import Task

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
    """`[["queued", 2], ["running", 5], "done"]`; a step that never ends stands alone."""
    return [_step_form(step) for step in timeline.steps]


def _step_form(step: Step) -> Any:
    name = "unseen" if step.unseen else str(step.phase)
    word = [step.word] if step.word else []
    return name if isinf(step.dwell) else [name, _number(step.dwell), *word]


def _pair(lives: Lives) -> list[str | float]:
    return [delay_form(lives.queued), delay_form(lives.running)]


def lives_form(lives: Lives) -> Form:
    """How tasks live, and which of them fail."""
    if lives.timeline:
        return {"timeline": timeline_form(lives.timeline)}
    time = dict(zip(("queued", "running"), _pair(lives), strict=True)) if lives.axis is Axis.SECONDS else {}
    counted = {} if lives.axis is Axis.SECONDS else {str(lives.axis): _pair(lives)}
    failing = {
        "fail": lives.fail_reason,
        "fail_rate": lives.fail_rate if lives.fail_rate or lives.fail_reason else None,
        "fail_nth": sorted(lives.fail_nth) or None,
    }
    return {**time, **counted, **_said(failing)}


def _said(form: Mapping[str, Any]) -> Form:
    return {name: value for name, value in form.items() if value is not None}


def settings_form(settings: Settings, rules: list[str]) -> Form:
    """A session's settings; `rules` is its plan as it is now."""
    own = {
        "slots": settings.slots,
        "workflows": {name: lives_form(lives) for name, lives in settings.workflows.items()} or None,
    }
    return {
        **lives_form(settings.lives),
        **_said(own),
        "balance": credits_form(settings.balance),
        "prices": {name: credits_form(price) for name, price in settings.prices.items()},
        "down": sorted(settings.down),
        **{name: getattr(settings, name) for name in ("vocabulary", "errors", "limits")},
        "faults": rules,
    }


#: Class of a clock -> what it is called.
_KINDS: Final[Mapping[type[Any], str]] = {VirtualClock: "virtual", SteeredClock: "real", RealClock: "wall"}


def clock_form(session: Session, clock: Clock) -> Form:
    """A session's clock: its time, and seconds since the session began."""
    kind = _KINDS.get(type(clock), "another")
    steered = {"speed": clock.speed, "frozen": clock.is_frozen} if isinstance(clock, SteeredClock) else {}
    return {"kind": kind, "now": clock.now(), "passed": session.passed(), **steered}


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
        "submitted": task.submitted - session.began,
        "price": credits_form(task.price),
        "seed": task.seed,
        "request": dict(task.request),
    }


def exchange_form(exchange: Exchange, began: float) -> Form:
    """One exchange of a journal; `at` is in seconds since `began`. A JSON answer is one here too."""
    return {
        "at": exchange.at - began,
        "operation": exchange.operation,
        "task_id": exchange.task_id,
        "phase": exchange.phase and str(exchange.phase),
        "verdict": exchange.verdict,
        "method": exchange.method,
        "target": exchange.target,
        "headers": dict(exchange.headers),
        "body": text_form(exchange.body),
        "status": exchange.status,
        "media_type": exchange.media_type,
        "answer": _decoded(exchange.answer),
        "violations": [{"rule": one.rule, "message": one.message} for one in exchange.violations],
        "notices": [one.message for one in exchange.notices],
        "fault": exchange.fault,
        "wire": exchange.wire,
        "gap": exchange.gap,
    }


def text_form(text: bytes) -> str:
    """Bytes as text; what is no UTF-8 is replaced."""
    return text.decode("utf-8", "replace")


def _decoded(answer: bytes) -> Any:
    """JSON as it is, anything else as text; nothing where nothing was kept."""
    try:
        return json.loads(answer, parse_constant=str) if answer else None
    except (ValueError, RecursionError):
        return text_form(answer)
