"""Accepting tasks: which ids the engines give, and what a submit is answered with, as the schema of its answer says."""

from __future__ import annotations

from functools import cache
from sys import intern
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from safelight.contracts.schemas import known
from safelight.mockserver.model.engines import ENGINES
from safelight.mockserver.operations import Answer, Call

if TYPE_CHECKING:
    from collections.abc import Mapping


def accepted(call: Call, answer: str, *, engine: str = "comfyui", workflow: str = "") -> Answer:
    """Accept a task, or raise `Refused`. `answer` is the schema of what is answered; `workflow` if there is one."""
    operation = call.endpoint.name
    # Unknown parameters are ignored, and a key may be among them: neither is kept with the task.
    known, sent, request = _parameters(operation), call.request.body or b"", call.document
    is_as_sent = call.is_as_sent and request.keys() <= known
    if not is_as_sent:
        request = {name: value for name, value in request.items() if name in known}
    kind = intern(workflow) if workflow else operation  # one text for all tasks
    body = sent if is_as_sent else None
    task = call.session.submit(operation, request, kind, ENGINES[engine], body=body, override=call.override)
    return Answer(_data(answer, task.id), task.id, call.session.phase(task))


def _data(answer: str, task_id: str) -> Mapping[str, Any]:
    """The data of an answer: the schema's own words, and what is about this task."""
    data = {**_stated(answer), "id": task_id}
    if "check_status" in data:
        data["check_status"] = f"?endpoint=task_status&task_id={quote(task_id, safe='')}"
    return data


@cache
def _stated(answer: str) -> Mapping[str, Any]:
    """The members of an answer, each with the only value that it can have, or the usual one."""
    members = known(answer)["properties"]["data"]["properties"]
    return {name: stated.get("const", stated.get("default")) for name, stated in members.items()}


@cache
def _parameters(operation: str) -> frozenset[str]:
    return frozenset(known(f"{operation}.request")["properties"])
