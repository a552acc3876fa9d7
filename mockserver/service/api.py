"""The core: a request goes in, a reply comes out. No I/O and no timers; every transport calls `Api.handle`."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts import Advice, Phase, Provenance, Violation, advice, parse
from safelight.contracts.dialects import PATHS
from safelight.contracts.operations import clamped, defaults
from safelight.contracts.validation import violations
from safelight.contracts.wording import did_you_mean, shown
from safelight.mockserver.faults.directives import Directive, directive_in
from safelight.mockserver.faults.plan import Strike
from safelight.mockserver.faults.rules import PlannedRequest
from safelight.mockserver.model.clock import Clock, RealClock
from safelight.mockserver.model.keys import FORM, digest, sent_key
from safelight.mockserver.model.messages import Refused, Reply, Request, failure, in_dialect, parameters, success
from safelight.mockserver.model.second_origin import at_home, leaks
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.operations import Call, Endpoint, operations
from safelight.mockserver.operations.results import UPLOADS
from safelight.mockserver.service.hints import key_elsewhere, operation_in_path, parameter_near_endpoint, stranger
from safelight.mockserver.service.in_flight import InFlight
from safelight.mockserver.service.openapi_paths import DOCUMENTS, document, published
from safelight.mockserver.service.uploads import Uploads
from safelight.mockserver.sessions.session import Session
from safelight.mockserver.storage.memory import MemoryStore, NoSession, Store
from safelight.traffic.exchange import Exchange
from safelight.traffic.redaction import redacted, redacted_again, redacted_bytes, without_key, without_secrets

if TYPE_CHECKING:
    from safelight.mockserver.faults.rules import FaultRule

#: The paths that answer, all alike.
BASE_PATHS: Final = frozenset(PATHS.values())

#: Violations and advice looked for in one request: a hostile one has any number.
_MOST: Final = 20

#: Bytes of a body that takes so long to check that a transport does better to call from a worker thread.
_HEAVY: Final = 20_000

#: Sessions kept while any key is welcome.
_MOST_SESSIONS: Final = 1_000

#: Bytes of an answer that are written down. The fake's own are far smaller; a fault's need not be.
_MOST_KEPT: Final = 100_000

#: Bytes that a key can take, whatever its spelling.
_LONGEST_KEY: Final = 2_000

#: How many of them are looked at when another one comes: however many there are, that takes no longer.
_A_FEW: Final = 16

#: Is told of each exchange, with the session or None.
Listener = Callable[[Session | None, Exchange], None]


#: What a service answers that failed in the middle.
_CRASHED: Final = failure(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error")

_UNKNOWN_KEY: Final = "Unauthorized: Invalid API Key"

_LOG: Final = logging.getLogger("safelight")


class _Struck(Exception):
    """A fault of the plan strikes before the request is carried out."""


@dataclass(slots=True)
class _Seen:
    """What answering one request brought to light, for the journal."""

    session: Session | None
    #: The key that came, and in which way.
    sent: str = ""
    way: str = ""
    operation: str | None = None
    task_id: str | None = None
    phase: Phase | None = None
    violations: Sequence[Violation] = ()
    advice: Sequence[Advice] = ()
    #: The rule of the session's plan that strikes.
    struck: Strike | None = None


class Api:
    """The API of the fake: sessions by key, and `handle`. Safe to call from several threads."""

    def __init__(
        self,
        *,
        keys: Iterable[str] = (),
        any_key: bool = False,
        settings: Settings | None = None,
        seed: int = 0,
        clock: Callable[[], Clock] = RealClock,
        store: Store | None = None,
        listener: Listener | None = None,
        openapi_paths: bool = False,
    ) -> None:
        self.store = store or MemoryStore()
        #: The exchanges under way: transports enter it.
        self.in_flight = InFlight()
        self._any_key = any_key
        #: Those of sessions that are given no others.
        self.settings = settings or Settings()
        self._seed = seed
        self._clock = clock
        self._time = clock()
        self._listener = listener
        self._watchers: list[Listener] = []
        #: By the digest of their keys.
        self._sessions: dict[str, Session] = {}
        #: Keys that were welcomed because any key is, the least recently used first.
        self._guests: OrderedDict[str, None] = OrderedDict()
        self._opening = Lock()
        self._uploads = Uploads()
        self._openapi_paths = openapi_paths
        for key in keys:
            self.open(key)

    def open(
        self, key: str, *, settings: Settings | None = None, clock: Clock | None = None, seed: int | None = None
    ) -> Session:
        """Begin a session for this key, or begin it anew: with nothing in it."""
        if not FORM.fullmatch(key):
            raise ValueError("this is no API key: a header carries 1 to 200 visible ASCII characters")
        if before := self._sessions.get(digest(key)):
            before.is_over = True
        session = Session(key, self.store, settings or self.settings, self._seed if seed is None else seed)
        self.store.open(key, clock or self._clock())
        session.began = session.now()
        self._sessions[digest(key)] = session
        self._uploads.open(session)
        return session

    def close(self, key: str) -> None:
        """Forget a session and all that it kept. Its key is unknown from now on."""
        session = self._sessions.pop(digest(key), None)
        if session is None:
            return
        session.is_over = True
        self._uploads.close(session)
        self._guests.pop(key, None)
        self.store.close(key)

    def find(self, key: str) -> Session | None:
        """The session of this key. Where any key is welcome, it is opened."""
        return self._session(key)

    @contextmanager
    def watched(self, watcher: Listener) -> Iterator[None]:
        """While the block runs, tell this one too of each exchange, once it is written down."""
        self._watchers.append(watcher)
        try:
            yield
        finally:
            self._watchers.remove(watcher)

    def is_heavy(self, request: Request) -> bool:
        """Answering takes long enough, or waits, that an event loop is better left alone."""
        return self.store.does_io or at_home(request).path.startswith(UPLOADS) or len(request.body or b"") > _HEAVY

    def handle(self, request: Request) -> Reply:
        """Answer one request, and write it down."""
        key, way = sent_key(request)
        seen = _Seen(self._session(key), key, way)
        try:
            reply = self._reply(at_home(request), seen)
        except _Struck:
            reply = _CRASHED
        except Refused as refused:
            seen.task_id = seen.task_id or refused.task_id
            reply = failure(refused.status, refused.message, refused.headers)
        except NoSession:  # it was closed while this request was under way, and perhaps begun anew
            if self._session(key) not in (None, seen.session):
                return self.handle(request)
            reply = failure(HTTPStatus.UNAUTHORIZED, _UNKNOWN_KEY)
        except Exception:  # noqa: BLE001 - whatever is wrong here, a client gets the published envelope
            _LOG.exception("the fake failed to answer %s", redacted(f"{request.method} {request.path}", _key(seen)))
            reply = _CRASHED
        errors = (seen.session.settings if seen.session else self._settings_for_strangers()).errors
        reply = in_dialect(reply, errors)
        if seen.struck:
            reply = self._spoilt(reply._replace(request=request), seen, seen.struck, errors)
        self._record(request, reply, seen)
        return reply

    def _spoilt(self, reply: Reply, seen: _Seen, struck: Strike, errors: str) -> Reply:
        """The reply with its fault; one that finds nothing to spoil in what was due did not strike."""
        try:
            spoilt = in_dialect(struck.rule.fault.strike(reply), errors)
        except Exception:  # noqa: BLE001 - whatever is wrong here, a client gets the published envelope
            _LOG.exception("the fault %s failed", redacted(str(struck.rule), _key(seen)))
            return _CRASHED
        if spoilt == reply and struck.rule.after:
            struck.spare()
            seen.struck = None
            return reply
        return spoilt._replace(on_delivery=struck.deliver)

    def _settings_for_strangers(self) -> Settings:
        """Those of the only session that there is, if there is one alone."""
        sessions = tuple(self._sessions.values())
        return sessions[0].settings if len(sessions) == 1 else self.settings

    def _reply(self, request: Request, seen: _Seen) -> Reply:
        if request.path.startswith(UPLOADS):
            return self._upload(request, seen)
        if self._openapi_paths and request.path in DOCUMENTS:
            return document(request)
        return _answer(published(request) if self._openapi_paths else request, seen)

    def _upload(self, request: Request, seen: _Seen) -> Reply:
        seen.operation = "upload"
        seen.session, task = self._uploads.find(request)
        seen.task_id, seen.phase = task.id, seen.session.state(task).phase
        with seen.session.lock:
            _strike(seen, task.id, {})
        return self._uploads.reply(seen.session, task)

    def _session(self, key: str) -> Session | None:
        return self._welcomed(key) if self._any_key and FORM.fullmatch(key) else self._sessions.get(digest(key))

    def _welcomed(self, key: str) -> Session:
        """The session that any key opens: once, however many threads bring the key at the same time."""
        with self._opening:
            if digest(key) not in self._sessions:
                self._make_room()
                self.open(key)
                self._guests[key] = None
            elif key in self._guests:
                self._guests.move_to_end(key)
            return self._sessions[digest(key)]

    def _make_room(self) -> None:
        """Close the guests' sessions in which nothing lives, the least recently used first, where many came."""
        surplus = len(self._guests) + 1 - _MOST_SESSIONS
        for key in list(islice(self._guests, min(surplus, _A_FEW))) if surplus > 0 else ():
            if self.store.is_idle(key):
                self.close(key)
            else:
                self._guests.move_to_end(key)

    def _now(self, session: Session | None) -> float:
        try:
            return (session or self._time).now()
        except NoSession:
            return self._time.now()

    def _record(self, request: Request, reply: Reply, seen: _Seen) -> None:
        session, key = seen.session, _key(seen)
        exchange = Exchange(
            at=self._now(session),
            method=redacted(request.method, key),
            target=redacted_again(f"{request.path}?{request.query}".rstrip("?"), key),
            headers=without_secrets(request.headers, key),
            body=redacted_bytes(request.body or b"", key),
            status=reply.status,
            media_type=reply.media_type,
            answer=_kept(reply, key),
            operation=seen.operation,
            task_id=seen.task_id and redacted(seen.task_id, key),
            phase=seen.phase,
            violations=[without_key(violation, key) for violation in seen.violations],
            advice=[without_key(advice, key) for advice in (*leaks(request), *seen.advice)],
            fault=str(seen.struck.rule) if seen.struck else "",
            wire=reply.wire.name if reply.wire and not reply.wire.whole else "",
        )
        if session and seen.sent not in ("", session.key):  # the picture of another one's
            exchange = exchange._replace(
                target=redacted(exchange.target, seen.sent), headers=without_secrets(exchange.headers, seen.sent)
            )
        kept = self.store.record(session.key if session else None, exchange)
        if self._listener:
            self._listener(session, kept)
        for watcher in tuple(self._watchers):
            watcher(session, kept)


