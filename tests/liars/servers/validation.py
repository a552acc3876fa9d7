"""Defects about which parameters are taken: what is wrong is left out, and the rest is accepted."""

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from liars.servers.changes import CRASH, GONE, VALID, document, endpoint, is_submit, refused, with_document
from liars.servers.server import BadServer, add, defect
from safelight.mockserver.model.messages import Reply, Request

#: Whether the parameters of a submit are those that a defect is about.
_Taken = Callable[[Mapping[str, Any]], object]

#: A picture, where one is missing.
_IMAGE = "https://example.com/lamp.png"

_WORKFLOWS = ("default", "anime", "z-image", "rr3", "grok")


def accepts(name: str, check: str, what: str, operation: str, taken: _Taken, **instead: Any) -> None:
    """Register a server that takes what is malformed as if it were something else."""

    def answer(server: BadServer, request: Request) -> Reply:
        is_taken = endpoint(request) == operation and request.method == "POST" and taken(document(request))
        return server.ask(with_document(request, **instead) if is_taken else request)

    add(f"accepts-{name}", f"Takes {what}.", (check,), answer)


def _is_a(kind: type, name: str, parameters: Mapping[str, Any]) -> bool:
    return type(parameters.get(name)) is kind


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _over(name: str, least: float, parameters: Mapping[str, Any], most: float = float("inf")) -> bool:
    value = parameters.get(name)
    return _is_number(value) and least <= value <= most  # type: ignore[operator]  # it is a number


image = partial(accepts, operation="image_generation")

image("a-text-as-width", "S30", "a width as a text", taken=partial(_is_a, str, "width"), width=GONE)
image("a-switch-as-steps", "S30", "true for a number of steps", taken=partial(_is_a, bool, "steps"), steps=GONE)
image("a-number-as-prompt", "S30", "a number as a prompt", taken=partial(_is_a, int, "prompt"), **VALID)
image("a-list-as-workflow", "S30", "a list as a workflow", taken=partial(_is_a, list, "workflow"), workflow=GONE)
image("a-fraction-as-seed", "S30", "a seed of 1.5", taken=partial(_is_a, float, "seed"), seed=GONE)
image("a-text-as-cfg", "S30", "a cfg as a text", taken=partial(_is_a, str, "cfg"), cfg=GONE)
image("an-object-as-model", "S30", "an object as a model", taken=partial(_is_a, dict, "model"), model=GONE)

image("no-prompt", "S31", "a request without a prompt", taken=lambda its: its and "prompt" not in its, **VALID)
image("null-as-prompt", "S31", "null as a prompt", taken=lambda its: its.get("prompt", "") is None, **VALID)
image("an-empty-prompt", "S31", "an empty prompt", taken=lambda its: its.get("prompt") == "", **VALID)

image("a-huge-width", "S32", "a width of 4096 or more", taken=partial(_over, "width", 4096), width=GONE)
image("very-negative-steps", "S32", "steps of -20 or less",
      taken=lambda its: _is_number(its.get("steps")) and its["steps"] <= -20, steps=GONE)  # fmt: skip
image("many-steps", "S32", "a hundred steps and more", taken=partial(_over, "steps", 100), steps=GONE)

image("a-width-of-2049", "S33", "a width of 2049", taken=partial(_over, "width", 2049, most=2049), width=2048)
image("a-height-of-0", "S33", "a height of 0", taken=partial(_over, "height", 0, most=0), height=GONE)
image("51-steps", "S33", "51 steps", taken=partial(_over, "steps", 51, most=51), steps=GONE)
image("a-seed-of-minus-2", "S33", "a seed of -2", taken=partial(_over, "seed", -2, most=-2), seed=GONE)
image("a-negative-cfg", "S33", "a cfg that is a little less than 0",
      taken=lambda its: _is_number(its.get("cfg")) and -1 <= its["cfg"] < 0, cfg=GONE)  # fmt: skip
