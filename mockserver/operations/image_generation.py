"""Submit an image: the task is answered in the variant of its workflow."""

from __future__ import annotations

from safelight.contracts import workflows
from safelight.mockserver.operations import Answer, Call, operation
from safelight.mockserver.operations.results import PICTURE
from safelight.mockserver.operations.submits import accepted


@operation(result=PICTURE)
def image_generation(call: Call) -> Answer:
    """Accept a picture to be drawn."""
    workflow = call.document.get("workflow", "default")
    variant = workflows()[workflow].variant
    return accepted(call, f"image_generation.response.{variant}", engine=variant, workflow=workflow)
