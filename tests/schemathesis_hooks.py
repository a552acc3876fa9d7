"""Schemathesis takes for a failure what is none: a body that keeps its schema and breaks a constraint is refused."""

from typing import Any

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response

from safelight.contracts import problems, rule


@schemathesis.hook
def filter_failure(
    _: schemathesis.HookContext, failure: Failure, case: schemathesis.Case[Any], response: Response
) -> bool:
    """Whether a failure is one."""
    if "positive_data_acceptance" not in failure.checks or response.status_code != 400:
        return True
    body = response.request.body or b""
    return not are_constraints_alone(case.path.rpartition("/")[2], body.encode() if isinstance(body, str) else body)


def are_constraints_alone(operation: str, body: bytes) -> bool:
    """What is broken in a request's body are constraints, and there are some."""
    found = problems(f"{operation}.request", body)
    return bool(found) and all(rule(one.rule).keyword == "x-constraints" for one in found)
