"""Submit an edit of a picture."""

from __future__ import annotations

from safelight.mockserver.operations import Answer, Call, operation
from safelight.mockserver.operations.results import PICTURE
from safelight.mockserver.operations.submits import accepted


@operation(result=PICTURE)
def image_editing(call: Call) -> Answer:
    """Accept a picture to be edited."""
    return accepted(call, "image_editing.response.comfyui")
