"""Stage: which operation the request is for."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from safelight.contracts.dialects import PATHS
from safelight.contracts.wording import did_you_mean, shown
from safelight.mockserver.model.messages import Refused, parameters
from safelight.mockserver.operations import operations
from safelight.mockserver.service.hints import operation_in_path, parameter_near_endpoint

if TYPE_CHECKING:
    from safelight.mockserver.operations import Call
    from safelight.mockserver.service.service import Service

#: The paths that answer, all alike.
BASE_PATHS: Final = frozenset(PATHS.values())

#: Members and items of a body, all together: ten times those of the largest graphs of ComfyUI.
MAX_VALUES: Final = 50_000

#: A string of JSON, within which a comma means nothing, or a comma.
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|,', re.DOTALL)


def dispatch(_: Service, call: Call) -> None:
    """Find the operation, or refuse with 404, with 405 where it takes another method, with 413 what is too large."""
    request = call.home
    if request.path not in BASE_PATHS:
        near = operation_in_path(request.path)
        raise Refused(
            404, f"Unknown path {shown(request.path)}: the API answers under /v1/index.php?endpoint=NAME{near}"
        )
    name = parameters(request.query).get("endpoint")
    if not name:
        near = parameter_near_endpoint(request)
        raise Refused(404, f"Missing endpoint: add ?endpoint= with one of {', '.join(operations())}{near}")
    endpoint = operations().get(name)
    if endpoint is None:
        raise Refused(404, f"Unknown endpoint {shown(name)}{did_you_mean(name, operations())}")
    if request.method != endpoint.method:
        message = f"Method not allowed: {name} takes {endpoint.method}, not {shown(request.method)}"
        raise Refused(405, message, {"allow": endpoint.method})
    call.endpoint, call.operation = endpoint, name
    if request.body is None:  # its key may be in the body that was not read
        raise Refused(413, "Request body too large: it is over the limit of this server")
    if _has_many_values(request.body):
        raise Refused(413, f"Request body too large: it has more than {MAX_VALUES:,} values")


def _has_many_values(body: bytes) -> bool:
    """Whether it takes so long to parse that other requests would wait: that is one step, which nothing interrupts."""
    if body.count(b",") < MAX_VALUES:
        return False
    commas = (found for found in _TOKEN.finditer(body) if found[0] == b",")
    return next(islice(commas, MAX_VALUES - 1, None), None) is not None
