"""The tasks of a session: listed, released, failed, and said beforehand."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from safelight.contracts import Axis, Timeline
from safelight.contracts.wording import shown
from safelight.mockserver.control.forms import task_form
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.messages import Refused
from safelight.mockserver.model.task_override import TaskOverride

if TYPE_CHECKING:
    from collections.abc import Mapping


@route("GET", "/tasks")
def get_tasks(asked: ControlCall) -> Mapping[str, Any]:
    """List the tasks that are still kept, in the order of their submits."""
    session = asked.session
    return {"tasks": [task_form(session, task) for task in session.tasks]}


@route("POST", "/tasks/{task_id}/release", body="release")
def release_task(asked: ControlCall) -> Mapping[str, Any]:
    """Move a task along that lives in ticks."""
    session, task = asked.session, asked.task
    if task.axis is not Axis.TICKS:
        reason = f"Task {shown(task.id)} lives in {task.axis}: ticks move those that were given the axis ticks"
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
    said = dict(asked.body)
    if "timeline" in said:
        said["timeline"] = Timeline.read(said["timeline"])
    session = asked.session
    session.override(TaskOverride(**said))
    return {"next": len(session.data.overrides)}
