"""Accepting tasks: which ids the engines give, and what a submit is answered with, as the schema of its answer says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from uuid import UUID

from safelight.contracts.schemas import known
from safelight.mockserver.operations import Answer, Call

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from safelight.mockserver.session import NewId


@dataclass(frozen=True, slots=True)
class Engine:
    """What carries tasks out: its name, how the service calls it, and which ids it gives."""

    name: str
    title: str
    new_id: NewId


def _ten_digits(_: Random, serial: int) -> str:
    """Each serial number gives another id: the factor shares no divisor with the number of ids there are."""
    return str(10**9 + serial * 2_654_435_761 % (9 * 10**9))


_COMFYUI: Final = Engine("comfyui", "ComfyUI", lambda random, _: str(UUID(int=random.getrandbits(128), version=4)))
_RR3: Final = Engine("rr3", "RR3", _ten_digits)
_GROK: Final = Engine("grok", "Grok", lambda random, _: f"grok_{random.getrandbits(96):024x}")

#: Name -> engine. A workflow's variant is the name of its engine.
ENGINES: Final[Mapping[str, Engine]] = {engine.name: engine for engine in (_COMFYUI, _RR3, _GROK)}


def accepted(call: Call, answer: str, *, engine: str = "comfyui", workflow: str = "") -> Answer:
    """Accept a task, or raise `Refused`. `answer` is the schema of what is answered; `workflow` if there is one."""
    operation = answer.partition(".")[0]
    # Unknown parameters are ignored, and a key may be among them: neither is kept with the task.
    request = {name: value for name, value in call.document.items() if name in _parameters(operation)}
    size = len(call.request.body or b"")
    kind = workflow or operation
    task = call.session.submit(operation, request, kind, ENGINES[engine], size=size, life=call.life)
    return Answer(_data(answer, task.id), task.id, call.session.state(task).phase)


def _data(answer: str, task_id: str) -> Mapping[str, Any]:
    """The data of an answer: the schema's own words, and what is about this task."""
    own = {"id": task_id, "check_status": f"?endpoint=task_status&task_id={quote(task_id, safe='')}"}
    return {name: own.get(name, said) for name, said in _said(answer).items()}


@cache
def _said(answer: str) -> Mapping[str, Any]:
    """The members of an answer, each with the only value that it can have, or the usual one."""
    members = known(answer)["properties"]["data"]["properties"]
    return {name: stated.get("const", stated.get("default")) for name, stated in members.items()}


@cache
def _parameters(operation: str) -> frozenset[str]:
    return frozenset(known(f"{operation}.request")["properties"])
