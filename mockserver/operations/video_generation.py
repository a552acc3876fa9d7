"""Submit a video, from a picture or from text alone."""

from __future__ import annotations

from safelight.mockserver.operations import Answer, Call, operation
from safelight.mockserver.operations.results import VIDEO
from safelight.mockserver.operations.submits import accepted


@operation(result=VIDEO)
def video_generation(call: Call) -> Answer:
    """Accept a video to be made."""
    mode = call.document.get("mode", "i2v")
    return accepted(call, f"video_generation.response.{mode}")
