"""The cases as data: the files keep their schema and their style, and everything that they name exists."""

import inspect
import json
import re
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from parts import Part, check_fresh, table
from safelight.conformance.clients.case import CASES, Case, cases, selected
from safelight.conformance.clients.expectations import expectations
from safelight.conformance.clients.trying import USUAL
from safelight.conformance.clients.universal import universal
from safelight.contracts.validation import violations
from safelight.mockserver.sessions.opening import settings

SCHEMA: Final = Draft202012Validator(json.loads((CASES.parent / "case.schema.json").read_text("utf-8")))

#: The first edition: a case is only ever added.
FIRST: Final = {1: 9, 2: 15, 3: 9, 4: 14, 5: 10, 6: 5, 7: 5}

ALL: Final = list(cases().values())


def parts() -> list[Part]:
    return [Part("cases.md", "rules", _table_of_rules), Part("cases.md", "cases", _table_of_cases)]


def _table_of_rules() -> str:
    rows = [(rule.id, rule.fact.removesuffix("."), rule.severity) for rule in universal().values()]
    return table(("rule", "what holds", "severity"), rows)


def _table_of_cases() -> str:
    rows = [(case.id, case.fact, case.does, case.good, case.severity) for case in ALL]
    return table(("case", "what can happen", "the fake", "a good client", "severity"), rows)


def test_the_tables_of_the_page_are_those_of_the_data() -> None:
    check_fresh(parts())


@pytest.mark.parametrize("file", sorted(CASES.glob("*.json")), ids=lambda file: file.stem)
def test_each_file_keeps_the_schema(file: Any) -> None:
    document = json.loads(file.read_text("utf-8"))
    assert [error.message for error in SCHEMA.iter_errors(document)] == []
    assert file.name.startswith(f"{document['group']}-")
    assert {case["id"].partition(".")[0] for case in document["cases"]} == {str(document["group"])}


def test_the_numbers_are_those_of_the_first_edition() -> None:
    assert list(cases()) == [f"{group}.{number + 1}" for group, count in FIRST.items() for number in range(count)]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_a_case_states_a_fact(case: Case) -> None:
    assert not re.search(r"\b(should|must|shall)\b", case.fact), "a fact says what is so"
    assert case.fact[0] == case.fact[0].lower() or case.fact[0] == "`"
    assert all(len(text) <= 120 for text in (case.fact, case.does, case.good))


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_all_that_a_case_names_exists(case: Case) -> None:
    for trial in case.trials:
        settings(trial.fake)
        for expected in trial.expect:
            look = expectations()[expected.name].look
            inspect.signature(look).bind(None, **expected.given)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_the_request_of_a_case_keeps_the_contract(case: Case) -> None:
    for trial in case.trials:
        assert violations("image_generation.request", {**USUAL, **trial.request}) == []


def test_every_expectation_is_used_by_a_case() -> None:
    assert {expected.name for case in ALL for trial in case.trials for expected in trial.expect} == set(expectations())


def test_cases_are_selected_by_patterns() -> None:
    assert [case.id for case in selected(["6.*"], ["6.2", "6.4"])] == ["6.1", "6.3", "6.5"]
    assert len(selected()) == sum(FIRST.values())
    with pytest.raises(ValueError, match=r"'4\.70' is no case; did you mean 4\.7\?"):
        selected(["4.70"])
