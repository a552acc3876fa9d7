"""Submit an image: the task is drawn, booked and answered with, in the variant of its workflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from uuid import UUID

from safelight.contracts import schema, workflows
from safelight.mockserver.operations import Answer, Call, operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from safelight.mockserver.session import NewId

_DATA: Final = schema("image_generation.response.comfyui")["properties"]["data"]["properties"]

_PARAMETERS: Final = frozenset(schema("image_generation.request")["properties"])


@operation("POST")
def image_generation(call: Call) -> Answer:
    """Accept a picture to be drawn."""
    name = call.document.get("workflow", "default")
    variant = VARIANTS[workflows()[name].variant]
    # Unknown parameters are ignored, and a key may be among them: neither is kept with the task.
    request = {parameter: value for parameter, value in call.document.items() if parameter in _PARAMETERS}
    task = call.session.submit(
        "image_generation", request, workflow=name, new_id=variant.new_id, size=len(call.request.body or b"")
    )
    return Answer(variant.data(task.id), task.id, call.session.state(task).phase)


@dataclass(frozen=True, slots=True)
class Variant:
    """Which ids an engine gives, and what it answers a submit with."""

    new_id: NewId
    data: Callable[[str], Mapping[str, Any]]


def _comfyui(task_id: str) -> Mapping[str, Any]:
    return {"id": task_id, "status": "queued", "message": _DATA["message"]["default"]}


def _provider(name: str) -> Callable[[str], Mapping[str, Any]]:
    def data(task_id: str) -> Mapping[str, Any]:
        check = f"?endpoint=task_status&task_id={quote(task_id, safe='')}"
        return {"id": task_id, "provider": name, "status": "queued", "check_status": check}

    return data


def _ten_digits(_: Random, serial: int) -> str:
    """Each serial number gives another id: the factor shares no divisor with the number of ids there are."""
    return str(10**9 + serial * 2_654_435_761 % (9 * 10**9))


VARIANTS: Final[Mapping[str, Variant]] = {
    "comfyui": Variant(lambda random, _: str(UUID(int=random.getrandbits(128), version=4)), _comfyui),
    "rr3": Variant(_ten_digits, _provider("rr3")),
    "grok": Variant(lambda random, _: f"grok_{random.getrandbits(96):024x}", _provider("grok")),
}