def _kept(reply: Reply, key: str) -> bytes:
    """An answer as it is written down: JSON, without keys, nor half a key at the end of what is too large."""
    if reply.media_type != "application/json":
        return b""
    kept = redacted_bytes(reply.body[:_MOST_KEPT], key)
    return kept if len(reply.body) <= _MOST_KEPT else kept[:-_LONGEST_KEY]


def _key(seen: _Seen) -> str:
    """The key that nothing written down may hold: the session's, or one that nobody knows here and may be real."""
    return seen.session.key if seen.session else seen.sent if len(seen.sent) >= _LONG else ""


#: Characters of a key that is not a word which may stand anywhere.
_LONG: Final = 8


def _answer(request: Request, seen: _Seen) -> Reply:
    """The reply of the operation that was asked for, or `Refused`: what for, by whom, with what, in this order."""
    operation = _dispatch(request)
    seen.operation = operation.name
    if seen.session is None or seen.session.revoked:
        seen.advice = stranger(request, seen.session)
        raise Refused(HTTPStatus.UNAUTHORIZED, _UNKNOWN_KEY)
    document, seen.violations, seen.advice = _checked(operation, request, seen.session.settings.limits)
    if place := key_elsewhere(seen.way):
        seen.advice = [*place, *seen.advice]
    with seen.session.lock:  # so that what is counted as the second poll is answered as the second
        if seen.session.is_over:
            raise NoSession
        told = _told(seen.session, document) if operation.stated.is_submit and not seen.violations else None
        if seen.session.plan:
            _strike(seen, _task_asked_for(seen.session, document), document)
        if seen.violations:
            raise Refused(400, _sentence(seen.violations))
        if told:
            document = {**document, "prompt": told.prompt}
            _strike_here(seen, told.on_submit)
        answer = operation.answer(Call(seen.session, request, document, told.life if told else None))
        if told and answer.task_id:
            seen.session.plan.add_for(answer.task_id, told.rules_of(answer.task_id))
    seen.task_id, seen.phase = answer.task_id, answer.phase
    return success(answer.data)


