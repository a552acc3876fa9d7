"""Exchanges of the API as somebody recorded them, built by hand: what a server may have said, and what none may."""

import json
from typing import Any, Final

from safelight.traffic.exchange import Exchange

UUID = "a1b2c3d4-5e6f-7a8b-9c0d-1e2f3a4b5c6d"
URL = "https://pictures.example/1.png"

#: What ends a poll without an answer.
LOST: Final[dict[str, Any]] = {"wire": "reset", "status": 0, "answer": b""}


def success(**data: Any) -> bytes:
    """The envelope of a success."""
    return json.dumps({"success": True, "data": data, "error": None}).encode()


def error(message: str = "no") -> bytes:
    """The envelope of an error."""
    return json.dumps({"success": False, "data": None, "error": {"message": message}}).encode()


def exchange(method: str, query: str, at: float, said: bytes, /, **more: Any) -> Exchange:
    """An exchange that took a tenth of a second, unless it says otherwise."""
    usual = {"status": 200, "took": 0.1, "body": b"", "headers": {}, "media_type": "application/json", "answer": said}
    return Exchange(at=at, method=method, target=f"/v1/index.php?endpoint={query}", **{**usual, **more})


def submit(at: float, task_id: Any = UUID, /, operation: str = "image_generation", **more: Any) -> Exchange:
    """A submit that was answered with an id, unless it says otherwise."""
    answer = success(id=task_id, status="queued", message="Request queued.")
    return exchange("POST", operation, at, answer, **{"body": b'{"prompt": "a lamp"}', **more})


def poll(at: float, word: str = "pending", /, *, task_id: str = UUID, data: Any = None, **more: Any) -> Exchange:
    """A poll that was told a status word; `data` is what else stands there."""
    of_end: dict[str, dict[str, Any]] = {
        "completed": {"result": {"image_url": URL}},
        "failed": {"error": "out of memory"},
    }
    rest = {"created_at": None, "result": None, **of_end.get(word, {}), **(data or {})}
    return exchange(
        "GET", f"task_status&task_id={task_id}", at, success(**{"id": task_id, "status": word, **rest}), **more
    )


def running(at: float, progress: Any = 0, /, **more: Any) -> Exchange:
    """A poll of a task that runs."""
    return poll(at, "processing", data={"progress": progress}, **more)


def done(at: float, url: str = URL, /, **more: Any) -> Exchange:
    """A poll of a task that is done."""
    return poll(at, "completed", data={"result": {"image_url": url}}, **more)


def failed(at: float, reason: str = "out of memory", /, **more: Any) -> Exchange:
    """A poll of a task that failed."""
    return poll(at, "failed", data={"error": reason}, **more)


def unknown(at: float, task_id: str = UUID, /, **more: Any) -> Exchange:
    """A poll of a task that the server does not know."""
    return exchange("GET", f"task_status&task_id={task_id}", at, error("Task not found"), **{"status": 404, **more})


def balance(at: float, left: float, /, **more: Any) -> Exchange:
    """How many credits are left."""
    data = {"user_id": 1, "username": "a", "balance": left, "currency": "credits"}
    return exchange("GET", "user_balance", at, success(**data), **more)
