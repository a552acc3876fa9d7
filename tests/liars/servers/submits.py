"""Defects about the answer to a submit."""

import json

from liars.servers.changes import GONE, data, endpoint, is_submit, task_id, with_body, with_data, with_query
from liars.servers.server import BadServer, defect
from safelight.mockserver.model.messages import Reply, Request


def _submitted(server: BadServer, request: Request) -> tuple[Reply, str]:
    """The reply, and the id where it is that of a task."""
    reply = server.ask(request)
    return reply, str(data(reply).get("id", "")) if is_submit(request) else ""


@defect("S50")
def submits_are_201(server: BadServer, request: Request) -> Reply:
    """Answers a submit with 201."""
    reply, made = _submitted(server, request)
    return reply._replace(status=201) if made else reply


@defect("S50")
def submits_are_202(server: BadServer, request: Request) -> Reply:
    """Answers a submit of an image with 202."""
    reply, made = _submitted(server, request)
    return reply._replace(status=202) if made and endpoint(request) == "image_generation" else reply


@defect("S50")
def submits_have_no_envelope(server: BadServer, request: Request) -> Reply:
    """Answers a submit with the data alone."""
    reply, made = _submitted(server, request)
    return reply._replace(body=json.dumps(data(reply)).encode()) if made else reply


@defect("S50")
def submits_say_pending(server: BadServer, request: Request) -> Reply:
    """Answers a submit with the status word of a poll."""
    reply, made = _submitted(server, request)
    return with_data(reply, status="pending") if made else reply


@defect("S50")
def success_is_a_text(server: BadServer, request: Request) -> Reply:
    """Answers a submit with `success` as a text."""
    reply, made = _submitted(server, request)
    return with_body(reply, success="true") if made else reply


@defect("S50")
def submits_have_no_id(server: BadServer, request: Request) -> Reply:
    """Calls the id of a task `task_id`."""
    reply, made = _submitted(server, request)
    return with_data(reply, id=GONE, task_id=made) if made else reply


@defect("S50")
def ids_have_no_form(server: BadServer, request: Request) -> Reply:
    """Gives ids of the ComfyUI engine that are no UUIDs."""
    if task_id(request).startswith("task:"):
        return server.ask(with_query(request, task_id=task_id(request).removeprefix("task:")))
    reply, made = _submitted(server, request)
    return with_data(reply, id=f"task:{made}") if "-" in made else reply


@defect("S61")
def rr3_ids_are_numbers(server: BadServer, request: Request) -> Reply:
    """Gives the ids of rr3 as numbers."""
    reply, made = _submitted(server, request)
    return with_data(reply, id=int(made)) if made.isdecimal() else reply


@defect("S61")
def rr3_ids_are_uuids(server: BadServer, request: Request) -> Reply:
    """Gives tasks of rr3 ids of the form of ComfyUI's."""
    form = "00000000-0000-4000-8000-"
    if task_id(request).startswith(form):
        return server.ask(with_query(request, task_id=str(int(task_id(request).removeprefix(form), 16))))
    reply, made = _submitted(server, request)
    return with_data(reply, id=f"{form}{int(made):012x}") if made.isdecimal() else reply


@defect("S61")
def rr3_has_no_provider(server: BadServer, request: Request) -> Reply:
    """Answers a submit to rr3 as one to ComfyUI."""
    reply, made = _submitted(server, request)
    return with_data(reply, provider=GONE, check_status=GONE, message="Request queued.") if made.isdecimal() else reply


@defect("S63")
def the_same_request_is_one_task(server: BadServer, request: Request) -> Reply:
    """Answers a request that it had before with the task of that time."""
    reply, made = _submitted(server, request)
    return server.kept.setdefault(f"{request.query} {request.body!r}", reply) if made else reply


@defect("S50")
def edits_do_not_say_where(server: BadServer, request: Request) -> Reply:
    """Answers an edit without `check_status`."""
    reply, made = _submitted(server, request)
    return with_data(reply, check_status=GONE) if made and endpoint(request) == "image_editing" else reply


@defect("S50")
def videos_have_no_mode(server: BadServer, request: Request) -> Reply:
    """Answers a video without its `mode`."""
    reply, made = _submitted(server, request)
    return with_data(reply, mode=GONE) if made and endpoint(request) == "video_generation" else reply
