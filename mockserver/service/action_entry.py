"""The entry of the Linux DO edition: `/api.php?action=generate`, whatever is generated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from safelight.contracts import parse
from safelight.contracts.dialects import PATHS, REQUESTS
from safelight.contracts.reading import ACTION_ENTRY, ACTIONS, operation_of
from safelight.contracts.wording import listed, shown
from safelight.mockserver.model.messages import Refused, parameters
from safelight.mockserver.service.wording import settings_of

if TYPE_CHECKING:
    from safelight.mockserver.model.messages import Request
    from safelight.mockserver.operations import Call
    from safelight.mockserver.service.service import Service

#: The parameter that has the place of `endpoint` there.
_ACTION: Final = "action"


def at_published_entry(service: Service, call: Call) -> Request:
    """The request as it would be at the published entry, or `Refused`. Only one dialect of requests has another."""
    request = call.home
    if request.path != ACTION_ENTRY or not REQUESTS[settings_of(service, call).requests].is_nested:
        return request
    action = parameters(request.query).get(_ACTION, "")
    endpoint = operation_of(action, parse(request.body or b"", max_violations=1).document)
    if endpoint is None:
        raise Refused(404, f"Unknown action {shown(action)}: {ACTION_ENTRY} answers to {listed(ACTIONS)} here")
    rest = [part for part in request.query.split("&") if part.partition("=")[0] not in (_ACTION, "endpoint")]
    return request._replace(path=PATHS["published"], query="&".join([*rest, f"endpoint={endpoint}"]))
