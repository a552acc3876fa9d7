"""The faults of a plan: which strikes a call before it is carried out, and the stage for those that strike after."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.operations import defaults
from safelight.contracts.secrets import redacted
from safelight.mockserver.faults.catalogue import leads_on
from safelight.mockserver.faults.plan import Plan
from safelight.mockserver.faults.rules import PlannedRequest
from safelight.mockserver.model.messages import CRASHED, in_dialect
from safelight.mockserver.operations import operations
from safelight.mockserver.service.wording import errors_of
from safelight.mockserver.sessions.session import EnteredSession
from safelight.mockserver.storage.store import NoSession, StoreGone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safelight.mockserver.operations import Call
    from safelight.mockserver.service.service import Service
    from safelight.mockserver.sessions.session import Session

#: The serial number of a fault rule that stands in no plan, but in the prompt of the submit that it strikes.
NO_SERIAL: Final = -1

_LOG: Final = logging.getLogger("safelight")


def strike_by_plan(call: Call, task_id: str) -> None:
    """Look, within the transaction, whether the plan has a fault rule for this call. The plan counts the call.

    A request and the one that its redirect causes are one to a plan.
    """
    if call.is_redirected:
        return
    session, operation, document = call.session, call.operation or "", call.document
    request = PlannedRequest(operation, task_id, lambda: _facts(session, operation, task_id, document), session.passed)
    call.strike = session.plan.due(request)
    if is_struck_before(call):
        call.task_id = task_id or None


def is_struck_before(call: Call) -> bool:
    """A fault rule strikes the call before it is carried out: then it is not, and the fault is laid on `CRASHED`."""
    return call.strike is not None and not call.strike.rule.after


def is_led_on(call: Call) -> bool:
    """The client is sent on with its request, before that was carried out: this is no answer to it yet."""
    return call.strike is not None and is_struck_before(call) and leads_on(call.strike.rule.fault)


def strike(service: Service, call: Call) -> None:
    """Lay the fault on the reply. One that finds nothing to spoil in the reply that was due did not strike."""
    if call.strike is None:
        return
    serial, rule = call.strike
    reply = call.reply._replace(request=call.request, date=call.date)
    try:
        struck = in_dialect(rule.fault.strike(reply), errors_of(service, call))
    except Exception:  # noqa: BLE001 - whatever is wrong here, a client gets the published envelope
        _LOG.exception("the fault %s failed", redacted(str(rule), service.secrets(call)))
        call.reply = CRASHED
        return
    count = partial(_count, service, call.session_name, call.session.data.identity, serial)
    if struck == reply and rule.after:
        count(Plan.spare)
        call.strike = None
    else:
        call.reply = struck._replace(on_delivery=partial(count, Plan.deliver))


def _count(service: Service, session_name: str, identity: str, serial: int, what: Callable[[Plan, int], None]) -> None:
    """Count in the plan what became of a fault, unless its rule stands in none, or its session was begun anew."""
    if serial != NO_SERIAL:
        with suppress(NoSession, StoreGone), EnteredSession(service.sessions.store, session_name) as session:
            if session.data.identity == identity:
                what(session.plan, serial)


def _facts(session: Session, operation: str, task_id: str, document: Any) -> Mapping[str, Any]:
    """What a rule can ask of a request: its parameters, and those of the task that it is about."""
    task = session.find(task_id) if task_id else None
    if task:
        return {**task.request, "workflow": task.workflow, "task_id": task.id, "operation": task.operation}
    usual = defaults(operation, "default") if operation in operations() else {}
    own = document if isinstance(document, dict) else {}
    return {**usual, **own, "operation": operation}
