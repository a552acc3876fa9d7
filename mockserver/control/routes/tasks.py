"""The tasks of a session: listed, released, failed, settled beforehand; and a barrier, at which a test waits."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from operator import attrgetter
from typing import Any, Final, TypeVar

from safelight.contracts import Axis, Phase, Timeline
from safelight.contracts.secrets import redacted
from safelight.contracts.wording import counted, shown
from safelight.mockserver.control.forms import task_form
from safelight.mockserver.control.pages import page_after
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.messages import HEADERS, Refused, Reply
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.service.effort import Effort
from safelight.mockserver.service.workers import in_worker
from safelight.traffic.exchange import Exchange

#: Seconds of real time that are waited unless the body says otherwise.
_SECONDS: Final = 10

#: Seconds after which a barrier looks again at a session that other processes share.
_LOOK_AGAIN_SECONDS: Final = 0.05

_Seen = TypeVar("_Seen")


@route("GET", "/tasks", query="page", enters=True)
def get_tasks(asked: ControlCall) -> Mapping[str, Any]:
    """List the tasks that are still kept, in the order of their submits, a page at a time."""
    session = asked.looked_at
    tasks, cursor = page_after(session.tasks_after, attrgetter("number"), asked.query)
    return {"tasks": [task_form(session, task) for task in tasks], "cursor": cursor}


@route("GET", "/tasks/{task_id}/result", enters=True, media_type="application/octet-stream")
async def get_result(asked: ControlCall) -> Reply:
    """Give what has come of a task, a picture or a video: no request of the API, so that nothing counts it."""
    return await in_worker(Effort.DRAWING, partial(_result, asked))


def _result(asked: ControlCall) -> Reply:
    session = asked.looked_at
    task = asked.task_of(session)
    phase = session.state(task).phase
    if phase is not Phase.DONE:
        raise Refused(HTTPStatus.CONFLICT, f"Task {shown(task.id)} is {phase}: there is a result once it is done")
    return asked.service.uploads.reply(session, task)._replace(headers=HEADERS)


@route("POST", "/tasks/{task_id}/release", body="release")
def release_task(asked: ControlCall) -> Mapping[str, Any]:
    """Move a task along whose timeline is in ticks."""
    session, task = asked.session, asked.task
    if task.axis is not Axis.TICKS:
        reason = (
            f"The timeline of task {shown(task.id)} is in {task.axis}: ticks move those that were given the axis ticks"
        )
        raise Refused(HTTPStatus.CONFLICT, reason)
    session.release(task.id, asked.body.get("ticks", 1))
    return task_form(session, task)


@route("POST", "/tasks/{task_id}/fail", body="fail")
def fail_task(asked: ControlCall) -> Mapping[str, Any]:
    """Let a task fail now. Its price is returned, as that of any that fails."""
    session, task = asked.session, asked.task
    if not session.fail(task.id, asked.body.get("reason")):
        ended = session.state(task).phase
        raise Refused(HTTPStatus.CONFLICT, f"Task {shown(task.id)} is {ended} already, and stays so")
    return task_form(session, asked.task)


@route("POST", "/next", body="next")
def settle_next(asked: ControlCall) -> Mapping[str, Any]:
    """Say something about a task to come: the first one about which nothing was said yet."""
    spec = dict(asked.body)
    if "timeline" in spec:
        spec["timeline"] = Timeline.read(spec["timeline"])
    asked.session.override(TaskOverride(**spec))
    return {"next": len(asked.session.data.overrides)}


@route("POST", "/wait", body="wait", enters=True)
async def wait_for_polls(asked: ControlCall) -> Mapping[str, Any]:
    """Answer once so many polls of a task were answered, or with 408 when that takes too long."""
    task_id, polls, within = asked.body["task_id"], asked.body.get("polls", 1), asked.body.get("within", _SECONDS)
    await _looked(asked, partial(_check_known, asked, task_id))
    try:
        async with asyncio.timeout(within):
            await _until(asked, task_id, polls)
    except TimeoutError:
        seen = counted(await _answered(asked, task_id), "poll")
        reason = f"Poll {polls} of task {shown(task_id)} was not answered within {within:g} s: {seen} came"
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, reason) from None
    return {"task_id": task_id, "polls": await _answered(asked, task_id)}


def _check_known(asked: ControlCall, task_id: str) -> None:
    with asked.entering() as session:
        if not session.find(task_id) and all(override.id != task_id for override in session.data.overrides):
            raise Refused(404, f"No task {shown(task_id)}: it was never issued to this key, nor said to be the next")


async def _answered(asked: ControlCall, task_id: str) -> int:
    def answered() -> int:
        with asked.entering() as session:
            return session.answered(task_id)

    return await _looked(asked, answered)


async def _looked(asked: ControlCall, look: Callable[[], _Seen]) -> _Seen:
    """What a look at the session gives, in a worker where that waits for a disk or a network."""
    return await in_worker(Effort.CONTROL, look) if asked.service.sessions.store.does_io else look()


async def _until(asked: ControlCall, task_id: str, polls: int) -> None:
    loop, heard = asyncio.get_running_loop(), asyncio.Event()
    # Of the polls that another process has answered, nothing is heard here.
    patience = _LOOK_AGAIN_SECONDS if asked.service.sessions.store.does_io else None

    said = redacted(task_id, asked.secrets)  # as an exchange says it: it may be one that looks like a key

    def hear(_: str | None, exchange: Exchange) -> None:
        if exchange.task_id == said:  # of whichever session: then it is looked whether it was this
            loop.call_soon_threadsafe(heard.set)

    with asked.service.watched(hear):
        while await _answered(asked, task_id) < polls:
            with suppress(TimeoutError):
                await asyncio.wait_for(heard.wait(), patience)
            heard.clear()
