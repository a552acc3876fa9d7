"""Valid requests of every operation."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from hypothesis import strategies as st

from safelight.contracts import operations, workflows
from safelight.contracts.dialects import REQUESTS
from safelight.contracts.schemas import Schema, known
from safelight.contracts.wording import echoed, not_among
from safelight.strategies.dialects import in_dialect
from safelight.strategies.graphs import comfyui_workflows
from safelight.strategies.texts import texts
from safelight.strategies.values import branches, members, values
from safelight.strategies.weights import seldom, weighted

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

#: One prompt in so many is a graph, where either kind will do.
_GRAPHS: Final = 8

#: Nodes of a graph within a request; `comfyui_workflows` draws large ones.
_MAX_NODES: Final = 12

#: Parameters of other services, and misspelled ones: the contract ignores them.
_UNKNOWN: Final = st.sampled_from(["user", "Width", "negativePrompt", "n", "", "response_format", "\N{CAT}"])

_HAS_UNKNOWN: Final = seldom()

_ANYTHING: Final = st.one_of(st.none(), st.booleans(), st.integers(), texts(), st.lists(st.integers(), max_size=3))

#: Pictures as clients send them: an address on the web, and the smallest file there is, in Base64 and as a data: URL.
_SMALLEST: Final = "R0lGODlhAQABAAAAACH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
_IMAGES: Final = st.sampled_from(
    ["https://example.com/lighthouse.png", f"data:image/gif;base64,{_SMALLEST}", _SMALLEST, "http://127.0.0.1/a?b=c&d"]
)

_MODELS: Final = st.sampled_from(["anime/v3.safetensors", "models\\sdxl base.ckpt", "../model.safetensors"])


def prompts(kind: Literal["text", "graph"] | None = None) -> SearchStrategy[str | dict[str, Any]]:
    """Valid prompts: text, and now and then a whole workflow graph; `kind` asks for one of them alone."""
    match kind:
        case "text":
            return values({**known("image_generation.request")["properties"]["prompt"], "type": "string"})
        case "graph":
            return comfyui_workflows(_MAX_NODES)
        case None:
            return weighted((_GRAPHS - 1, prompts("text")), (1, prompts("graph")))
    raise ValueError(f"no kind of prompt is called {echoed(kind)}; there are text and graph")


#: What requests ask for where no prompts are given.
_PROMPTS: Final = prompts()

#: Parameter -> what clients send there, beside whatever its schema lets through.
_USUAL: Final = {"model": _MODELS, "image": _IMAGES}


def requests(
    workflow: str | None = None,
    *,
    operation: str = "image_generation",
    prompt: SearchStrategy[Any] | None = None,
    dialect: str = "published",
) -> SearchStrategy[dict[str, Any]]:
    """JSON documents of valid requests, as plain dicts; `workflow` names the one that all ask for.

    Optional parameters are present or not, their bounds and defaults far more often than by chance, and now and
    then there is a parameter that the contract does not know. `prompt` replaces the prompts. `dialect` is one of
    requests: `lenient` has workflows of any name, `linux-do` has parameters in `settings` too.
    """
    check(operation, workflow, dialect)
    found = range(len(stated_by(operation, workflow)))
    drawn = st.one_of(*(kept(operation, workflow, branch, prompt) for branch in found))
    if not operations()[operation].is_submit:
        return drawn
    has_workflows = "workflow" in known(operations()[operation].request)["properties"]
    return in_dialect(drawn, dialect, any_workflow=has_workflows and workflow is None)


@st.composite
def kept(
    draw: DrawFn, operation: str, workflow: str | None, branch: int, prompt: SearchStrategy[Any] | None = None
) -> dict[str, Any]:
    """Requests of one branch of the schema, which now and then have a member that it does not list."""
    document = draw(_known(operation, workflow, branch, prompt))
    if draw(_HAS_UNKNOWN):
        document[draw(_UNKNOWN)] = draw(_ANYTHING)
    return document


@lru_cache(maxsize=64)
def _known(
    operation: str, workflow: str | None, branch: int, prompt: SearchStrategy[Any] | None
) -> SearchStrategy[dict[str, Any]]:
    """Requests with the parameters that the contract knows."""
    stated = stated_by(operation, workflow)[branch]
    parameters = stated["properties"]
    plausible = {
        name: st.one_of(usual, values(parameters[name])) for name, usual in _USUAL.items() if name in parameters
    }
    if prompt is not None:
        plausible["prompt"] = prompt
    elif "object" in parameters.get("prompt", {}).get("type", ()):
        plausible["prompt"] = _PROMPTS
    return members(stated, plausible=plausible)


def check(operation: str, workflow: str | None, dialect: str = "published") -> None:
    """Raises `ValueError` with a sentence where there is no such operation, workflow or dialect of requests."""
    if dialect not in REQUESTS:
        raise ValueError(not_among("dialect of requests", dialect, REQUESTS))
    if operation not in operations():
        raise ValueError(not_among("operation", operation, operations()))
    if workflow is None:
        return
    if operation != "image_generation":
        raise ValueError(f"{operation} has no workflows: leave it out")
    if workflow not in workflows():
        raise ValueError(not_among("workflow", workflow, workflows()))


@cache
def stated_by(operation: str, workflow: str | None = None) -> list[Schema]:
    """The request's schema as its `branches`, with this workflow alone, which is named unless it is the default."""
    found = branches(known(operations()[operation].request))
    if workflow is None:
        return found
    [schema] = found
    stated = schema["properties"]["workflow"]
    required = schema["required"] if workflow == stated.get("default") else [*schema["required"], "workflow"]
    properties = {**schema["properties"], "workflow": {**stated, "enum": [workflow]}}
    return [{**schema, "required": required, "properties": properties}]
