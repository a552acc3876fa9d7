"""The way of a request through the service: the stages in their order, and nothing else.

Each stage is a function of the service and the call. It adds to the call what it decided, or raises `Refused`.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from safelight.contracts.secrets import redacted
from safelight.mockserver.model.keys import sent_key
from safelight.mockserver.model.messages import CRASHED, Refused, failure, parameters
from safelight.mockserver.operations import Call
from safelight.mockserver.service.dispatch import dispatch
from safelight.mockserver.service.effort import Effort
from safelight.mockserver.service.execution import execute
from safelight.mockserver.service.files import fetch
from safelight.mockserver.service.identification import admit, identify
from safelight.mockserver.service.location import Place, locate
from safelight.mockserver.service.openapi_paths import describe
from safelight.mockserver.service.recording import record, tell
from safelight.mockserver.service.striking import strike
from safelight.mockserver.service.validation import validate
from safelight.mockserver.service.wording import word
from safelight.mockserver.storage.store import NoSession, StoreGone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from safelight.mockserver.model.messages import Reply, Request
    from safelight.mockserver.service.service import Service

    Stage = Callable[[Service, Call], None]

#: What a request is for -> the stages that make its reply. `execute` and `fetch` hold the session's transaction.
STAGES: Final[Mapping[Place, Sequence[Stage]]] = {
    Place.OPERATION: (dispatch, admit, validate, execute),
    Place.FILE: (fetch,),
    Place.DOCUMENT: (describe,),
}

#: What becomes of each reply: it is written in the dialect, struck by the fault that is due, and recorded.
ENDING: Final[Sequence[Stage]] = (word, strike, record)

_AT_ONCE: Final = nullcontext()

_LOG: Final = logging.getLogger("safelight")


def handle(service: Service, request: Request) -> Reply:
    """Answer one request, and write it down."""
    call = Call(request, request, service.clock)
    try:
        with _entered(service, call) if service.sessions.store.does_io else _AT_ONCE:
            _answer(service, call)
    except StoreGone as gone:  # whatever was decided in the transaction has not happened
        call.strike = call.task_id = call.phase = call.at = call.gap = None
        call.began = call.began or call.clock.now()
        call.reply = failure(HTTPStatus.SERVICE_UNAVAILABLE, f"Service unavailable: {gone}", {"retry-after": "1"})
        _end(service, call)
    tell(service, call)
    reply = call.reply
    return reply if reply.date == call.date else reply._replace(date=call.date)


def _entered(service: Service, call: Call) -> AbstractContextManager[None]:
    """One transaction for all that an answer asks of a store, as each way to it takes time.

    What takes long by itself, such as to check a large body, is left outside.
    """
    call.key, call.way = sent_key(call.request)
    if not call.key or service.effort_of(call.request) is not Effort.STORE:
        return _AT_ONCE
    return service.sessions.entered(call.key, parameters(call.request.query).get("task_id", ""))


def _answer(service: Service, call: Call) -> None:
    """Walk through the stages. Raises `StoreGone`."""
    try:
        identify(service, call)
        for stage in STAGES[locate(service, call)]:
            stage(service, call)
    except Refused as refused:
        call.task_id = call.task_id or refused.task_id
        call.reply = failure(refused.status, refused.message, refused.headers)
    except NoSession:  # it was closed while this request was under way
        call.reply = failure(HTTPStatus.UNAUTHORIZED, "Unauthorized: Invalid API Key")
    except StoreGone:
        raise
    except Exception:  # noqa: BLE001 - whatever is wrong here, a client gets the published envelope
        _LOG.exception(
            "the fake failed to answer %s",
            redacted(f"{call.request.method} {call.request.path}", service.secrets(call)),
        )
        call.reply = CRASHED
    _end(service, call)


def _end(service: Service, call: Call) -> None:
    for stage in ENDING:
        stage(service, call)
