"""The fixture against a running fake: a session of its own for each test, told and asked over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Self

from safelight.contracts import Advice, Phase, Provenance, Timeline, Violation
from safelight.mockserver.control.client import ControlClient, ControlRefused
from safelight.mockserver.control.forms import timeline_form
from safelight.mockserver.faults.rules import read_rule
from safelight.mockserver.model.addresses import is_this_machine
from safelight.testing.external import not_here
from safelight.traffic import expectations
from safelight.traffic.exchange import Exchange
from safelight.traffic.expectations import Missed
from safelight.traffic.transcript import transcript

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safelight.testing.external import Server

#: What a session is not told: it is about this side.
_OURS: Final = frozenset({"contract", "virtual_time"})


def is_steerable(server: Server) -> bool:
    """A fake of ours answers there, on this machine, and lets itself be controlled. No other server is asked."""
    if not is_this_machine(server.host):
        return False
    try:
        return "paths" in ControlClient(server.url, server.api_key).openapi()
    except (ControlRefused, OSError, ValueError):
        return False


class ControlledServer:
    """What the fixture `safelight` is when `--safelight-url` is that of a running fake.

    Its time is the wall's, and what it does not have here is skipped. `control` is the client of the control routes.
    """

    def __init__(self, server: Server, key: str, told: Mapping[str, Any]) -> None:
        self.url, self.api_key = server.url, key
        self.control = ControlClient(server.url, key)
        self._server = server
        self.control.open(**{name: _form(value) for name, value in told.items() if name not in _OURS})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.control.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        not_here(f"safelight.{name}", self._server)

    def next(self, **said: Any) -> None:
        """Say something about the next task: `queued`, `running`, `fail`, `id`, `axis`, or a whole `timeline`."""
        self.control.next(**{name: _form(value) for name, value in said.items()})

    @property
    def journal(self) -> list[Exchange]:
        """Every exchange with the key so far."""
        return [_exchange(said) for said in self.control.journal()]

    @property
    def transcript(self) -> str:
        """What happened so far, as a table for people."""
        numbers = {task["id"]: task["number"] for task in self.control.tasks()}
        return transcript(self.journal, numbers)

    def assert_submitted_once(self) -> None:
        """Exactly one submit was accepted: each further one would be paid for."""
        __tracebackhide__ = True
        self._expect(expectations.submitted_once(self.journal))

    def assert_no_poll_after_end(self) -> None:
        """A client that was told that a task is done or failed did not ask about it again."""
        __tracebackhide__ = True
        self._expect(expectations.no_poll_after_end(self.journal))

    def assert_contract_kept(self) -> None:
        """Every request was one of the API's and fitted its schema."""
        __tracebackhide__ = True
        self._expect(expectations.contract_kept(self.journal))

    def assert_plan_delivered(self) -> None:
        """Each fault of the plan was delivered."""
        __tracebackhide__ = True
        undelivered = self.control.plan()["undelivered"]
        missed = [
            Missed(one["rule"], read_rule(one["rule"]).kind, one["reason"], one["was_due"]) for one in undelivered
        ]
        self._expect(expectations.plan_delivered(self.journal, missed))

    def _expect(self, wrong: expectations.UnmetExpectation | None) -> None:
        __tracebackhide__ = True
        if wrong:
            wrong.told = self.transcript
            raise wrong


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


def _exchange(said: Mapping[str, Any]) -> Exchange:
    """An exchange as the journal has it, from its form."""
    answer = said["answer"]
    return Exchange(
        at=said["at"],
        method=said["method"],
        target=said["target"],
        headers=said["headers"],
        body=said["body"].encode(),
        status=said["status"],
        media_type=said["media_type"],
        answer=b"" if answer is None else json.dumps(answer).encode(),
        operation=said["operation"],
        task_id=said["task_id"],
        phase=said["phase"] and Phase(said["phase"]),
        violations=_violations(said["violations"]),
        advice=[Advice("", message, Provenance.ASSUMED) for message in said["advice"]],
        fault=said["fault"],
        wire=said["wire"],
        gap=said["gap"],
    )


def _violations(said: Sequence[Mapping[str, str]]) -> list[Violation]:
    return [Violation(one["rule"], "", one["message"], Provenance.ASSUMED) for one in said]
