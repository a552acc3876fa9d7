"""Requests in the dialects are taken there, and broken ones break the rule that they name, where they say."""

from typing import Any

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from fake import Fake
from safelight.contracts import operations
from safelight.contracts.dialects import REQUESTS
from safelight.contracts.reading import read
from safelight.mockserver.model.settings import Settings
from safelight.strategies import UnreachableRule, broken_requests, requests

SOME = settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))

SUBMITS = [name for name, one in operations().items() if one.is_submit]


@pytest.mark.parametrize("dialect", REQUESTS)
@pytest.mark.parametrize("operation", SUBMITS)
def test_a_request_of_a_dialect_is_taken_in_it(operation: str, dialect: str) -> None:
    @SOME
    @given(requests(operation=operation, dialect=dialect))
    def is_taken(document: dict[str, Any]) -> None:
        assert read(operation, document, dialect).findings()[0] == []

    is_taken()


@pytest.mark.parametrize("dialect", REQUESTS)
@pytest.mark.parametrize("operation", SUBMITS)
def test_a_broken_request_of_a_dialect_breaks_its_rule_there(operation: str, dialect: str) -> None:
    @SOME
    @given(st.data())
    def is_broken(data: st.DataObject) -> None:
        broken = data.draw(broken_requests(operation=operation, dialect=dialect))
        found, _ = read(operation, broken.document, dialect).findings()
        assert [(one.rule, one.pointer) for one in found] == [(broken.rule, broken.pointer)]

    is_broken()


@settings(SOME, max_examples=15)
@given(requests(dialect="linux-do", prompt=st.just("a lamp")), broken_requests(dialect="linux-do"))
def test_the_fake_takes_and_refuses_them_alike(document: dict[str, Any], broken: Any) -> None:
    fake = Fake(Settings(requests="linux-do"))
    assert fake.ask("image_generation", **document).status == 200
    assert fake.tasks[0].request["prompt"] == "a lamp"
    assert fake.send("POST", "/?endpoint=image_generation", broken.body).status == 400
    assert [one.rule for one in fake.journal[1].violations] == [broken.rule]


def test_the_forms_of_the_edition_all_occur() -> None:
    drawn = requests(dialect="linux-do", prompt=st.just("a lamp"))
    for condition in (
        lambda document: document.get("prompt") == {"prompt": "a lamp"} and "settings" not in document,
        lambda document: "prompt" not in document and document["settings"]["prompt"] == "a lamp",
        lambda document: document.get("prompt") == "a lamp" and "width" in document.get("settings", {}),
        lambda document: read("image_generation", document, "linux-do").document.get("workflow") == "flux",
    ):
        assert find(drawn, condition, settings=settings(SOME, max_examples=5_000))


def test_a_rule_that_the_dialect_does_not_ask_cannot_be_broken_in_it() -> None:
    with pytest.raises(UnreachableRule, match="the dialect lenient does not ask it"):
        broken_requests("image_generation.workflow.enum", dialect="lenient")


def test_an_unknown_dialect_is_a_sentence() -> None:
    for strategy in (requests, broken_requests):
        with pytest.raises(ValueError, match="no dialect of requests is called 'linuxdo'; did you mean linux-do"):
            strategy(dialect="linuxdo")
