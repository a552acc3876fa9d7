"""ComfyUI workflows: graphs without cycles, of nodes as ComfyUI names them, wired as ComfyUI allows.

A node is made after those that it links to, so there is no cycle. Ids follow no order half of the time,
and the members may stand sorted by id, so that a link can point forwards as well as backwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from safelight.contracts.schemas import known
from safelight.strategies.texts import texts
from safelight.strategies.values import values
from safelight.strategies.weights import seldom, weighted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

Graph = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class NodeClass:
    """What a node of this class takes, by input name, and the kinds of what it gives, by output index."""

    name: str
    literals: Mapping[str, SearchStrategy[Any]]
    #: Input name -> the kind of output that it links to.
    links: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()


def _parameter(name: str) -> SearchStrategy[Any]:
    return values(known("image_generation.request")["properties"][name])


_STRENGTH: Final = st.integers(0, 40).map(lambda twentieths: twentieths / 20)


@cache
def classes() -> Mapping[str, NodeClass]:
    """Name -> class, the plainest first. Each class that links to nothing gives what another can take alone."""
    return {found.name: found for found in (*_sources(), *_steps())}


def _sources() -> Sequence[NodeClass]:
    sides = {"width": _parameter("width"), "height": _parameter("height")}
    checkpoints = st.sampled_from(["sd15.safetensors", "sdxl/base 1.0.safetensors", "anime\\v3.ckpt"])
    return [
        NodeClass("LoadImage", {"image": st.sampled_from(["a.png", "b c.jpg"])}, outputs=("IMAGE", "MASK")),
        NodeClass("EmptyLatentImage", {**sides, "batch_size": st.integers(1, 4)}, outputs=("LATENT",)),
        NodeClass("CheckpointLoaderSimple", {"ckpt_name": checkpoints}, outputs=("MODEL", "CLIP", "VAE")),
    ]


def _steps() -> Sequence[NodeClass]:
    rungs = st.sampled_from(["nearest-exact", "bilinear", "lanczos"])
    lora = {"lora_name": st.just("ink.safetensors"), "strength_model": _STRENGTH, "strength_clip": _STRENGTH}
    sampling = {
        "seed": _parameter("seed"),
        "steps": _parameter("steps"),
        "cfg": _parameter("cfg"),
        "sampler_name": st.sampled_from(["euler", "dpmpp_2m", "uni_pc"]),
        "scheduler": st.sampled_from(["normal", "karras"]),
        "denoise": _STRENGTH,
    }
    wires = {"model": "MODEL", "positive": "CONDITIONING", "negative": "CONDITIONING", "latent_image": "LATENT"}
    both = {"conditioning_1": "CONDITIONING", "conditioning_2": "CONDITIONING"}
    return [
        NodeClass("SaveImage", {"filename_prefix": st.sampled_from(["a", "out/%date%"])}, {"images": "IMAGE"}),
        NodeClass("ImageInvert", {}, {"image": "IMAGE"}, ("IMAGE",)),
        NodeClass(
            "LatentUpscaleBy", {"upscale_method": rungs, "scale_by": _STRENGTH}, {"samples": "LATENT"}, ("LATENT",)
        ),
        NodeClass("CLIPTextEncode", {"text": texts()}, {"clip": "CLIP"}, ("CONDITIONING",)),
        NodeClass("ConditioningCombine", {}, both, ("CONDITIONING",)),
        NodeClass("LoraLoader", lora, {"model": "MODEL", "clip": "CLIP"}, ("MODEL", "CLIP")),
        NodeClass("KSampler", sampling, wires, ("LATENT",)),
        NodeClass("VAEDecode", {}, {"samples": "LATENT", "vae": "VAE"}, ("IMAGE",)),
        NodeClass("VAEEncode", {}, {"pixels": "IMAGE", "vae": "VAE"}, ("LATENT",)),
    ]


#: The workflow that everyone starts with, in the order of its making.
TEXT_TO_IMAGE: Final = (
    "CheckpointLoaderSimple",
    "CLIPTextEncode",
    "CLIPTextEncode",
    "EmptyLatentImage",
    "KSampler",
    "VAEDecode",
    "SaveImage",
)

#: How ids are spelled: numbers, as ComfyUI itself does; within a group; and as no one should.
_SPELLINGS: Final = ("{}", "{}", "{}", "{}", "57:{}", "node {}", "a/b~{}", "\N{CAT}{}")

#: Inputs of classes that no one here knows: anything but an array, which would be a link.
_ODD: Final = st.one_of(st.none(), st.booleans(), st.integers(), texts(), st.just("1"), st.builds(dict))

_TITLES: Final = texts()

_IS_ODD: Final = seldom()
_IS_SORTED: Final = st.booleans()
_PLANS: Final = st.sampled_from(((), (), (), TEXT_TO_IMAGE))

#: Nodes of a usual graph, beyond those that it has to have: to draw more takes long.
_MAX_USUAL_NODES: Final = 5

#: Usual graphs for each that is as large as may be, and for each of any size.
_WEIGHT_OF_USUAL: Final = 18


def comfyui_workflows(max_nodes: int = 30, *, linked: bool = False) -> SearchStrategy[Graph]:
    """Workflows in the API format, of 1 to `max_nodes` nodes; `linked` asks for a link in each, so for two nodes."""
    min_nodes = 2 if linked else 1
    if max_nodes < min_nodes:
        kind = "linked workflow" if linked else "workflow"
        raise ValueError(f"max_nodes is {max_nodes}; a {kind} has at least {min_nodes}")
    return _workflows(max_nodes, linked=linked)


@st.composite
def _workflows(draw: DrawFn, max_nodes: int, *, linked: bool) -> Graph:
    plan = draw(_PLANS) if len(TEXT_TO_IMAGE) <= max_nodes else ()
    count = draw(_counts(max(2 if linked else 1, len(plan)), max_nodes))
    graph: Graph = {}
    outputs: dict[str, list[tuple[str, int]]] = {}
    for index, node_id in enumerate(_ids(draw, count)):
        fitting = _fitting(frozenset(outputs), linked=linked and index == 1)
        made_of = classes()[plan[index] if index < len(plan) else draw(fitting)]
        graph[node_id] = _node(draw, made_of, outputs)
        for output, kind in enumerate(made_of.outputs):
            outputs.setdefault(kind, []).append((node_id, output))
    return dict(sorted(graph.items())) if draw(_IS_SORTED) else graph


@cache
def _counts(min_nodes: int, max_nodes: int) -> SearchStrategy[int]:
    usual = st.integers(min_nodes, min(max_nodes, min_nodes + _MAX_USUAL_NODES))
    return weighted((_WEIGHT_OF_USUAL, usual), (1, st.integers(min_nodes, max_nodes)), (1, st.just(max_nodes)))


def _ids(draw: DrawFn, count: int) -> list[str]:
    spelling = draw(st.sampled_from(_SPELLINGS))
    numbers: Sequence[int] = range(1, count + 1)
    if draw(st.booleans()):
        numbers = draw(st.permutations(numbers))
    return [spelling.format(number) for number in numbers]


@cache
def _fitting(kinds: frozenset[str], *, linked: bool) -> SearchStrategy[str]:
    """Names of classes whose links all find an output of their kind."""
    able = [found for found in classes().values() if kinds >= set(found.links.values())]
    return st.sampled_from([found.name for found in able if found.links or not linked])


def _node(draw: DrawFn, made_of: NodeClass, outputs: Mapping[str, Sequence[tuple[str, int]]]) -> dict[str, Any]:
    inputs = {name: draw(literal) for name, literal in made_of.literals.items()}
    for name, kind in made_of.links.items():
        inputs[name] = list(outputs[kind][draw(st.integers(0, len(outputs[kind]) - 1))])
    if not draw(_IS_ODD):
        return {"class_type": made_of.name, "inputs": inputs}
    inputs["option"] = draw(_ODD)
    return {"class_type": f"{made_of.name} (Custom)", "inputs": inputs, "_meta": {"title": draw(_TITLES)}}
