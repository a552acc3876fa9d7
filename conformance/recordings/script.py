"""A recording as the requests that can be sent again, each with what was recorded of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from safelight.conformance.oracle.answers import query_of
from safelight.conformance.recordings.checks import Asked
from safelight.conformance.recordings.judging import Judging
from safelight.conformance.recordings.shapes import Recorded, Seen
from safelight.conformance.recordings.speech import Speech
from safelight.conformance.servers.probe import WITH_KEY, Pocket, Probe
from safelight.conformance.servers.taken import task_id_of
from safelight.contracts import Operation, Phase
from safelight.contracts.dialects import PATHS
from safelight.contracts.secrets import MARK
from safelight.contracts.workflows import workflow_of
from safelight.traffic.exchange import Exchange, is_abridged, object_of
from safelight.traffic.recognition import recognized

#: Requests that are sent again.
MAX_REQUESTS: Final = 1_000

#: A key that was never issued, in the published form.
_WRONG_KEY: Final = "sk-" + "0" * 48

#: What stands in headers in the place of keys.
_KEY_HEADERS: Final = ("x-api-key", "authorization")


@dataclass(slots=True)
class Again:
    """A request that is sent again."""

    probe: Probe
    asked: str
    #: Of a submit, what kind of task it makes.
    task: str = ""
    #: Its task was polled, and seen last in this phase.
    is_polled: bool = False
    end: Phase | None = None


@dataclass(slots=True)
class Script:
    """Takes each exchange of a recording."""

    requests: list[Again] = field(default_factory=list)
    recorded: Recorded = field(default_factory=Recorded)
    judging: Judging = field(default_factory=Judging)
    #: Requests that cannot be sent again, and why.
    left_out: int = 0
    #: Key and id -> the submit that made the task.
    _of_tasks: dict[tuple[str, str], Again] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)

    def all(self, exchanges: Iterable[Exchange]) -> None:
        """Take a recording in, as far as it can be read. Raises `Unreadable` where that is nothing."""
        self.judging.all(self._each(exchanges))

    @property
    def unpolled(self) -> int:
        """Tasks that were made, and of which no poll was recorded."""
        return sum(not submit.is_polled for submit in self._of_tasks.values())

    def _each(self, exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
        for exchange in exchanges:
            yield exchange
            self._see(exchange)

    def _see(self, exchange: Exchange) -> None:
        asked = Asked(exchange, Speech())
        if not asked.is_of_api or exchange.wire or exchange.fault:
            return
        operation, known = asked.operation, _known(exchange)
        if operation and operation.name == "task_status" and operation.method == exchange.method:
            if issued := self._of_tasks.get((exchange.key, asked.query.get("task_id", ""))):
                self._poll(issued, known)
                return
            if exchange.status == HTTPStatus.OK:  # the task was made before, and whoever is asked now has none such
                self.left_out += 1
                return
        self._other(operation, known)

    def _poll(self, issued: Again, exchange: Exchange) -> None:
        seen = Seen(exchange, f"polls of {issued.task}", issued.task)
        issued.is_polled, issued.end = True, seen.phase or issued.end
        self.recorded.add(seen)

    def _other(self, operation: Operation | None, exchange: Exchange) -> None:
        again = _again(operation, exchange)
        if again is None or len(self.requests) >= MAX_REQUESTS:
            self.left_out += 1
            return
        self.recorded.add(Seen(exchange, again.asked, again.task))
        if again.task and (task_id := task_id_of(exchange)):
            self._of_tasks[exchange.key, task_id] = again
        if again.task or again.asked not in self._asked:  # what only reads is sent once
            self.requests.append(again)
        self._asked.add(again.asked)


def _known(exchange: Exchange) -> Exchange:
    """The exchange with its operation, whatever the path of the entry point was."""
    return recognized(exchange._replace(target=f"{PATHS['published']}?{exchange.target.partition('?')[2]}"))


def _again(operation: Operation | None, exchange: Exchange) -> Again | None:
    """The request of an exchange as it is sent again; None: it was not recorded whole."""
    body, query = exchange.body, urlencode(_parameters(exchange), quote_via=quote, errors="surrogatepass")
    is_cut = len(body) < (exchange.body_bytes or 0) and not body
    if is_cut or is_abridged(exchange):
        return None
    document = object_of(body)
    if "api_key" in document:
        body = json.dumps({name: value for name, value in document.items() if name != "api_key"}).encode()
    kinds = {"content-type": exchange.headers.get("content-type", "application/json")} if body else {}
    what = f"{operation.name if operation else 'a request'} {sha256(body).hexdigest()[:6] if body else ''}".strip()
    probe = Probe(
        what, exchange.method, query, {**_key(exchange), **kinds}, body, price=operation.price if operation else 0
    )
    probe = replace(probe, is_meant=probe.pocket is not Pocket.NONE)
    asked = f"{exchange.method} {query} {sha256(body).hexdigest() if body else ''} {sorted(probe.headers.items())}"
    return Again(probe, asked, _task_of(operation, exchange))


def _task_of(operation: Operation | None, exchange: Exchange) -> str:
    """What kind of task a submit makes: a workflow, or the operation."""
    if operation is None or not operation.is_submit or operation.method != exchange.method:
        return ""
    workflow = object_of(exchange.body).get("workflow")
    is_picture = operation.name == "image_generation"
    return workflow_of(workflow if isinstance(workflow, str) else None).name if is_picture else operation.name


def _parameters(exchange: Exchange) -> list[tuple[str, str]]:
    pairs = parse_qsl(exchange.target.partition("?")[2], keep_blank_values=True)
    return [(name, value) for name, value in pairs if name != "api_key"]


def _key(exchange: Exchange) -> dict[str, str]:
    """The headers for the key: none where none was sent, and a wrong one where that was refused."""
    has_one = any(name in exchange.headers for name in _KEY_HEADERS) or "api_key" in query_of(exchange)
    if exchange.status != HTTPStatus.UNAUTHORIZED:
        return dict(WITH_KEY)
    return {"x-api-key": _WRONG_KEY} if has_one or MARK.encode() in exchange.body else {}
