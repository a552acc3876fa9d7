"""Workflows, defaults, prices and vocabularies, as the schemas have them."""

from typing import Any, Final

import pytest

from safelight.contracts import Phase, Provenance, Workflow, defaults, problems, schema, vocabularies, workflows

USUAL: Final = {"width": 512, "height": 512, "steps": 20, "workflow": "default", "seed": -1}


def test_the_workflows_are_those_that_a_request_may_name() -> None:
    stated = schema("image_generation.request")["properties"]["workflow"]
    assert list(stated["x-workflows"]) == stated["enum"] == list(workflows())


@pytest.mark.parametrize(
    "workflow",
    [
        Workflow("default", "comfyui", Provenance.SEED),
        Workflow("anime", "comfyui", Provenance.SEED, scale=1.5),
        Workflow("z-image", "comfyui", Provenance.SEED),
        Workflow("rr3", "rr3", Provenance.SEED),
        Workflow("grok", "grok", Provenance.PUBLISHED, instant=True),
    ],
    ids=lambda workflow: workflow.name,
)
def test_a_workflow_is_known(workflow: Workflow) -> None:
    assert workflows()[workflow.name] == workflow


def test_the_variant_of_a_workflow_has_a_schema() -> None:
    for workflow in workflows().values():
        assert schema(f"image_generation.response.{workflow.variant}")


@pytest.mark.parametrize(
    ("workflow", "special"),
    [
        ("default", {}),
        ("anime", {"cfg": 7}),
        ("z-image", {"steps": 9}),
        ("rr3", {"cfg": 6}),
        ("grok", {"width": 1024, "height": 1024}),
    ],
)
def test_what_is_left_out_has_a_value(workflow: str, special: dict[str, Any]) -> None:
    assert defaults("image_generation", workflow) == USUAL | special


@pytest.mark.parametrize("workflow", workflows())
def test_the_defaults_are_a_legal_request(workflow: str) -> None:
    document = {**defaults("image_generation", workflow), "prompt": "a lamp", "workflow": workflow}
    assert problems("image_generation.request", document) == []


def test_a_vocabulary_has_a_word_for_each_phase() -> None:
    assert list(vocabularies()) == ["plain", "published"]
    assert vocabularies()["plain"].words == {phase: phase.value for phase in Phase}
    assert vocabularies()["published"].words == {
        Phase.QUEUED: "pending",
        Phase.RUNNING: "processing",
        Phase.DONE: "completed",
        Phase.FAILED: "failed",
    }


@pytest.mark.parametrize("name", vocabularies())
def test_the_words_of_a_vocabulary_are_those_that_its_schema_allows(name: str) -> None:
    stated = schema(f"task_status.response.{name}")["properties"]["data"]["properties"]["status"]
    assert list(vocabularies()[name].words.values()) == stated["enum"]


@pytest.mark.parametrize("name", vocabularies())
def test_a_word_spells_its_phase_and_no_other(name: str) -> None:
    vocabulary = vocabularies()[name]
    assert [vocabulary.phase(word) for word in vocabulary.words.values()] == list(Phase)


@pytest.mark.parametrize("word", ["COMPLETED", "", None, 7, [], "done"])
def test_another_word_spells_none(word: object) -> None:
    assert vocabularies()["published"].phase(word) is None