def _told(session: Session, document: Mapping[str, Any]) -> Directive | None:
    """What the prompt of a submit says about its task. One with a mistake is refused, with the sentence."""
    if not session.settings.directives:
        return None
    try:
        told = directive_in(document)
        if told and told.life:
            session.check(told.life)
    except ValueError as error:
        raise Refused(400, f"Invalid directive: {error}") from None
    return told


def _strike_here(seen: _Seen, rule: FaultRule | None) -> None:
    """A rule of the request's own strikes it, unless one of the plan does."""
    if rule is None or seen.struck:
        return
    seen.struck = Strike(rule, lambda: None, lambda: None)
    if not rule.after:
        raise _Struck


def _strike(seen: _Seen, task_id: str, document: Mapping[str, Any]) -> None:
    """Look whether the plan has a rule for this request. One that strikes before it is carried out ends it here."""
    session, operation = seen.session, seen.operation
    assert session is not None
    assert operation is not None
    asked = PlannedRequest(operation, task_id, lambda: _facts(session, operation, task_id, document), session.passed)
    seen.struck = session.plan.due(asked)
    if seen.struck and not seen.struck.rule.after:
        seen.task_id = task_id or None
        raise _Struck


def _facts(session: Session, operation: str, task_id: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a rule can ask of a request: its parameters, and those of the task that it is about."""
    task = session.find(task_id) if task_id else None
    own = {**task.request, "workflow": task.workflow, "task_id": task.id} if task else {**_usual(operation), **document}
    return {**own, "operation": task.operation if task else operation}


def _usual(operation: str) -> Mapping[str, Any]:
    return defaults(operation, "default") if operation in operations() else {}


def _task_asked_for(session: Session, document: Mapping[str, Any]) -> str:
    """The id in a request that is about a task of the session, else nothing."""
    task_id = document.get("task_id")
    return task_id if isinstance(task_id, str) and session.find(task_id) else ""


def _dispatch(request: Request) -> Endpoint:
    if request.path not in BASE_PATHS:
        near = operation_in_path(request.path)
        raise Refused(
            404, f"Unknown path {shown(request.path)}: the API answers under /v1/index.php?endpoint=NAME{near}"
        )
    name = parameters(request.query).get("endpoint")
    if not name:
        near = parameter_near_endpoint(request)
        raise Refused(404, f"Missing endpoint: add ?endpoint= with one of {', '.join(operations())}{near}")
    operation = operations().get(name)
    if operation is None:
        raise Refused(404, f"Unknown endpoint {shown(name)}{did_you_mean(name, operations())}")
    if request.method != operation.method:
        message = f"Method not allowed: {name} takes {operation.method}, not {shown(request.method)}"
        raise Refused(405, message, {"allow": operation.method})
    return operation


#: What the operation was sent, what is wrong with it, and what in it has no effect.
_Checked = tuple[Mapping[str, Any], Sequence[Violation], Sequence[Advice]]


def _checked(operation: Endpoint, request: Request, limits: str) -> _Checked:
    if operation.method == "GET":
        return _checked_query(operation.schema, request.query)
    if request.body is None:
        raise Refused(413, "Request body too large: it is over the limit of this server")
    parsed = parse(request.body, max_violations=_MOST)
    if parsed.violations:
        return {}, parsed.violations, _content_advice(request)
    document, lowered = clamped(operation.name, parsed.document) if limits == "clamp" else (parsed.document, [])
    found = violations(operation.schema, document, max_violations=_MOST)
    remarks = [] if found else advice(document, operation.schema, max_advice=_MOST)
    return document, found, [*_content_advice(request), *map(_lowered, lowered), *remarks]


def _lowered(name: str) -> Advice:
    return Advice(f"/{name}", f"{name} was over its maximum, and is brought down to it", Provenance.ASSUMED)


@lru_cache(256)
def _checked_query(schema: str, text: str) -> _Checked:
    """Kept, as a client asks the same again and again."""
    query = parameters(text)
    found = violations(schema, query, max_violations=_MOST)
    return query, found, () if found else advice(query, schema, max_advice=_MOST)


def _sentence(found: Sequence[Violation]) -> str:
    first, *others = found
    more = ", ".join(dict.fromkeys(violation.rule for violation in others))
    return f"Invalid request: {first.message}" + (f" (and also broken: {more})" if more else "")


def _content_advice(request: Request) -> list[Advice]:
    """The service reads the body as JSON whatever it is called; other servers might not."""
    stated = request.headers.get("content-type", "")
    if stated.partition(";")[0].strip().casefold() == "application/json":
        return []
    return [Advice("", f"the content type is {shown(stated)}; the service documents application/json", Provenance.SEED)]
