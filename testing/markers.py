"""The markers of the pytest plugin as options of a test. A mistake ends the run with a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from safelight.contracts.secrets import redacted
from safelight.contracts.wording import did_you_mean, echoed
from safelight.mockserver.faults.rules import read_rules
from safelight.mockserver.faults.scenarios import chosen
from safelight.mockserver.sessions.opening import checked
from safelight.mockserver.sessions.table import TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safelight.mockserver.faults.scenarios import Scenario


def refusal(sentence: str) -> pytest.UsageError:
    """What ends the run: a sentence without keys, though a test's name or a rule may have one."""
    return pytest.UsageError(redacted(sentence))


def options_of(item: pytest.Item) -> dict[str, Any]:
    """The options of a test: those of its markers and its scenario. A mistake ends the run with a sentence."""
    options = _of_marker(item)
    own, rules = options.pop("faults", None), _of_faults(item)
    planned: Sequence[str] = ()
    if scenario := _scenario_of(item):
        kept = {name: value for name, value in options.items() if name not in TIME}
        options = {**kept, **scenario.options}
        planned = scenario.plan
    try:
        rules = [*planned, *checked({"faults": own}).get("faults", ()), *rules]
        usual = item.config.getini("safelight_virtual_time")
        return with_virtual_time(checked({**options, "faults": rules or None}), usual)
    except ValueError as error:
        raise refusal(f"{item.nodeid}: @pytest.mark.safelight: {error}") from None


def with_virtual_time(options: dict[str, Any], usual: bool) -> dict[str, Any]:  # noqa: FBT001 - as configured
    """The options of a session in a run that has virtual time, or not, where they do not say."""
    return options if {"virtual_time", "speed"} & options.keys() else {**options, "virtual_time": usual}


def _of_marker(item: pytest.Item) -> dict[str, Any]:
    """The options of the markers `safelight` of a test; the nearest marker wins."""
    options: dict[str, Any] = {}
    for marker in item.iter_markers("safelight"):
        if marker.args:
            raise refusal(
                f"{item.nodeid}: @pytest.mark.safelight takes names, such as queued=2, not {echoed(marker.args[0])}"
            )
        settled = TIME.keys() if TIME.keys() & options.keys() else ()  # a nearer marker sets the time of tasks
        options = {**{name: value for name, value in marker.kwargs.items() if name not in settled}, **options}
    return options


def _of_faults(item: pytest.Item) -> list[Any]:
    """The rules of the markers `safelight_faults` of a test, the nearest first."""
    rules: list[Any] = []
    for marker in item.iter_markers("safelight_faults"):
        where = f"{item.nodeid}: @pytest.mark.safelight_faults"
        if marker.kwargs or not marker.args:
            raise refusal(f"{where} takes rules, such as 'poll#2: http 502'")
        try:
            rules += read_rules(marker.args)
        except ValueError as error:
            raise refusal(f"{where}: {error}") from None
    return rules


def _scenario_of(item: pytest.Item) -> Scenario | None:
    """The scenario that a test is run with."""
    given = getattr(item, "callspec", None)
    scenario = given.params.get("safelight_scenario") if given else None
    if isinstance(scenario, str):
        raise refusal(
            f"{item.nodeid}: the fixture safelight_scenario is given by its marker: "
            f"@pytest.mark.safelight_scenarios({echoed(scenario)})"
        )
    return scenario


def check(item: pytest.Item, known: Sequence[str]) -> None:
    """What the markers say can be, and a test that has one of its own uses the fixture that reads it.

    `known` are the names of the markers there are.
    """
    for mark in item.iter_markers():
        if mark.name.startswith("safelight") and mark.name not in known:
            near = did_you_mean(mark.name, known) or f"; there are {', '.join(known)}"
            raise refusal(f"{item.nodeid}: there is no marker {mark.name}{near}")
    marked = {mark.name for mark in item.iter_markers()} & {"safelight", "safelight_faults"}
    if marked or _scenario_of(item):
        options_of(item)
    if item.get_closest_marker("safelight_scenarios") and not _scenario_of(item):
        raise refusal(
            f"{item.nodeid}: @pytest.mark.safelight_scenarios is for test functions, not for a unittest.TestCase"
        )
    own = sorted(marked & {mark.name for mark in item.own_markers})
    if own and "safelight" not in getattr(item, "fixturenames", ()):
        raise refusal(f"{item.nodeid}: @pytest.mark.{own[0]}: the test does not use the fixture safelight")


def scenarios_of(marker: pytest.Mark, fixtures: Sequence[str]) -> list[Scenario]:
    """The scenarios that a marker names. Raises `ValueError` with the rest of a sentence."""
    if "safelight_scenario" not in fixtures:
        raise ValueError(": the test does not use the fixture safelight")
    if marker.kwargs:
        raise ValueError(f" takes names of scenarios, not {', '.join(marker.kwargs)}=")
    try:
        return chosen(marker.args)
    except ValueError as error:
        raise ValueError(f": {error}") from None
