"""What settings make of a session: `Settings` from the values that were read."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts import Axis, workflows
from safelight.mockserver.model.delays import NO_DELAY, delay
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task_profile import TaskProfile, task_profile
from safelight.mockserver.sessions.setting import read
from safelight.mockserver.sessions.table import AXES, CONFLICTS, MARKER, SESSION, TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What tests begin with: a task is queued for one poll, runs for one, and is done.
OF_TESTS: Final = Settings(task_profile(polls=(1, 1)))

#: The settings that a session has as fields of the same name.
FIELDS: Final = SESSION.keys() & {field.name for field in fields(Settings)}


def settings(given: Mapping[str, Any]) -> Settings:
    """The session that Python's keywords describe. Raises `ValueError` with a sentence."""
    stated = {name: value for name, value in given.items() if value is not None}
    return settings_of(read(stated, SESSION, CONFLICTS), OF_TESTS)


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The marker's settings that say something: None is as good as left out. Raises `ValueError` with a sentence."""
    stated = {name: value for name, value in given.items() if value is not None}
    settings_of(read(stated, MARKER, CONFLICTS), OF_TESTS)
    return stated


def settings_of(values: Mapping[str, Any], usual: Settings) -> Settings:
    """The settings with these values; what they leave out is as usual."""
    options = {name: values[name] for name in FIELDS & values.keys()}
    if "faults" in values:
        options["plan"] = values["faults"]
    profile = profile_of(values, usual.profile)
    if TIME.keys() & values.keys():
        options = {"workflows": {}, **options}
    if "workflows" in values:
        options["workflows"] = {name: _of_workflow(name, own, profile) for name, own in values["workflows"].items()}
    return replace(usual, profile=profile, **options)


def profile_of(values: Mapping[str, Any], usual: TaskProfile) -> TaskProfile:
    """The task profile with these values; what they leave out is as usual."""
    options = {name: values[name] for name in ("fail_rate", "fail_reason", "fail_nth") if name in values}
    if "fail" in values:
        reason = {"fail_reason": values["fail"]} if isinstance(values["fail"], str) else {}
        options = {"fail_rate": float(values["fail"] is not False), **reason, **options}
    return replace(_timed(values, usual), **options)


def _timed(values: Mapping[str, Any], usual: TaskProfile) -> TaskProfile:
    match values:
        case {"timeline": timeline}:
            return replace(usual, queued=NO_DELAY, running=NO_DELAY, axis=Axis.SECONDS, timeline=timeline)
        case {"polls": (queued, running)}:
            return replace(usual, queued=delay(queued), running=delay(running), axis=Axis.POLLS, timeline=None)
        case {"ticks": (queued, running)}:
            return replace(usual, queued=delay(queued), running=delay(running), axis=Axis.TICKS, timeline=None)
    if not {"queued", "running"} & values.keys():
        return usual
    in_seconds = usual.axis is Axis.SECONDS and not usual.timeline
    queued, running = (usual.queued, usual.running) if in_seconds else (NO_DELAY, NO_DELAY)
    queued = delay(values["queued"]) if "queued" in values else queued
    running = delay(values["running"]) if "running" in values else running
    return replace(usual, queued=queued, running=running, axis=Axis.SECONDS, timeline=None)


def _of_workflow(name: str, own: TaskProfile | Mapping[str, Any], usual: TaskProfile) -> TaskProfile:
    """As for all tasks, but for what its table says; what the service does at once stays so until it says a time."""
    if isinstance(own, TaskProfile):
        return own
    if name in workflows() and workflows()[name].instant:
        usual = replace(usual, queued=NO_DELAY, running=NO_DELAY, axis=Axis.SECONDS, timeline=None)
    return profile_of(own, usual)


def over(nearer: Mapping[str, Any], farther: Mapping[str, Any]) -> dict[str, Any]:
    """Both, and the nearer wins, also where it is on another axis."""
    axes = {axis for names, axis in AXES.items() if nearer.keys() & set(names)}
    overruled = {name for names, axis in AXES.items() for name in names if axes and axis not in axes}
    return {**{name: value for name, value in farther.items() if name not in overruled}, **nearer}
