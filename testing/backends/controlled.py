"""A running fake: a session of its own for each test, controlled over HTTP. Its time is the wall's."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, Self

from safelight.contracts import Axis, Timeline
from safelight.mockserver.control.client import ControlClient, ControlRefused
from safelight.mockserver.control.forms import timeline_form
from safelight.mockserver.faults.rules import read_rule, read_rules
from safelight.mockserver.model.addresses import is_this_machine
from safelight.mockserver.model.credits import credits_of
from safelight.mockserver.model.ledger import Entry, Ledger
from safelight.mockserver.model.task import Task, parameters_as_json
from safelight.testing.backends.external import HARMLESS, not_here
from safelight.traffic.expectations import Missed
from safelight.traffic.journal import Journal
from safelight.traffic.ndjson import exchange_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safelight.mockserver.faults.rules import FaultRule
    from safelight.testing.backends.external import Server


@cache
def is_controllable(server: Server) -> bool:
    """A fake of ours answers there, on this machine, and lets itself be controlled. No other server gets a request."""
    if not is_this_machine(server.host):
        return False
    try:
        return "paths" in ControlClient(server.url, server.api_key).openapi()
    except (ControlRefused, OSError, ValueError):
        return False


class _Seen(NamedTuple):
    """The traffic and the tasks of a session that is over."""

    journal: Journal
    tasks: list[Task]
    ledger: Ledger


class ControlledBackend:
    """A session of a running fake, from its options to its end."""

    is_fake = True
    has_moving_clock = True

    def __init__(self, server: Server, key: str, options: Mapping[str, Any]) -> None:
        self.url, self.api_key = server.url, key
        #: Its exchanges say the time since the session began.
        self.began = 0.0
        self._server = server
        #: Of a session that is over, what was seen of it.
        self._kept: _Seen | None = None
        self._control = ControlClient(server.url, key)
        self._control.open(**{name: _form(value) for name, value in options.items() if name not in HARMLESS})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the session; what was seen of it stays."""
        self._kept = _Seen(self.journal, self.tasks, self.ledger)
        self._control.close()

    def fake(self, member: str) -> Self:  # noqa: ARG002 - it has all
        """This."""
        return self

    def in_process(self, member: str) -> NoReturn:
        """Skip the test."""
        __tracebackhide__ = True
        not_here(f"safelight.{member}", self._server)

    @property
    def journal(self) -> Journal:
        """Every exchange with the key so far."""
        if self._kept:
            return self._kept.journal
        journal = Journal()
        for form in self._control.journal():
            journal.add(exchange_of({**form, "began": 0}))
        journal.dropped = self._control.session()["dropped"]
        return journal

    seen = journal  # there, the orphans are nobody's

    @property
    def ledger(self) -> Ledger:
        """What was paid and returned so far."""
        if self._kept:
            return self._kept.ledger
        form, ledger = self._control.ledger(), Ledger()
        for entry in form["entries"]:
            ledger.add(Entry(entry["at"], _credits(entry["credits"]), entry["task_id"], entry["reason"]))
        ledger.total = _credits(form["total"])
        return ledger

    @property
    def tasks(self) -> list[Task]:
        """The tasks that are still kept; `submitted` is in seconds since the session began."""
        return self._kept.tasks if self._kept else [_task(form) for form in self._control.tasks()]

    @property
    def plan(self) -> ControlledPlan:
        """What goes wrong, and when."""
        return ControlledPlan(self._control)

    def next(self, **override: Any) -> None:
        """Override something of the next task."""
        self._control.next(**{name: _form(value) for name, value in override.items()})

    def release(self, task_id: str, ticks: int) -> None:
        """Move a task on the axis of ticks along."""
        self._control.release(task_id, ticks)

    def failure(self) -> str:
        """Nothing: on the wall's time whoever waits does so himself."""
        return ""

    slowness = failure


class ControlledPlan:
    """The plan of a session of a running fake."""

    def __init__(self, control: ControlClient) -> None:
        self._control = control

    def __iter__(self) -> Iterator[FaultRule]:
        return iter([rule for rule, _, _ in self.counts()])

    def __len__(self) -> int:
        return len(self.counts())

    def add(self, *rules: str | FaultRule) -> None:
        """Plan more. A rule counts the requests that come from now on."""
        self._control.add_plan(*map(str, read_rules(rules)))

    def clear(self) -> None:
        """Plan nothing."""
        self._control.put_plan()

    def counts(self) -> list[tuple[FaultRule, int, int]]:
        """Each rule, how often it struck, and how often its fault was delivered: reached its client."""
        return [(read_rule(one["rule"]), one["struck"], one["delivered"]) for one in self._control.plan()["rules"]]

    def undelivered(self) -> list[Missed]:
        """The rules whose fault was never delivered, and why."""
        missed = self._control.plan()["undelivered"]
        return [Missed(one["rule"], read_rule(one["rule"]).kind, one["reason"], one["was_due"]) for one in missed]


def _form(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case Timeline():
            return timeline_form(value)
        case tuple() | list() | set() | frozenset():
            return [one if isinstance(one, int | float | str) else _form(one) for one in value]
        case bool() | int() | float() | str() | dict():
            return value
    return str(value)


def _credits(amount: float) -> Any:
    """Credits, which may be below 0 here."""
    return credits_of(amount) if amount >= 0 else -credits_of(-amount)


#: What a task says of itself as it is now, beside what it is; and what follows from that.
_NOW: Final = ("phase", "progress", "reason", "polls", "seed")


def _task(form: Mapping[str, Any]) -> Task:
    own = {name: value for name, value in form.items() if name not in _NOW}
    read = {
        "axis": Axis(form["axis"]),
        "timeline": Timeline.read(form["timeline"]),
        "price": _credits(form["price"]),
        "body": parameters_as_json(own.pop("request")),
    }
    return Task(**{**own, **read})
