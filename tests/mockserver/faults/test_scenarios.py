"""Scenarios are data: each says a fact, can be, and ends as its name says."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from safelight.mockserver.faults import scenarios as module
from safelight.mockserver.faults.rules import read_rule
from safelight.mockserver.faults.scenarios import chosen
from safelight.mockserver.sessions.opening import checked

FILES: Final = sorted(Path(module.__file__).parent.glob("*.json"), key=lambda file: file.stem)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_scenario_is_well_formed(file: Path) -> None:
    document = json.loads(file.read_text("utf-8"))
    assert list(document) == ["description", "options", "plan"]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", file.stem)
    assert re.fullmatch(r"[a-z][^A-Z.]+", document["description"]), "a fact, as a part of a sentence"
    assert "should" not in document["description"]
    assert checked({**document["options"], "faults": document["plan"]}), "it can be"
    assert [str(read_rule(rule)) for rule in document["plan"]] == document["plan"], "rules stand as they read"


def test_no_scenario_stands_there_twice() -> None:
    documents = [json.loads(file.read_text("utf-8")) for file in FILES]
    for key in ("description", None):
        seen: list[Any] = [
            document[key] if key else json.dumps([document["options"], document["plan"]]) for document in documents
        ]
        assert len(set(seen)) == len(seen)


def test_without_names_all_are_chosen_and_with_names_those_in_their_order() -> None:
    assert [scenario.name for scenario in chosen(())] == [file.stem for file in FILES]
    assert [scenario.name for scenario in chosen(["slow", "fails"])] == ["slow", "fails"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("one_bad_pol", "'one_bad_pol' is no scenario; did you mean one-bad-poll?"),
        (3, "3 is no scenario: there are broken-image, "),
    ],
)
def test_a_name_that_is_none_is_a_sentence(name: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        chosen(["slow", name])
    assert str(raised.value).startswith(sentence)
