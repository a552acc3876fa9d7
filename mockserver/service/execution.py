"""Stage: the transaction. A fault strikes before, or the operation is carried out; the answer is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safelight.mockserver.faults.directives import directive_in
from safelight.mockserver.faults.plan import Strike
from safelight.mockserver.model import booking
from safelight.mockserver.model.messages import CRASHED, Refused, failure, success
from safelight.mockserver.service.striking import NO_SERIAL, is_led_on, is_struck_before, strike_by_plan
from safelight.mockserver.service.validation import sentence
from safelight.mockserver.sessions.session import EnteredSession

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.faults.directives import Directive
    from safelight.mockserver.operations import Call
    from safelight.mockserver.service.service import Service
    from safelight.mockserver.sessions.session import Session


def execute(service: Service, call: Call) -> None:
    """Carry the operation out, within the transaction of its session. Raises `NoSession` where that was closed."""
    with EnteredSession(service.sessions.store, call.session_name) as call.session:
        call.date = call.session.clock.date()
        try:
            _operate(call)
        except Refused as refused:
            call.task_id = call.task_id or refused.task_id
            call.reply = failure(refused.status, refused.message, refused.headers)
        count_answer(call)


def count_answer(call: Call) -> None:
    """Note when the call was carried out, and how long after the answer before about its task."""
    session = call.session
    call.at = session.now()
    task = session.find(call.task_id) if call.task_id else None
    # That a submit was answered need not be noted: its task says when that was.
    if task and call.operation != task.operation and not is_led_on(call):
        call.gap = booking.answered(session.data, task, call.at, is_poll=call.operation == "task_status")


def _operate(call: Call) -> None:
    """The plan strikes first; then violations are refused; then the directive of the prompt is applied."""
    session, document = call.session, call.document
    directive = _directive(session, document) if call.endpoint.stated.is_submit and not call.violations else None
    if session.has_plan:
        strike_by_plan(call, _known_task_id(session, document))
    if directive and directive.on_submit and not call.strike and not call.is_redirected:
        call.strike = Strike(NO_SERIAL, directive.on_submit)
    if is_struck_before(call):
        call.reply = CRASHED
        return
    if call.violations:
        raise Refused(400, sentence(call.violations))
    if directive:
        call.document, call.is_as_sent = {**document, "prompt": directive.prompt}, False
        call.override = directive.override
    answer = call.endpoint.answer(call)
    if directive and answer.task_id:
        session.plan.add_for(answer.task_id, directive.rules_of(answer.task_id))
    call.task_id, call.phase, call.reply = answer.task_id, answer.phase, success(answer.data, call.date)


def _directive(session: Session, document: Mapping[str, Any]) -> Directive | None:
    """What the prompt of a submit sets for its task. One with a mistake is refused, with the sentence."""
    if not session.settings.directives:
        return None
    try:
        directive = directive_in(document)
        if directive and directive.override:
            session.check(directive.override)
    except ValueError as error:
        raise Refused(400, f"Invalid directive: {error}") from None
    return directive


def _known_task_id(session: Session, document: Any) -> str:
    """The id in a request that is about a task of the session, else nothing."""
    task_id = document.get("task_id") if isinstance(document, dict) else None
    return task_id if isinstance(task_id, str) and session.find(task_id) else ""
