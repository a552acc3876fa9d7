"""The core with one session on a virtual clock, and a client of it that holds each answer against the contract."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from safelight.contracts import Violation, operations, problems
from safelight.contracts.dialects import ERRORS
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.model.ledger import Ledger
from safelight.mockserver.model.messages import Reply, Request
from safelight.mockserver.model.session_state import Bounds
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task import Task
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.operations.results import picture_path
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.sessions.session import Session
from safelight.mockserver.storage.memory import MemoryStore
from safelight.traffic.journal import Journal

SUBMIT = "/v1/index.php?endpoint=image_generation"
#: Credits of whoever is not a matter of money.
RICH = 10**9
PNG = b"\x89PNG\r\n\x1a\n"


def status_of(task_id: str) -> str:
    """The target to poll a task with."""
    return f"/v1/index.php?endpoint=task_status&task_id={quote(task_id, safe='')}"


#: How files begin.
MAGIC = {"image/png": PNG, "video/webm": b"\x1a\x45\xdf\xa3"}


def violations(target: str, status: int, media_type: str, body: bytes, *, errors: str = "object") -> list[Violation]:
    """What in an answer is not as the contract says, for the request that was made; `errors` is the dialect."""
    if status == 200 and media_type in MAGIC:
        assert body.startswith(MAGIC[media_type])
        return []
    assert media_type == "application/json"
    operation = parse_qs(target.partition("?")[2]).get("endpoint", [""])[-1]
    return problems(f"{operation}.response" if status == 200 else ERRORS[errors], body)


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height, from the header of a PNG."""
    assert png.startswith(PNG)
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


class Fake:
    """One session; `options` are those of `task_profile`, for those who need no other settings.

    `checked` False: the ids are odd on purpose, and no answer with one is of its variant's schema.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        seed: int = 0,
        key: str = FAKE_KEY,
        store: MemoryStore | None = None,
        bounds: Bounds | None = None,
        any_key: bool = False,
        checked: bool = True,
        **options: Any,
    ) -> None:
        self.key = key
        self.checked = checked
        self.clock = VirtualClock()
        self.store = store or MemoryStore()
        settings = settings or Settings(task_profile(**options), balance=RICH)
        self.errors = settings.errors
        self.api = Service(
            settings=settings,
            seed=seed,
            store=self.store,
            clock=lambda: self.clock,
            any_key=any_key,
            bounds=bounds,
        )
        self.api.sessions.open(key)

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None = b"",
        headers: Mapping[str, str] | None = None,
        *,
        key: str | None = None,
    ) -> Reply:
        """The reply to any request; `key` "" sends none."""
        path, _, query = target.partition("?")
        sent = {"x-api-key": self.key if key is None else key, "content-type": "application/json", **(headers or {})}
        reply = self.api.handle(Request(method, path, query, sent if key != "" else dict(headers or {}), body))
        reply.deliver()
        if self.checked:
            assert violations(target, reply.status, reply.media_type, reply.body, errors=self.errors) == []
        return reply

    def ask(self, operation: str, key: str | None = None, **parameters: Any) -> Reply:
        """The reply of any operation: a POST where it is a submit."""
        target = f"/v1/index.php?endpoint={operation}"
        if operations()[operation].is_submit:
            return self.send("POST", target, json.dumps(parameters).encode(), key=key)
        return self.send("GET", "&".join([target, *(f"{name}={value}" for name, value in parameters.items())]), key=key)

    def data(self, operation: str, key: str | None = None, **parameters: Any) -> Any:
        """The data of an answer that is a success."""
        reply = self.ask(operation, key, **parameters)
        assert reply.status == 200, reply.body
        return json.loads(reply.body)["data"]

    def submitted(self, *, key: str | None = None, **parameters: Any) -> Any:
        """The data of the answer to a submit that is accepted."""
        reply = self.send("POST", SUBMIT, json.dumps({"prompt": "a lamp", **parameters}).encode(), key=key)
        assert reply.status == 200, reply.body
        return json.loads(reply.body)["data"]

    def submit(self, *, key: str | None = None, **parameters: Any) -> str:
        """The id of a new task."""
        return str(self.submitted(key=key, **parameters)["id"])

    def poll(self, task_id: str, *, key: str | None = None) -> Any:
        """The data of the answer to a poll."""
        reply = self.send("GET", status_of(task_id), key=key)
        assert reply.status == 200, reply.body
        return json.loads(reply.body)["data"]

    def word(self, task_id: str) -> str:
        """The status word that a poll gets."""
        return str(self.poll(task_id)["status"])

    def picture(self, task_id: str, method: str = "GET", **headers: str) -> Reply:
        """The reply to a fetch of a task's picture, without a key."""
        return self.send(method, picture_path(self.key, task_id), headers=headers, key="")

    def result(self, task_id: str) -> Reply:
        """The file of a task that is done, as the URL of its last poll says."""
        url = next(iter(self.poll(task_id)["result"].values()))
        return self.send("GET", urlsplit(url).path, key="")

    def next(self, **override: Any) -> None:
        """Settle something about a task to come."""
        self.session.override(TaskOverride(**override))

    @property
    def session(self) -> Session:
        """The session as it is now."""
        return self.session_of(self.key)

    def session_of(self, key: str) -> Session:
        """The session of another key."""
        state = self.store.look(fingerprint(key))
        assert state is not None
        return Session(state)

    @property
    def picture_owner(self) -> str:
        """What stands for the key in the URLs of pictures."""
        return fingerprint(self.key)

    @property
    def journal(self) -> Journal:
        return self.store.journal(fingerprint(self.key))

    @property
    def ledger(self) -> Ledger:
        return self.session.data.ledger

    @property
    def tasks(self) -> list[Task]:
        return self.session.tasks


def message_of(reply: Reply) -> str:
    """What an error says."""
    return str(json.loads(reply.body)["error"]["message"])
