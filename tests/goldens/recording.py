"""A story told to the fake, and what came of each of its steps.

A story is `{"name", "spec", "steps"}`, all JSON. The spec is that of `binding.Safelight` with `"sessions"`, a list of
what `open` takes; one with `"is_guest"` is not opened, and its key is welcome or not. A step has a `"do"`:

| do | beside it |
|---|---|
| `request` | `method`, `path`, `query`, `headers`, `body` (a text, `{"base64"}`, or null: over the limit), `is_gone` |
| `advance` | `seconds` |
| `release` | `session`, `task`, `ticks` |
| `next` | `session`, `override` |
| `fail` | `session`, `task`, `reason` |
| `plan add`, `plan clear` | `session`, `rule` |
| `revoke`, `reopen`, `close` | `session` |
"""

from __future__ import annotations

import json
from base64 import b64decode
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from goldens import canonical
from goldens.binding import Answer, Object, Safelight
from goldens.placeholders import filled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


#: What nearly every answer has, and what is left out of the recording where it is so.
USUAL_HEADERS: Final = {"x-safelight-contract": "1.0.0"}
USUAL_TYPE: Final = "application/json"


def recorded(story: Object, store: str = "memory") -> Iterator[Object]:
    """The lines of the recording of a story: its name and spec, each step with what came of it, and the end."""
    yield {"story": story["name"], "spec": story["spec"]}
    telling = Telling(story["spec"], store)
    for step in story["steps"]:
        yield {"step": step, "then": _as_read(telling.take(step))}
    yield {"end": _as_read(telling.end())}


def _as_read(value: Any) -> Any:
    """As it is once it was written as JSON and read again."""
    return json.loads(json.dumps(value))


class Telling:
    """A story on its way: its service, its keys, and the tasks that were accepted so far."""

    def __init__(self, spec: Object, store: str) -> None:
        self._safelight = Safelight(spec, store)
        self._sessions: list[Object] = spec["sessions"]
        self._keys: list[str] = [session["key"] for session in self._sessions]
        #: The key and the id of each task, in the order in which they were accepted.
        self._tasks: list[tuple[str, str]] = []
        self._booked: set[tuple[str, str]] = set()
        #: Key, or nothing for the orphans -> exchanges that were looked at.
        self._seen: dict[str, int] = {}
        self._known: Mapping[str, Callable[[int], str]] = {
            "key": lambda number: self._keys[number],
            "task": lambda number: self._task(number)[1],
            "url": lambda number: self._safelight.picture_path(*self._task(number)),
        }
        for session in self._sessions:
            if not session.get("is_guest"):
                self._safelight.open(session)

    def take(self, step: Object) -> Object:
        """What comes of one step."""
        if step["do"] == "request":
            return self._request(step)
        try:
            return {"returned": self._deeds[step["do"]](step)}
        except ValueError as error:
            return {"refused": str(error)}

    def end(self) -> Object:
        """What is left: tasks, ledger and plan of each session, and how much was written down."""
        sessions = [self._left(key) for key in self._keys]
        return {"sessions": sessions, "orphans": len(self._safelight.orphans())}

    def _left(self, key: str) -> Object:
        if not self._safelight.is_open(key):
            return {"is_open": False}
        return {
            "tasks": [canonical.task(task) for task in self._safelight.tasks(key)],
            "ledger": canonical.ledger(self._safelight.ledger(key)),
            "plan": self._safelight.plan(key),
            "exchanges": len(self._safelight.journal(key)),
        }

    def _request(self, step: Object) -> Object:
        fill = partial(filled, known=self._known)
        headers = {fill(name): fill(value) for name, value in step.get("headers", {}).items()}
        sent, path, query = _bytes(step.get("body", ""), fill), fill(step["path"]), fill(step.get("query", ""))
        delivered = not step.get("is_gone", False)
        answer = self._safelight.request(step["method"], path, query, headers, sent, delivered=delivered)
        as_was = {
            "method": step["method"],
            "target": f"{path}?{query}".rstrip("?"),
            "headers": headers,
            "body": sent or b"",
            "status": answer.status,
            "media_type": answer.media_type,
            "answer": answer.body,
        }
        written = [canonical.exchange(exchange, as_was) for exchange in self._new_exchanges()]
        return {**_said(answer), **_if_any("booked", self._new_tasks()), "journal": written}

    def _task(self, number: int) -> tuple[str, str]:
        return self._tasks[number] if number < len(self._tasks) else ("", f"no-task-{number}")

    def _new_tasks(self) -> list[str]:
        found = [(key, task_id) for key in self._keys for task_id in self._safelight.task_ids(key)]
        new = [pair for pair in found if pair not in self._booked]
        self._tasks += new
        self._booked.update(new)
        return [task_id for _, task_id in new]

    def _new_exchanges(self) -> Iterator[Object]:
        """What was written down since somebody looked, with whose it is: the number of a session, or `orphans`."""
        for number, key in enumerate(self._keys):
            for exchange in self._unseen(key, self._safelight.journal(key)):
                yield {"of": number, **exchange}
        for exchange in self._unseen("", self._safelight.orphans()):
            yield {"of": "orphans", **exchange}

    def _unseen(self, key: str, exchanges: list[Object]) -> list[Object]:
        seen = self._seen.get(key, 0)
        self._seen[key] = len(exchanges)
        return exchanges[seen:]

    def _key(self, step: Object) -> str:
        return self._keys[step["session"]]

    def _begin_anew(self, step: Object) -> None:
        self._safelight.open(self._sessions[step["session"]])
        self._seen.pop(self._key(step), None)
        self._booked = {pair for pair in self._booked if pair[0] != self._key(step)}

    def _end(self, step: Object) -> None:
        self._safelight.close(self._key(step))
        self._seen.pop(self._key(step), None)

    @property
    def _deeds(self) -> Mapping[str, Callable[[Object], Any]]:
        safelight, key = self._safelight, self._key
        return {
            "advance": lambda step: safelight.advance(step["seconds"]),
            "release": lambda step: safelight.release(key(step), self._task(step["task"])[1], step["ticks"]),
            "next": lambda step: safelight.next(key(step), step["override"]),
            "fail": lambda step: safelight.fail(key(step), self._task(step["task"])[1], step.get("reason")),
            "plan add": lambda step: safelight.plan_add(key(step), step["rule"]),
            "plan clear": lambda step: safelight.plan_clear(key(step)),
            "revoke": lambda step: safelight.revoke(key(step)),
            "reopen": self._begin_anew,
            "close": self._end,
        }


def _bytes(body: Any, fill: Callable[[str], str]) -> bytes | None:
    match body:
        case None:
            return None
        case {"base64": str(encoded)}:
            return b64decode(encoded)
    return fill(body).encode()


def _said(answer: Answer) -> Object:
    """What a client gets, and who waits to hear that it did; without what is as in nearly every answer."""
    headers = canonical.headers(answer.headers)
    return {
        "status": answer.status,
        **_if_any("headers", {} if headers == USUAL_HEADERS else headers or "none"),
        **_if_any("type", "" if answer.media_type == USUAL_TYPE else answer.media_type),
        "body": canonical.body(answer.body, answer.media_type, answer.headers),
        **_if_any("wire", answer.wire and canonical.wire(answer.wire, answer.body, answer.media_type)),
        **_if_any("awaits_delivery", answer.awaits_delivery),
    }


def _if_any(name: str, value: Any) -> Object:
    return {name: value} if value else {}
