"""Judge a test that passed: its client made no mistake, and each fault of its plan was delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from safelight.traffic.expectations import JUDGED, Undelivered, UnmetExpectation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.faults.scenarios import Scenario
    from safelight.testing.safelight import Safelight


@dataclass(frozen=True, slots=True)
class Judged:
    """The API of a test, and which expectations it is held to."""

    api: Safelight
    #: Switch -> whether the client is held to that expectation.
    switches: Mapping[str, bool]
    scenario: Scenario | None


def switches_of(options: Mapping[str, Any]) -> Mapping[str, bool]:
    """The options of a test that say what its client is held to."""
    return {switch: options[switch] for switch in JUDGED if switch in options}


def judge(judged: Judged) -> None:
    """Fail a test that passed, where its client was wrong or its plan did not strike.

    What a scenario planned may not have come about: a client that fetches no pictures finds none missing. Then
    nothing was tested, and nothing is said to be good.
    """
    try:
        judged.api.assert_client_ended()
        judged.api.assert_no_mistake(**judged.switches)
        judged.api.assert_plan_delivered()
    except UnmetExpectation as wrong:
        if judged.scenario and isinstance(wrong, Undelivered):
            sentence = f"the scenario {judged.scenario.name} never came about: {wrong.sentence}"
            # pytest's own way to say that it is the test that is left out, and not this line.
            raise pytest.skip.Exception(sentence, _use_item_location=True) from None
        wrong.sentence = f"the test passed, but {wrong.sentence}"
        raise
