"""Stage: the file of a finished task is fetched. No key is needed for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.contracts import Phase
from safelight.mockserver.model.messages import CRASHED, Refused
from safelight.mockserver.service.execution import count_answer
from safelight.mockserver.service.striking import is_struck_before, strike_by_plan
from safelight.mockserver.sessions.session import EnteredSession

if TYPE_CHECKING:
    from safelight.mockserver.operations import Call
    from safelight.mockserver.service.service import Service


def fetch(service: Service, call: Call) -> None:
    """Find the session whose file the path means, and reply with the file, drawn outside of the transaction."""
    call.operation = "upload"
    owner = service.uploads.owner(call.home)
    with EnteredSession(service.sessions.store, owner) as call.session:
        session = call.session
        call.session_name, call.session_key, call.settings = owner, session.key, session.settings
        call.clock, call.began = session.clock, session.now()
        task = service.uploads.task(session, call.home)
        call.task_id, call.phase = task.id, session.state(task).phase
        if session.has_plan:
            strike_by_plan(call, task.id)
        call.date = session.clock.date()
        count_answer(call)
    if is_struck_before(call):
        call.reply = CRASHED
    elif call.phase is not Phase.DONE:
        raise Refused(404, "No such picture yet: its task is not done")
    else:
        call.reply = service.uploads.reply(session, task)
