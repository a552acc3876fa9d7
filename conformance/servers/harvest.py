"""What was seen of one paid task, as a value: all the checks that can share the task judge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from safelight.conformance.servers.probe import Probe, poll
from safelight.contracts.lifecycle import FINAL, Phase
from safelight.contracts.workflows import workflow_of
from safelight.traffic.exchange import Exchange, object_of


@dataclass(slots=True)
class Harvest:
    """A paid task, from its submit to the picture."""

    operation: str
    document: Mapping[str, Any]
    probe: Probe
    #: Why it was paid for: the id of the check.
    check: str
    submitted: Exchange | None = None
    task_id: str | None = None
    #: The polls until the end, one after the other; those of them that were sent fast.
    polls: list[Exchange] = field(default_factory=list)
    burst: list[Exchange] = field(default_factory=list)
    #: Polls after the end that were sent at once.
    parallel: list[Exchange] = field(default_factory=list)
    #: Polls after the end, over the time in which nothing may change.
    settled: list[Exchange] = field(default_factory=list)
    #: The balance before the submit, after it, and once all tasks of the run have ended.
    balances: list[Exchange] = field(default_factory=list)
    #: Credits of tasks that were made from the first balance on: of those that did not fail, and of those of which
    #: nobody knows. And of those that failed, but were made earlier: they may be returned at any time.
    spent: float = 0
    lost: float = 0
    returned: float = 0
    picture: Exchange | None = None
    file: bytes = b""
    #: The id of the task that was made by the same request before.
    twin: str | None = None
    #: Why what is said to be the URL of the picture is none.
    no_url: str = ""
    #: Why nobody waits for its end any more, in words.
    given_up: str = ""
    #: Why something could not be seen, in a sentence.
    obstacle: str = ""

    @property
    def variant(self) -> str:
        """The name of the schema of its submit's answer."""
        if self.operation == "image_generation":
            return f"image_generation.response.{workflow_of(self.document.get('workflow')).variant}"
        return f"{self.operation}.response"

    @property
    def shown_by(self) -> Probe:
        """The request that shows it once more: a poll, or the submit where there is no task."""
        return poll(self.task_id) if self.task_id is not None else self.probe

    @property
    def reads(self) -> list[Exchange]:
        """All its polls."""
        return [*self.polls, *self.parallel, *self.settled]

    @property
    def is_settled(self) -> bool:
        """All balances are there."""
        return len(self.balances) == _BALANCES

    @property
    def last(self) -> Exchange | None:
        """The first poll that said how it ended."""
        return next((one for one in self.polls if one.phase in FINAL), None)

    @property
    def end(self) -> str:
        """How it ended, in words."""
        if self.task_id is None:
            return "no task was made"
        return f"the task {'failed' if self.has_failed else 'is done' if self.is_done else 'has not ended'}"

    @property
    def has_failed(self) -> bool:
        """It ended without a result."""
        return self.last is not None and self.last.phase is Phase.FAILED

    @property
    def is_done(self) -> bool:
        """It ended with a result."""
        return self.last is not None and self.last.phase is Phase.DONE


#: Before the submit, after it, and at the end of the run.
_BALANCES: Final = 3


def data_of(exchange: Exchange) -> Mapping[str, Any]:
    """The data of an answer; empty where there is none."""
    data = object_of(exchange.answer).get("data")
    return data if isinstance(data, dict) else {}


def balance_of(exchange: Exchange) -> float | None:
    """The balance that an answer says, or None."""
    value = data_of(exchange).get("balance")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
