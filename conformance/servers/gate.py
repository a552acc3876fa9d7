"""The one gate: each request of a run passes it, so that none costs more than is allowed or goes elsewhere.

It counts the budget down before it sends, keeps the rate and the time-out, puts the keys in, follows no redirect, and
keeps what went over the wire without keys. It sends nothing twice.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final, Self
from urllib.parse import quote

import httpx

from safelight.conformance.servers.budget import Budget
from safelight.conformance.servers.entry import Entry, is_loopback
from safelight.conformance.servers.probe import KEY, OTHER_KEY, Pocket, Probe
from safelight.conformance.servers.sending import ServerGone, client_of, request_of, sent
from safelight.conformance.servers.taken import Created, is_taken, task_id_of
from safelight.contracts.dialects import PATHS
from safelight.contracts.secrets import NO_KEYS, spelled, with_keys
from safelight.contracts.wording import echoed
from safelight.traffic.exchange import Exchange
from safelight.traffic.recognition import recognized
from safelight.traffic.redaction import without_keys

#: Bytes of an answer of the API, and of a picture.
MAX_ANSWER_BYTES: Final = 2_000_000
MAX_PICTURE_BYTES: Final = 100_000_000

#: Seconds that a picture may take, or more where a request may.
PICTURE_SECONDS: Final = 60.0

#: Requests a second to a server elsewhere, unless somebody says otherwise.
USUAL_RATE: Final = 2.0

_PORTS: Final = 2**16

#: The path by which an operation is recognized, whatever that of the entry point is.
_USUAL_PATH: Final = PATHS["published"]

#: What is said of an answer that holds a key.
ECHOED: Final = "the answer"


@dataclass(eq=False)
class NotAllowed(Exception):
    """A picture lives on a host that the run may not ask."""

    host: str

    def __str__(self) -> str:
        return f"the picture lives at {echoed(self.host)}, which this run may not ask: allow it by --allow-host"


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
    #: The probes among them, each with its answer.
    answered: list[tuple[Probe, Exchange]] = field(default_factory=list)
    created: list[Created] = field(default_factory=list)
    _client: httpx.AsyncClient = field(init=False)
    _next: float = 0

    async def __aenter__(self) -> Self:
        self._client = client_of(self.entry, httpx.Limits(max_connections=20))
        self._client.headers.update({"user-agent": f"safelight/{version('safelight')}", "accept": "*/*"})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(self, probe: Probe, *, in_burst: bool = False) -> Exchange:
        """Send a probe once. Raises `NoBudget` before, and `ServerGone` where nobody is there any more.

        What is sent `in_burst` keeps no rate: that it is quick is what is asked.
        """
        self.budget.take(probe.pocket)
        if not in_burst:
            await self._turn()
        at = _now()
        try:
            exchange = await self._exchange(probe, at)
        except ServerGone:
            self.budget.give_back(probe.pocket)
            raise
        except asyncio.CancelledError:
            if probe.names_a_submit:
                self.created.append(Created(probe, None, probe.price, at))
            raise
        self._account(probe, exchange)
        self.exchanges.append(exchange)
        self.answered.append((probe, exchange))
        return exchange

    async def fetch(self, url: str) -> tuple[Exchange, bytes]:
        """A picture, without the key. Raises `NotAllowed`, and `ValueError` where the URL is none."""
        host, request = _picture(url)
        if host != self.entry.host and host not in self.allowed_hosts and not self._is_here(host):
            raise NotAllowed(host)
        await self._turn()
        asked = Exchange(_now(), "GET", url, {}, b"", 0, "", b"")
        seconds = max(self.timeout, PICTURE_SECONDS)
        try:
            exchange, body = await sent(self._client, request, asked, max_bytes=MAX_PICTURE_BYTES, seconds=seconds)
        except ServerGone as gone:  # pictures may live where the API does not
            exchange, body = asked._replace(wire=gone.why), b""
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

    async def _exchange(self, probe: Probe, at: float) -> Exchange:
        target = f"{self.entry.path}?{self._with_keys(probe.query, is_query=True)}" if probe.query else self.entry.path
        headers = {name: self._with_keys(value) for name, value in probe.headers.items()}
        asked = Exchange(at, probe.method, target, headers, probe.body, 0, "", b"")
        try:
            request = self._request(asked)
        except httpx.InvalidURL as error:  # such as one with an id of a megabyte
            exchange, body = asked._replace(wire=f"not sent: {error}"), b""
        else:
            exchange, body = await sent(self._client, request, asked, max_bytes=MAX_ANSWER_BYTES, seconds=self.timeout)
        usual = recognized(exchange._replace(answer=body, target=f"{_USUAL_PATH}?{target.partition('?')[2]}"))
        kept = without_keys(usual._replace(target=target), self._keys)
        return kept._replace(leaks=self._echoes(exchange, body))

    def _request(self, asked: Exchange) -> httpx.Request:
        own = [(name.encode(), _bytes(value)) for name, value in asked.headers.items()]
        return request_of(self.entry, asked, [*self._client.headers.raw, *own])

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

    def _account(self, probe: Probe, exchange: Exchange) -> None:
        """Give back what was not spent; keep each task that was made, or may have been."""
        if is_taken(probe, exchange) is False:
            self.budget.give_back(probe.pocket)
            return
        if probe.pocket is Pocket.NONE:
            self.budget.charge()
        self.created.append(Created(probe, task_id_of(exchange), probe.price, exchange.at))


def _picture(url: str) -> tuple[str, httpx.Request]:
    """The host that would be asked, as the client reads the URL, and the request. Raises `ValueError`."""
    try:
        request = httpx.Request("GET", url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError(str(error)) from None
    if request.url.scheme not in ("http", "https") or not request.url.host:
        raise ValueError("it names no host")
    if request.url.port is not None and not 0 < request.url.port < _PORTS:
        raise ValueError("its port is none")
    return request.url.host, request


def _now() -> float:
    return time.time()


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")
