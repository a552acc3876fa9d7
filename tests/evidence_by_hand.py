"""Evidence of one trial, built by hand: what a client sent, what it left behind, and how it ended."""

from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from safelight.conformance.clients.case import Trial
from safelight.conformance.clients.evidence import Ended, Evidence, Limits
from safelight.contracts import Axis, Phase, Provenance, Timeline, Violation
from safelight.mockserver.model.ledger import Entry
from safelight.mockserver.model.task import Task, parameters_as_json
from safelight.traffic.exchange import Exchange

KEY: Final = f"sk-{'5e' * 24}"
ENTRY: Final = "/v1/index.php"
ID: Final = "887b784f-0a39-47c0-9b8c-3d0f1f6e7a21"
OTHER: Final = "9007199254740993"
PICTURE: Final = b"\x89PNG of the task"

#: A trial of which one submit is to be accepted, and one in which none is or one.
ONE: Final = Trial("", {})
NONE_OR_ONE: Final = replace(ONE, accepted=(0, 1))

_JSON: Final = {"content-type": "application/json", "x-api-key": "sk-..."}


def sent(at: float, method: str, target: str, **more: Any) -> Exchange:
    """Any request, which was answered with 200 at once."""
    usual = {"headers": {"x-api-key": "sk-..."}, "body": b"", "status": 200, "media_type": "application/json"}
    return Exchange(at, method, target, **{**usual, "answer": b"", "took": 0.0, **more})


def submit(at: float = 0, **more: Any) -> Exchange:
    """A submit of one prompt, which was accepted."""
    usual: dict[str, Any] = {"operation": "image_generation", "task_id": ID, "headers": _JSON}
    body = b'{"prompt": "a lighthouse at dusk"}'
    return sent(at, "POST", f"{ENTRY}?endpoint=image_generation", **{**usual, "body": body, **more})


def poll(at: float, phase: Phase | None = Phase.RUNNING, task_id: str = ID, **more: Any) -> Exchange:
    """A poll, and what it was told."""
    target = f"{ENTRY}?endpoint=task_status&task_id={quote(task_id)}"
    usual: dict[str, Any] = {"operation": "task_status", "task_id": task_id, "phase": phase}
    return sent(at, "GET", target, **{**usual, **more})


def fetch(at: float = 9, **more: Any) -> Exchange:
    """A request for the picture."""
    usual: dict[str, Any] = {"operation": "upload", "headers": {}, "media_type": "image/png"}
    return sent(at, "GET", f"/uploads/{ID}.png", **{**usual, **more})


def dead(one: Exchange) -> Exchange:
    """The exchange, had its connection been reset before an answer."""
    return one._replace(wire="reset", status=0, fault="poll#1: reset")


def broken(one: Exchange, message: str) -> Exchange:
    """The exchange, had it broken the schema."""
    return one._replace(
        violations=(Violation("image_generation.request#maximum", "/width", message, Provenance.ASSUMED),)
    )


def task(task_id: str = ID, prompt: str = "a lighthouse at dusk") -> Task:
    """A task, which costs 10 credits."""
    body = parameters_as_json({"prompt": prompt})
    return Task(task_id, 1, "image_generation", "default", body, Timeline.of(), Axis.SECONDS, 0.0, 10)


def paid(*ids: str) -> dict[str, Any]:
    """The tasks and the ledger of so many accepted submits."""
    entries = [Entry(0.0, -10, task_id, "image_generation") for task_id in ids]
    return {"tasks": [task(task_id) for task_id in ids], "ledger": entries}


def ended(code: int | None = 0, stdout: str = "", stderr: str = "", **more: Any) -> Ended:
    """How one process ended."""
    return Ended(code, 1.0, stdout, stderr, **more)


def evidence(*exchanges: Exchange, **more: Any) -> Evidence:
    """What was seen: one task that was paid once, and one process that ended with 0 and saved the picture."""
    usual = {"key": KEY, "url": f"http://127.0.0.1:1{ENTRY}", "request": {}, "limits": Limits(0.2, 1.0, 6.0)}
    left = {"pictures": {ID: PICTURE}, "ended": [ended()], "files": [{"picture.png": PICTURE}]}
    return Evidence(**{**usual, **paid(ID), **left, "exchanges": exchanges, **more})
