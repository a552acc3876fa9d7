"""What sessions can be told, as keywords that editors complete and type checkers know."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from safelight.contracts import Timeline
    from safelight.mockserver.faults.rules import FaultRule
    from safelight.mockserver.model.credits import Credits
    from safelight.mockserver.model.task_profile import TaskProfile


class SessionOptions(TypedDict, total=False):
    """What `Safelight` and the pytest plugin take alike."""

    queued: str | float | None
    running: str | float | None
    polls: tuple[int, int] | None
    slots: int | None
    #: Credits at the start, and operation -> credits for each of its tasks.
    balance: Credits | float
    prices: Mapping[str, Credits | float]
    #: Engines that do not answer: comfyui, rr3, grok.
    down: Collection[str]
    #: The dialects.
    vocabulary: str
    errors: str
    limits: str


class PythonOptions(SessionOptions, total=False):
    """What `Safelight` takes beside."""

    ticks: tuple[int, int] | None
    fail_rate: float
    fail_reason: str | None
    fail_nth: Collection[int]
    workflows: Mapping[str, TaskProfile] | None
    timeline: Timeline | None
    plan: Iterable[str | FaultRule]


class MarkerOptions(SessionOptions, total=False):
    """What `safelight_factory` takes beside, and the marker `safelight`."""

    fail: str | bool
    fail_rate: float
    timeline: Timeline | Sequence[object]
    faults: Sequence[str | FaultRule]
    virtual_time: bool
    speed: float
    contract: bool
