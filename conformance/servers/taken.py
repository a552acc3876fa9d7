"""Whether a request has made a task: that is what costs."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from safelight.conformance.servers.probe import Probe
from safelight.contracts.lifecycle import Phase
from safelight.traffic.exchange import Exchange, object_of


@dataclass(frozen=True, slots=True)
class Created:
    """A task that the server has made, or may have made."""

    probe: Probe
    #: None: the answer was lost, or has no id that can be read.
    task_id: str | None
    price: float
    at: float


def is_taken(probe: Probe, exchange: Exchange) -> bool | None:
    """The server has made a task; None: nobody can tell."""
    document = object_of(exchange.answer)
    if document.get("success") is False:
        return False
    if _issues_an_id(probe, exchange):
        return True
    is_refused = document.get("error") not in (None, "") or (
        HTTPStatus.MULTIPLE_CHOICES <= exchange.status < HTTPStatus.INTERNAL_SERVER_ERROR
    )
    return False if is_refused or not probe.names_a_submit else None


def _issues_an_id(probe: Probe, exchange: Exchange) -> bool:
    """The answer is that to a submit: it has the id of a task, which is not the one that was asked about."""
    task_id = task_id_of(exchange)
    if task_id is None or quote(task_id, safe="", errors="surrogatepass") in probe.query:
        return False
    return probe.names_a_submit or object_of(exchange.answer)["data"].get("status") == Phase.QUEUED


def task_id_of(exchange: Exchange) -> str | None:
    """The id that a submit's answer issues, however it is written."""
    data = object_of(exchange.answer).get("data")
    task_id = data.get("id") if isinstance(data, dict) else None
    return str(task_id) if isinstance(task_id, str | int) and not isinstance(task_id, bool) and task_id != "" else None
