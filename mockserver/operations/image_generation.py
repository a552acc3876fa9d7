"""Submit an image: the task is answered in the variant of its workflow."""

from __future__ import annotations

from safelight.contracts.workflows import workflow_of
from safelight.mockserver.operations import Answer, Call, operation
from safelight.mockserver.operations.results import PICTURE
from safelight.mockserver.operations.submits import accepted


@operation(result=PICTURE)
def image_generation(call: Call) -> Answer:
    """Accept a picture to be drawn."""
    name = call.document.get("workflow")
    workflow = workflow_of(name)
    schema = f"{call.endpoint.stated.response}.{workflow.variant}"
    return accepted(call, schema, engine=workflow.variant, workflow=name or workflow.name)