image("any-workflow", "S33", "a workflow that does not exist",
      taken=lambda its: type(its.get("workflow")) is str and its["workflow"] not in _WORKFLOWS,
      workflow=GONE)  # fmt: skip
image("any-case-of-a-workflow", "S33", "Anime for anime",
      taken=lambda its: type(its.get("workflow")) is str and its["workflow"] not in _WORKFLOWS
      and its["workflow"].lower() in _WORKFLOWS, workflow=GONE)  # fmt: skip

accepts("an-edit-of-nothing", "S31", "an edit without a picture", "image_editing",
        lambda its: its and "image" not in its, image=_IMAGE)  # fmt: skip
accepts("an-edit-of-a-number", "S30", "a number as the picture of an edit", "image_editing",
        partial(_is_a, int, "image"), image=_IMAGE)  # fmt: skip
accepts("an-edit-without-a-prompt", "S31", "an edit without a prompt", "image_editing",
        lambda its: "prompt" not in its and "image" in its, **VALID)  # fmt: skip
accepts("a-video-of-nothing", "S31", "a video from a picture, without the picture", "video_generation",
        lambda its: its.get("mode", "i2v") == "i2v" and "image" not in its and "prompt" in its,
        image=_IMAGE)  # fmt: skip
accepts("any-mode", "S33", "a video with a mode that does not exist", "video_generation",
        lambda its: type(its.get("mode")) is str and its["mode"] not in ("i2v", "t2v"), mode="t2v")  # fmt: skip


@defect("S30", "S14")
def crashes_on_a_wrong_type(server: BadServer, request: Request) -> Reply:
    """Answers a width that is no number with 500."""
    is_odd = is_submit(request) and not _is_number(document(request).get("width", 1))
    return CRASH if is_odd else server.ask(request)


@defect("S31", "S14")
def crashes_without_a_prompt(server: BadServer, request: Request) -> Reply:
    """Answers a submit without a prompt with 500."""
    is_odd = request.method == "POST" and is_submit(request) and "prompt" not in (document(request) or VALID)
    reply = server.ask(request)
    return CRASH if is_odd and reply.status == HTTPStatus.BAD_REQUEST else reply


@defect("S30", "S31", "S32", "S33")
def malformed_is_422(server: BadServer, request: Request) -> Reply:
    """Answers what is malformed with 422."""
    reply = server.ask(request)
    return reply._replace(status=422) if reply.status == HTTPStatus.BAD_REQUEST else reply


@defect("S30", "S31", "S32", "S33")
def malformed_is_200(server: BadServer, request: Request) -> Reply:
    """Answers what is malformed with HTTP 200 around the error."""
    reply = server.ask(request)
    return reply._replace(status=200) if reply.status == HTTPStatus.BAD_REQUEST else reply


@defect("S36")
def refuses_in_turns(server: BadServer, request: Request) -> Reply:
    """Refuses the same request with 400 and with 413 in turns."""
    reply = server.ask(request)
    if reply.status != HTTPStatus.BAD_REQUEST:
        return reply
    return reply._replace(status=413) if server.count(request.query, request.body) % 2 == 0 else reply


@defect("S62")
def refuses_the_largest_size(server: BadServer, request: Request) -> Reply:
    """Refuses a width or height of 2048."""
    sizes = [document(request).get(name) for name in ("width", "height")]
    return refused("the size is too large") if is_submit(request) and 2048 in sizes else server.ask(request)


@defect("S62")
def refuses_50_steps(server: BadServer, request: Request) -> Reply:
    """Refuses 50 steps."""
    return refused("too many steps") if document(request).get("steps") == 50 else server.ask(request)


@defect("S62")
def refuses_one_step(server: BadServer, request: Request) -> Reply:
    """Refuses a single step."""
    is_one = _is_a(int, "steps", document(request)) and document(request)["steps"] == 1
    return refused("too few steps") if is_one else server.ask(request)
