"""The way of a request through the service: the stages in their order, and nothing else.

Each stage is a function of the service and the call. It adds to the call what it decided, or raises `Refused`.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from safelight.contracts.secrets import redacted
from safelight.mockserver.model.messages import CRASHED, Refused, failure
from safelight.mockserver.operations import Call
from safelight.mockserver.service.dispatch import dispatch
from safelight.mockserver.service.execution import execute
from safelight.mockserver.service.files import fetch
from safelight.mockserver.service.identification import admit, identify
from safelight.mockserver.service.location import Place, locate
from safelight.mockserver.service.openapi_paths import describe
from safelight.mockserver.service.recording import record
from safelight.mockserver.service.striking import strike
from safelight.mockserver.service.validation import validate
from safelight.mockserver.service.wording import word
from safelight.mockserver.storage.store import NoSession, StoreGone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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

_LOG: Final = logging.getLogger("safelight")


def handle(service: Service, request: Request) -> Reply:
    """Answer one request, and write it down."""
    call = Call(request, request)
    try:
        identify(service, call)
        for stage in STAGES[locate(service, call)]:
            stage(service, call)
    except Refused as refused:
        call.task_id = call.task_id or refused.task_id
        call.reply = failure(refused.status, refused.message, refused.headers)
    except NoSession:  # it was closed while this request was under way
        call.reply = failure(HTTPStatus.UNAUTHORIZED, "Unauthorized: Invalid API Key")
    except StoreGone as gone:  # whatever was decided in the transaction has not happened
        call.strike = call.task_id = call.phase = call.at = call.gap = None
        call.began = call.began or call.clock.now()
        call.reply = failure(HTTPStatus.SERVICE_UNAVAILABLE, f"Service unavailable: {gone}", {"retry-after": "1"})
    except Exception:  # noqa: BLE001 - whatever is wrong here, a client gets the published envelope
        _LOG.exception(
            "the fake failed to answer %s", redacted(f"{request.method} {request.path}", service.secrets(call))
        )
        call.reply = CRASHED
    for stage in ENDING:
        stage(service, call)
    return call.reply._replace(date=call.date)
