"""The fake as the goldens know it. The only file here that imports safelight: where that changes, this one follows."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from json_store import JsonStore
from safelight.contracts import Timeline
from safelight.contracts.operations import operations
from safelight.mockserver.faults.catalogue import faults
from safelight.mockserver.faults.rules import read_rules
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.credits import credits_of
from safelight.mockserver.model.engines import ENGINES
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.settings import Settings, User
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.model.wire import Send
from safelight.mockserver.operations.results import upload_path
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.sessions.session import Session
from safelight.mockserver.storage.memory import MemoryStore
from safelight.mockserver.storage.store import NoSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safelight.contracts import Advice, State, Violation
    from safelight.mockserver.model.messages import Reply
    from safelight.mockserver.model.task import Task
    from safelight.mockserver.model.task_profile import TaskProfile
    from safelight.mockserver.model.wire import Wire
    from safelight.mockserver.storage.store import Store
    from safelight.traffic.exchange import Exchange

#: A JSON object.
Object = dict[str, Any]

#: Names of the settings of a session that are handed over as they are.
_PLAIN: Final = ("slots", "vocabulary", "errors", "limits", "revoked", "directives")

#: Names of what a task profile fails by.
_FAILURES: Final = ("fail_rate", "fail_reason")


class Answer(NamedTuple):
    """One reply: what HTTP carries, and what happens below it."""

    status: int
    headers: Mapping[str, str]
    media_type: str
    body: bytes
    #: `{"name", "is_whole", "end", "steps": [["send", bytes, rate] or ["wait", seconds]]}`, or None.
    wire: Object | None
    #: A fault waits to be told that it was delivered.
    awaits_delivery: bool


def fault_names() -> list[str]:
    """What can go wrong, each as a plan calls it."""
    return list(faults())


def operation_names() -> list[str]:
    """The values of `endpoint`."""
    return list(operations())


def engine_names() -> list[str]:
    """What carries tasks out."""
    return list(ENGINES)


@dataclass
class Safelight:
    """The service with its sessions, each under a key, all on one virtual clock that begins at 0.

    `spec` is `{"seed", "any_key", "openapi_paths", "settings"}`; the settings are those of a session, see `open`, for
    keys that are welcome without one. The `store` is "memory" or "json".
    """

    spec: Object
    store: str = "memory"

    def __post_init__(self) -> None:
        self._clock = VirtualClock()
        self._store: Store = JsonStore(self._clock) if self.store == "json" else MemoryStore()
        self._api = Service(
            seed=self.spec.get("seed", 0),
            any_key=self.spec.get("any_key", False),
            openapi_paths=self.spec.get("openapi_paths", False),
            settings=_settings(self.spec.get("settings", {})),
            clock=lambda: self._clock,
            store=self._store,
        )

    def open(self, spec: Object) -> None:
        """Begin a session, or begin it anew. Raises `ValueError`.

        `{"key", "seed", "profile", "workflows": {kind: profile}, "slots", "vocabulary", "errors", "limits", "plan":
        [rule as a text], "balance": text, "prices": {operation: text}, "down": [engine], "user": {"id", "name"},
        "revoked", "directives"}`, all but the key optional. A task profile is `{"axis", "queued", "running",
        "timeline", "fail_rate", "fail_reason", "fail_nth"}`.
        """
        self._api.sessions.open(spec["key"], _settings(spec), seed=spec.get("seed"))

    def close(self, key: str) -> None:
        """Forget a session and its key."""
        self._api.sessions.close(key)

    def request(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes | None, *, delivered: bool
    ) -> Answer:
        """The reply to a request; `body` None is over the limit. Not `delivered`: the client left before it came."""
        reply = self._api.handle(Request(method, path, query, headers, body))
        if delivered:
            reply.deliver()
        return _answer(reply)

    def advance(self, seconds: float) -> None:
        """Let the clock of all sessions run."""
        self._clock.advance(seconds)

    def release(self, key: str, task_id: str, ticks: int) -> None:
        """Move a task along the axis of ticks. Raises `ValueError`."""
        with self._changing(key) as session:
            session.release(task_id, ticks)

    def next(self, key: str, override: Object) -> None:
        """Override the next task: `{"queued", "running", "fail", "id", "axis", "timeline": [step]}`. `ValueError`."""
        steps = override.get("timeline")
        life = {**override, "timeline": Timeline.read(map(_step, steps))} if steps else override
        with self._changing(key) as session:
            session.override(TaskOverride(**life))

    def fail(self, key: str, task_id: str, reason: str | None) -> bool:
        """Fail a task now, if it has not ended. False: it has, or there is none."""
        with self._changing(key) as session:
            return session.find(task_id) is not None and session.fail(task_id, reason)

    def plan_add(self, key: str, rule: str) -> None:
        """Plan one more fault rule. Raises `ValueError`."""
        with self._changing(key) as session:
            session.plan.add(rule)

    def plan_clear(self, key: str) -> None:
        """Plan nothing any more."""
        with self._changing(key) as session:
            session.plan.clear()

    def revoke(self, key: str) -> None:
        """Accept the key no longer."""
        with self._changing(key) as session:
            session.revoke()

    def journal(self, key: str) -> list[Object]:
        """What was written down with this key, one `exchange` each; of a key without a session nothing."""
        try:
            return [_exchange(exchange) for exchange in self._store.journal(fingerprint(key))]
        except NoSession:
            return []

    def orphans(self) -> list[Object]:
        """What was written down without a usable key."""
        return [_exchange(exchange) for exchange in self._store.journal(None)]

    def ledger(self, key: str) -> Object:
        """`{"entries": [[seconds, credits, task, reason]], "total", "left"}`, credits as texts."""
        with self._changing(key) as session:
            ledger, left = session.ledger, session.credits
        entries = [[entry.at, _written(entry.credits), entry.task_id, entry.reason] for entry in ledger]
        return {"entries": entries, "total": _written(ledger.total), "left": _written(left)}

    def plan(self, key: str) -> Object:
        """`{"rules": [[rule, times struck, times delivered]], "undelivered": [[rule, reason, was due]]}`."""
        plan = self._session(key).plan
        rules = [[str(rule), struck, delivered] for rule, struck, delivered in plan.counts()]
        missed = [[missed.rule, missed.reason, missed.was_due] for missed in plan.undelivered()]
        return {"rules": rules, "undelivered": missed}

    def tasks(self, key: str) -> list[Object]:
        """What was accepted, in the order of the submits; of a key without a session nothing."""
        session = self._session(key) if self.is_open(key) else None
        return [_task(session, task) for task in session.tasks] if session else []

    def task_ids(self, key: str) -> list[str]:
        """The ids of those."""
        return [task.id for task in self._session(key).tasks] if self.is_open(key) else []

    def picture_path(self, key: str, task_id: str) -> str:
        """Where the file that comes of a task is served; of no task, a path where none is."""
        task = self._session(key).find(task_id) if self.is_open(key) else None
        return upload_path(key, task) if task else "/uploads/0123456789abcdef/none.png"

    def is_open(self, key: str) -> bool:
        """The key has a session."""
        return self._store.look(fingerprint(key)) is not None

    @contextmanager
    def _changing(self, key: str) -> Iterator[Session]:
        self._session(key)
        with self._api.sessions.enter(key) as session:
            yield session

    def _session(self, key: str) -> Session:
        state = self._store.look(fingerprint(key))
        if state is None:
            raise ValueError("no session is open for this key")
        return Session(state)


def _settings(spec: Object) -> Settings:
    said: Object = {name: spec[name] for name in _PLAIN if name in spec}
    if "balance" in spec:
        said["balance"] = credits_of(spec["balance"])
    if "user" in spec:
        said["user"] = User(spec["user"]["id"], spec["user"]["name"])
    return Settings(
        profile=_profile(spec.get("profile", {})),
        workflows={kind: _profile(profile) for kind, profile in spec.get("workflows", {}).items()},
        plan=tuple(map(str, read_rules(spec.get("plan", ())))),
        prices={name: credits_of(price, "price") for name, price in spec.get("prices", {}).items()},
        down=frozenset(spec.get("down", ())),
        **said,
    )


def _profile(spec: Object) -> TaskProfile:
    failures: Object = {name: spec[name] for name in _FAILURES if name in spec}
    failures["fail_nth"] = frozenset(spec.get("fail_nth", ()))
    said: Object = {}
    if "timeline" in spec:
        said["timeline"] = Timeline.read(map(_step, spec["timeline"]))
    elif spec.get("axis", "seconds") == "seconds":
        said |= {"queued": spec.get("queued"), "running": spec.get("running")}
    else:
        said[spec["axis"]] = (spec["queued"], spec["running"])
    return replace(task_profile(**said), **failures)


def _step(written: Any) -> Any:
    return tuple(written) if isinstance(written, list) else written


def _answer(reply: Reply) -> Answer:
    wire = _wire(reply.wire) if reply.wire else None
    return Answer(reply.status, reply.headers, reply.media_type, reply.body, wire, reply.on_delivery is not None)


def _wire(wire: Wire) -> Object:
    steps = [
        ["send", step.data, float(step.rate)] if isinstance(step, Send) else ["wait", step.seconds]
        for step in wire.steps
    ]
    return {"name": wire.name, "is_whole": wire.whole, "end": str(wire.end), "steps": steps}


def _exchange(exchange: Exchange) -> Object:
    return {
        "at": exchange.at,
        "method": exchange.method,
        "target": exchange.target,
        "headers": dict(exchange.headers),
        "body": exchange.body,
        "status": exchange.status,
        "media_type": exchange.media_type,
        "answer": exchange.answer,
        "operation": exchange.operation,
        "task_id": exchange.task_id,
        "phase": exchange.phase and str(exchange.phase),
        "outcome": exchange.outcome,
        "rules": [[each.rule, *_said(each)] for each in exchange.violations],
        "advice": [_said(each) for each in exchange.advice],
        "fault": exchange.fault,
        "wire": exchange.wire,
        "gap": exchange.gap,
    }


def _said(found: Violation | Advice) -> list[str]:
    return [found.pointer, found.message, str(found.provenance)]


def _task(session: Session, task: Task) -> Object:
    return {
        "id": task.id,
        "number": task.number,
        "operation": task.operation,
        "workflow": task.workflow,
        "request": dict(task.request),
        "seed": task.seed,
        "axis": str(task.axis),
        "submitted": task.submitted,
        "price": _written(task.price),
        "answered": session.answered(task.id),
        "state": _state(session.state(task)),
    }


def _state(state: State) -> Object:
    return {**state._asdict(), "phase": str(state.phase)}


def _written(credits_: int | Decimal) -> str:
    return f"{Decimal(credits_).normalize():f}"
