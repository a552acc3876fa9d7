"""Poll a task: its phase in the session's words, its progress, its picture's URL or its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from safelight.contracts import Phase, State, schema, vocabularies
from safelight.mockserver.model.messages import Refused
from safelight.mockserver.operations import Answer, Call, operation
from safelight.mockserver.operations.results import result_of, upload_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.model.task import Task

_REASON: Final[str] = schema("task_status.response.failed")["properties"]["data"]["properties"]["error"]["default"]


@operation()
def task_status(call: Call) -> Answer:
    """Say how a task is doing. On the polls axis, each of these moves it on."""
    session, task_id = call.session, call.document["task_id"]
    task = session.find(task_id)
    state = session.state(task, add=1) if task else None
    if task is None or state is None or state.unseen:
        raise Refused(404, "Task not found: this id was never issued to this key", task_id=task_id)
    if state.phase is Phase.FAILED:
        session.refund(task)
    word = state.word or vocabularies()[session.settings.vocabulary].words[state.phase]
    return Answer({"id": task.id, "status": word, **_rest(call, task, state)}, task.id, state.phase)


def _rest(call: Call, task: Task, state: State) -> Mapping[str, Any]:
    """What follows id and status in the data."""
    match state.phase:
        case Phase.RUNNING:
            return {"created_at": None, "result": None, "progress": state.progress}
        case Phase.DONE:
            url = call.home.origin + upload_path(call.session.key, task)
            return {"created_at": None, "result": dict.fromkeys(result_of(task).fields, url)}
        case Phase.FAILED:
            return {"error": state.reason or _REASON, "result": None}
    return {"created_at": None, "result": None}
