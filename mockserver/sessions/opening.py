"""What settings make of a session: `Settings` from the values that were read."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final, Unpack

from safelight.contracts import Axis, workflows
from safelight.mockserver.model.delays import NO_DELAY, delay
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task_profile import TaskProfile
from safelight.mockserver.sessions.setting import read
from safelight.mockserver.sessions.table import AXES, CONFLICTS, MARKER, SESSION, TASKS, TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.sessions.keywords import TaskKeywords

#: The settings that a session has as fields of the same name.
FIELDS: Final = SESSION.keys() & {field.name for field in fields(Settings)}


def task_profile(**options: Unpack[TaskKeywords]) -> TaskProfile:
    """A task profile as people write it: delays, texts or numbers; or a pair of `polls` or `ticks`, queued and running.

    A whole `timeline`, in seconds, is that of all tasks, whatever their workflow. Raises `ValueError` with a sentence.
    """
    return profile_of(read(_stated(options), TASKS, CONFLICTS), TaskProfile())


def settings(options: Mapping[str, Any]) -> Settings:
    """The session that Python's keywords describe. Raises `ValueError` with a sentence."""
    return settings_of(read(_stated(options), SESSION, CONFLICTS), OF_TESTS)


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The stated options of the marker. Raises `ValueError` with a sentence."""
    stated = _stated(options)
    settings_of(read(stated, MARKER, CONFLICTS), OF_TESTS)
    return stated


def _stated(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options without those that are None, which is as good as left out."""
    return {name: value for name, value in options.items() if value is not None}


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
    """The task profile with the values of time."""
    if "timeline" in values:
        return replace(usual, queued=NO_DELAY, running=NO_DELAY, axis=Axis.SECONDS, timeline=values["timeline"])
    for axis in (Axis.POLLS, Axis.TICKS):
        if axis in values:
            queued, running = map(delay, values[axis])
            return replace(usual, queued=queued, running=running, axis=axis, timeline=None)
    if not {"queued", "running"} & values.keys():
        return usual
    in_seconds = usual if usual.axis is Axis.SECONDS and not usual.timeline else TaskProfile()
    queued = delay(values["queued"]) if "queued" in values else in_seconds.queued
    running = delay(values["running"]) if "running" in values else in_seconds.running
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


#: What tests begin with: a task is queued for one poll, runs for one, and is done.
OF_TESTS: Final = Settings(task_profile(polls=(1, 1)))
