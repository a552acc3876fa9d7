"""Barriers: a test waits until its client has got so far."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.wording import counted, shown
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.messages import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.traffic.exchange import Exchange

#: Seconds of the wall that are waited where nothing is said.
_DEFAULT_SECONDS: Final = 10


@route("POST", "/wait", body="wait", enters=True)
async def wait_for_polls(asked: ControlCall) -> Mapping[str, Any]:
    """Answer once so many polls of a task were answered, or with 408 when that takes too long."""
    task_id, polls = asked.body["task_id"], asked.body.get("polls", 1)
    within = asked.body.get("within", _DEFAULT_SECONDS)
    with asked.entering() as session:
        if not session.find(task_id) and all(override.id != task_id for override in session.data.overrides):
            raise Refused(404, f"No task {shown(task_id)}: it was never issued to this key, nor said to be the next")
    try:
        async with asyncio.timeout(within):
            await _until(asked, task_id, polls)
    except TimeoutError:
        seen = counted(_answered(asked, task_id), "poll")
        reason = f"Poll {polls} of task {shown(task_id)} was not answered within {within:g} s: {seen} came"
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, reason) from None
    return {"task_id": task_id, "polls": _answered(asked, task_id)}


def _answered(asked: ControlCall, task_id: str) -> int:
    with asked.entering() as session:
        return session.answered(task_id)


async def _until(asked: ControlCall, task_id: str, polls: int) -> None:
    loop, heard = asyncio.get_running_loop(), asyncio.Event()

    def hear(_: str | None, exchange: Exchange) -> None:
        if exchange.task_id == task_id:
            loop.call_soon_threadsafe(heard.set)

    with asked.service.watched(hear):
        while _answered(asked, task_id) < polls:
            await heard.wait()
            heard.clear()
