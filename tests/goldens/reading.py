"""The recordings as they stand in their files, and what occurs in them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from goldens.record import RECORDED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A JSON object.
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """One story as it was recorded: its first line, each step with what came of it, and the end."""

    lines: tuple[Object, ...]

    @property
    def name(self) -> str:
        """What the story is called."""
        return str(self.lines[0]["story"])

    @property
    def story(self) -> Object:
        """The story, to be told again."""
        steps = [line["step"] for line in self.lines if "step" in line]
        return {"name": self.name, "spec": self.lines[0]["spec"], "steps": steps}

    @property
    def requests(self) -> list[Object]:
        """The lines of its requests."""
        return [line for line in self.lines if line.get("step", {}).get("do") == "request"]


def recordings(theme: str, folder: Path = RECORDED) -> Iterator[Recording]:
    """The recorded stories of a theme."""
    lines: list[Object] = []
    for text in (folder / f"{theme}.ndjson").read_text("utf-8").splitlines():
        lines.append(json.loads(text))
        if "end" in lines[-1]:
            yield Recording(tuple(lines))
            lines = []


def occurrences(told: list[Recording]) -> Counter[str]:
    """How often each thing occurs: `operation task_status`, `fault http`, `strike after`, `way bearer` ..."""
    found: Counter[str] = Counter()
    for recording in told:
        for line in recording.requests:
            found.update(_of_request(line))
        for session in recording.lines[-1]["end"]["sessions"]:
            found.update(_of_session(session))
        found.update(_of_spec(recording.lines[0]["spec"]))
        found.update(f"do {line['step']['do']}" for line in recording.lines if "step" in line)
    return found


def _of_request(line: Object) -> Iterator[str]:
    yield f"way {way_of_key(line['step'])}"
    yield f"method {line['step']['method']}"
    yield f"status {line['then']['status']}"
    for path in ("/v1/index.php", "/TS-AI-API/v1/index.php", "/", "/elsewhere/"):
        if line["step"]["path"] == path or (path == "/elsewhere/" and line["step"]["path"].startswith(path)):
            yield f"path {path}"
    for exchange in line["then"]["journal"]:
        yield f"operation {exchange.get('operation')}"
        yield f"outcome {exchange['outcome']}"
        if "fault" in exchange:
            yield f"fault {exchange['fault'].rpartition(': ')[2].split()[0]}"
            yield from _of_strike(line, exchange)


def _of_strike(line: Object, exchange: Object) -> Iterator[str]:
    """When a submit was struck: after it was booked, or before."""
    is_submit = exchange.get("operation") in ("image_generation", "image_editing", "video_generation")
    if is_submit and exchange["outcome"] == "ok":
        yield "strike after" if "booked" in line["then"] else "strike before"


def way_of_key(step: Object) -> str:
    """In which ways a request brings a key: `header+query`, or `none`."""
    headers = {name.lower(): value for name, value in step.get("headers", {}).items()}
    ways = {
        "header": headers.get("x-api-key"),
        "bearer": headers.get("authorization", "").lower().startswith("bearer"),
        "query": "api_key=" in step.get("query", ""),
        "body": '"api_key"' in str(step.get("body", "")),
    }
    wrong = " wrong" if "sk-0123456789abcdef0123" in str(headers) + step.get("query", "") else ""
    return ("+".join(way for way, is_there in ways.items() if is_there) or "none") + wrong


def _of_session(session: Object) -> Iterator[str]:
    for task in session.get("tasks", ()):
        yield f"axis {task['axis']}"
        yield f"workflow {task['workflow']}"
        yield f"phase {task['state']['phase']}"
    for _, reason, was_due in session.get("plan", {}).get("undelivered", ()):
        yield f"missed, {'due' if was_due else 'not due'}: {_without_figures(reason)}"
    for _, _, _, reason in session.get("ledger", {}).get("entries", ()):
        yield "refund" if reason == "refund" else f"paid for {reason}"


def _without_figures(reason: str) -> str:
    return "".join(letter for letter in reason if not letter.isdigit()).replace("times", "time").replace("  ", " ")


def _of_spec(spec: Object) -> Iterator[str]:
    for session in spec["sessions"]:
        for setting in ("vocabulary", "errors", "limits"):
            yield f"{setting} {session.get(setting)}"
        yield from (f"down {engine}" for engine in session.get("down", ()))
