"""The one gate: each request of a run passes it, so that none costs more than is allowed or goes elsewhere.

It counts the budget down before it sends, keeps the rate and the time-out, puts the keys in, follows no redirect, and
keeps what went over the wire without keys. It sends nothing twice.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.metadata import version
from typing import Final, Self
from urllib.parse import quote, urlsplit

import httpx

from safelight.conformance.servers.budget import Budget
from safelight.conformance.servers.entry import Entry, is_loopback
from safelight.conformance.servers.probe import KEY, OTHER_KEY, Pocket, Probe
from safelight.contracts.dialects import PATHS
from safelight.contracts.operations import operations
from safelight.contracts.secrets import NO_KEYS, spelled, with_keys
from safelight.contracts.wording import echoed
from safelight.traffic.exchange import Exchange, object_of
from safelight.traffic.recognition import recognized
from safelight.traffic.redaction import without_keys

#: Bytes of an answer of the API, and of a picture.
MAX_ANSWER_BYTES: Final = 2_000_000
MAX_PICTURE_BYTES: Final = 100_000_000

#: Seconds that a picture may take, or more where a request may.
PICTURE_SECONDS: Final = 60.0

#: Requests a second to a server elsewhere, unless somebody says otherwise.
USUAL_RATE: Final = 2.0

#: Requests in a row that found no server; then the run ends.
_MAX_FAILURES: Final = 3

#: The path by which an operation is recognized, whatever that of the entry point is.
_USUAL_PATH: Final = PATHS["published"]

#: What is said of an answer that holds a key.
ECHOED: Final = "the answer"


@dataclass(eq=False)
class ServerGone(Exception):
    """The server cannot be reached any more."""

    why: str

    def __str__(self) -> str:
        return f"the server cannot be reached: {self.why}"


@dataclass(eq=False)
class NotAllowed(Exception):
    """A picture lives on a host that the run may not ask."""

    host: str

    def __str__(self) -> str:
        return f"the picture lives at {echoed(self.host)}, which this run may not ask: allow it by --allow-host"


@dataclass(frozen=True, slots=True)
class Created:
    """A task that the server has made, or may have made."""

    probe: Probe
    #: None: the answer was lost, or has no id that can be read.
    task_id: str | None
    price: float
    at: float


@dataclass(slots=True)
class Gate:
    """The way to a server: `send` and `fetch`."""

    entry: Entry
    key: str
    other_key: str = ""
    budget: Budget = field(default_factory=Budget)
    #: Requests a second; None: as many as there are.
    rate: float | None = None
    #: Seconds for one request, whole.
    timeout: float = 10
    allowed_hosts: frozenset[str] = frozenset()
    #: All that went over the wire, without keys, in the order of the answers.
    exchanges: list[Exchange] = field(default_factory=list)
    created: list[Created] = field(default_factory=list)
    _client: httpx.AsyncClient = field(init=False)
    _next: float = 0
    _failures: int = 0

    async def __aenter__(self) -> Self:
        agent = f"safelight/{version('safelight')}"
        self._client = httpx.AsyncClient(
            timeout=self.timeout,
            headers={"user-agent": agent, "accept": "*/*"},
            trust_env=not self.entry.is_loopback,
            limits=httpx.Limits(max_connections=20),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(self, probe: Probe, *, in_burst: bool = False) -> Exchange:
        """Send a probe once. Raises `NoBudget` before, and `ServerGone` where nobody is there any more.

        What is sent `in_burst` keeps no rate: that it is quick is what is asked.
        """
        _check(probe)
        self.budget.take(probe.pocket)
        if not in_burst:
            await self._turn()
        exchange = await self._exchange(probe)
        self._account(probe, exchange)
        self.exchanges.append(exchange)
        return exchange

    async def fetch(self, url: str) -> tuple[Exchange, bytes]:
        """A picture, without the key. Raises `NotAllowed`, and `ValueError` where the URL is none."""
        host = urlsplit(url).hostname or ""
        if host != self.entry.host and host not in self.allowed_hosts and not self._is_here(host):
            raise NotAllowed(host)
        await self._turn()
        seconds = max(self.timeout, PICTURE_SECONDS)
        request = httpx.Request("GET", url, extensions=_times(seconds))
        asked = Exchange(_now(), "GET", url, {}, b"", 0, "", b"")
        exchange, body = await self._sent(request, asked, MAX_PICTURE_BYTES, seconds)
        exchange = without_keys(exchange._replace(answer=b"", operation="upload"), self._keys)
        self.exchanges.append(exchange)
        return exchange, body

    def _is_here(self, host: str) -> bool:
        return self.entry.is_loopback and is_loopback(host)

    @property
    def _keys(self) -> frozenset[str]:
        return frozenset(with_keys(NO_KEYS, self.key, self.other_key))

    async def _turn(self) -> None:
        """Wait until the rate lets one more go."""
        if self.rate:
            now = time.monotonic()
            self._next = max(now, self._next) + 1 / self.rate
            await asyncio.sleep(self._next - 1 / self.rate - now)

    async def _exchange(self, probe: Probe) -> Exchange:
        target = f"{self.entry.path}?{self._with_keys(probe.query, is_query=True)}" if probe.query else self.entry.path
        headers = {name: self._with_keys(value) for name, value in probe.headers.items()}
        request = httpx.Request(
            probe.method,
            self.entry.origin,
            headers=[*self._client.headers.raw, *((name.encode(), _bytes(value)) for name, value in headers.items())],
            content=probe.body or None,
            extensions={"target": target.encode("ascii", "surrogateescape"), **_times(self.timeout)},
        )
        asked = Exchange(_now(), probe.method, target, headers, probe.body, 0, "", b"")
        exchange, body = await self._sent(request, asked, MAX_ANSWER_BYTES, self.timeout)
        usual = recognized(exchange._replace(answer=body, target=f"{_USUAL_PATH}?{target.partition('?')[2]}"))
        kept = without_keys(usual._replace(target=target), self._keys)
        return kept._replace(leaks=self._echoes(exchange, body))

    def _with_keys(self, text: str, *, is_query: bool = False) -> str:
        for mark, key in ((KEY, self.key), (OTHER_KEY, self.other_key)):
            text = text.replace(mark, quote(key, safe="") if is_query else key)
        return text

    def _echoes(self, exchange: Exchange, body: bytes) -> list[str]:
        """Where in the answer one of the keys stands."""
        keys = [spelling for key in (self.key, self.other_key) if key for spelling in spelled(key)]
        texts = {ECHOED: body.decode("utf-8", "replace")}
        texts |= {f"the header {name}": value for name, value in exchange.answer_headers.items()}
        return [place for place, text in texts.items() if any(key in text for key in keys)]

    async def _sent(
        self, request: httpx.Request, asked: Exchange, max_bytes: int, seconds: float
    ) -> tuple[Exchange, bytes]:
        """What came, whole or not. A failure below HTTP is said in `wire`."""
        body, wire, head = bytearray(), "", None
        began = time.monotonic()
        try:
            async with asyncio.timeout(seconds), self._answer(request) as head:
                async for chunk in head.aiter_bytes():
                    body += chunk
                    if len(body) > max_bytes:
                        wire = f"the answer is longer than {max_bytes:,} bytes"
                        break
            self._failures = 0
        except TimeoutError:
            wire = f"no {'end' if head else 'answer'} within {seconds:g} s"
        except httpx.ConnectError as error:
            self._failed(wire := _reason(error))
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
            wire = _reason(error)
        found = asked._replace(took=time.monotonic() - began, wire=wire, answer_bytes=len(body))
        if head is None:
            return found, b""
        kind = head.headers.get("content-type", "").partition(";")[0].strip()
        return found._replace(status=head.status_code, media_type=kind, answer_headers=_plain(head.headers)), bytes(
            body[:max_bytes]
        )

    @asynccontextmanager
    async def _answer(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        response = await self._client.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    def _failed(self, why: str) -> None:
        self._failures += 1
        if self._failures >= _MAX_FAILURES:
            raise ServerGone(why)

    def _account(self, probe: Probe, exchange: Exchange) -> None:
        """Give back what was not spent; keep each task that was made, or may have been."""
        taken = is_taken(exchange) if _may_make_a_task(probe) else False
        if taken is False or (taken is None and probe.pocket is Pocket.NONE):
            self.budget.give_back(probe.pocket)
            return
        if probe.pocket is Pocket.NONE:
            self.budget.charge()
        self.created.append(Created(probe, task_id_of(exchange), probe.price, exchange.at))


def is_taken(exchange: Exchange) -> bool | None:
    """The server has made a task; None: nobody can tell."""
    document = object_of(exchange.answer)
    is_refused = document.get("success") is False or document.get("error") not in (None, "")
    if task_id_of(exchange) is not None and not is_refused:
        return True
    if is_refused or HTTPStatus.MULTIPLE_CHOICES <= exchange.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    return None


def task_id_of(exchange: Exchange) -> str | None:
    """The id that a submit's answer issues, however it is written."""
    data = object_of(exchange.answer).get("data")
    task_id = data.get("id") if isinstance(data, dict) else None
    return str(task_id) if isinstance(task_id, str | int) and not isinstance(task_id, bool) and task_id != "" else None


def _may_make_a_task(probe: Probe) -> bool:
    return any(
        f"endpoint={operation.name}" in probe.query for operation in operations().values() if operation.is_submit
    )


def _check(probe: Probe) -> None:
    """What could be billed names what pays for it: a mistake of a check, found before it costs anything."""
    is_known = any(KEY in value for value in probe.headers.values()) or KEY in probe.query
    if probe.pocket is Pocket.NONE and _may_make_a_task(probe) and is_known:
        raise AssertionError(f"{probe.what}: a submit with the key has to name what pays for it")


def _now() -> float:
    return time.time()


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _times(seconds: float) -> Mapping[str, Mapping[str, float]]:
    return {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds)}


def _plain(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _reason(error: Exception) -> str:
    """A failure below HTTP, in a few words."""
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return said or type(error).__name__
