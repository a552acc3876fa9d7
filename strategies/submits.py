"""Valid requests for an image: as clients send them, and as few do."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from hypothesis import strategies as st

from safelight.contracts import workflows
from safelight.contracts.schemas import Schema, known
from safelight.contracts.wording import did_you_mean, listed
from safelight.strategies.graphs import comfyui_workflows
from safelight.strategies.odds import seldom, weighted
from safelight.strategies.texts import texts
from safelight.strategies.values import members, values

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

#: One prompt in so many is a graph, where either kind will do.
_GRAPHS: Final = 8

#: Graphs within requests are small; `comfyui_workflows` draws large ones.
_MOST_NODES: Final = 12

#: Parameters of other services, and misspelled ones: the contract ignores them.
_UNKNOWN: Final = st.sampled_from(["user", "Width", "negativePrompt", "n", "", "response_format", "\N{CAT}"])

_HAS_UNKNOWN: Final = seldom()

_ANYTHING: Final = st.one_of(st.none(), st.booleans(), st.integers(), texts(), st.lists(st.integers(), max_size=3))

_MODELS: Final = st.sampled_from(["anime/v3.safetensors", "models\\sdxl base.ckpt", "../model.safetensors"])


def prompts(kind: Literal["text", "graph"] | None = None) -> SearchStrategy[str | dict[str, Any]]:
    """Valid prompts: text, and now and then a whole workflow graph; `kind` asks for one of them alone."""
    match kind:
        case "text":
            return values({**known("image_generation.request")["properties"]["prompt"], "type": "string"})
        case "graph":
            return comfyui_workflows(_MOST_NODES)
        case None:
            return weighted((_GRAPHS - 1, prompts("text")), (1, prompts("graph")))
    raise ValueError(f"no kind of prompt is called {kind!r}; there are text and graph")


#: What requests ask for where no prompts are given.
_PROMPTS: Final = prompts()


def requests(
    workflow: str | None = None, *, prompt: SearchStrategy[Any] | None = None
) -> SearchStrategy[dict[str, Any]]:
    """JSON documents of valid requests, as plain dicts; `workflow` names the one that all ask for.

    Optional parameters are present or not, their bounds and defaults far more often than by chance, and now and
    then there is a parameter that the contract does not know. `prompt` replaces the prompts.
    """
    _check(workflow)
    return _requests(workflow, _PROMPTS if prompt is None else prompt)


@st.composite
def _requests(draw: DrawFn, workflow: str | None, prompt: SearchStrategy[Any]) -> dict[str, Any]:
    document = draw(_known(workflow, prompt))
    if draw(_HAS_UNKNOWN):
        document[draw(_UNKNOWN)] = draw(_ANYTHING)
    return document


@lru_cache(maxsize=32)
def _known(workflow: str | None, prompt: SearchStrategy[Any]) -> SearchStrategy[dict[str, Any]]:
    """Requests with the parameters that the contract knows."""
    stated = _stated(workflow)
    models = st.one_of(_MODELS, values(stated["properties"]["model"]))
    return members(stated, plausible={"prompt": prompt, "model": models})


def _check(workflow: str | None) -> None:
    if workflow is not None and workflow not in workflows():
        near = did_you_mean(workflow, workflows()) or f"; there are {listed(workflows())}"
        raise ValueError(f"no workflow is called {workflow!r}{near}")


def _stated(workflow: str | None) -> Schema:
    """The request's schema, with this workflow alone; it is named unless it is the default."""
    schema = known("image_generation.request")
    if workflow is None:
        return schema
    stated = schema["properties"]["workflow"]
    required = schema["required"] if workflow == stated.get("default") else [*schema["required"], "workflow"]
    properties = {**schema["properties"], "workflow": {**stated, "enum": [workflow]}}
    return {**schema, "required": required, "properties": properties}
