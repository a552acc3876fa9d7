"""The settings of sessions as keywords that editors complete and type checkers know: a test holds them to the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from safelight.contracts import Timeline
    from safelight.mockserver.faults.rules import FaultRule
    from safelight.mockserver.model.credits import Credits
    from safelight.mockserver.model.task_profile import TaskProfile


class TaskKeywords(TypedDict, total=False):
    """What `task_profile` takes; None is as good as left out."""

    queued: str | float | None
    running: str | float | None
    polls: tuple[int, int] | None
    ticks: tuple[int, int] | None
    timeline: Timeline | Sequence[object] | None
    fail: str | bool | None
    fail_rate: float | None
    fail_reason: str | None
    fail_nth: Collection[int] | None


class SessionKeywords(TaskKeywords, total=False):
    """What `Safelight` takes."""

    workflows: Mapping[str, TaskProfile | Mapping[str, Any]] | None
    slots: int | None
    faults: Sequence[str | FaultRule] | None
    ids: Sequence[str] | None
    down: Collection[str] | None
    directives: bool | None
    balance: Credits | float | None
    prices: Mapping[str, Credits | float] | None
    cost_scale: float | None
    vocabulary: str | None
    errors: str | None
    limits: str | None
    requests: str | None


class MarkerKeywords(SessionKeywords, total=False):
    """What `safelight_factory` takes beside, and the marker `safelight`."""

    virtual_time: bool
    speed: float | None
    contract: bool | None
    key_known: bool | None
    key_only_to_origin: bool | None
    key_only_where_read: bool | None
    no_poll_after_401: bool | None
    only_issued_ids: bool | None
    retry_after_kept: bool | None
    submitted_under_one_key: bool | None
