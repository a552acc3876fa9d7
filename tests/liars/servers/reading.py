"""Defects about asking for tasks: of ids that were never issued, of others, and of what has ended."""

from http import HTTPStatus

from liars.servers.changes import CRASH, data, is_poll, task_id, with_body, with_data, with_header, with_reply_header
from liars.servers.server import OTHER_KEY, BadServer, defect
from safelight.mockserver.model.keys import sent_key
from safelight.mockserver.model.messages import Reply, Request, success

_NOT_FOUND = HTTPStatus.NOT_FOUND


@defect("S40")
def unknown_ids_are_queued(server: BadServer, request: Request) -> Reply:
    """Says that a task it never heard of is queued."""
    reply = server.ask(request)
    if not is_poll(request) or reply.status != _NOT_FOUND:
        return reply
    return success({"id": task_id(request), "status": "pending", "created_at": None, "result": None})


@defect("S40")
def unknown_ids_are_done(server: BadServer, request: Request) -> Reply:
    """Says that a task it never heard of is done."""
    reply = server.ask(request)
    if not is_poll(request) or reply.status != _NOT_FOUND:
        return reply
    result = {"image_url": f"{request.origin}/uploads/none.png"}
    return success({"id": task_id(request), "status": "completed", "created_at": None, "result": result})


@defect("S40")
def unknown_ids_are_nothing(server: BadServer, request: Request) -> Reply:
    """Answers an id it never heard of with 200 and `data` null."""
    reply = server.ask(request)
    is_unknown = is_poll(request) and reply.status == _NOT_FOUND
    return with_body(reply, success=True, error=None)._replace(status=200) if is_unknown else reply


@defect("S40")
def unknown_numbers_are_the_last_task(server: BadServer, request: Request) -> Reply:
    """Answers 0 and -1 with some task of the key."""
    reply = server.ask(request)
    if not is_poll(request) or reply.status != _NOT_FOUND or task_id(request) not in ("0", "-1"):
        return reply
    return success({"id": task_id(request), "status": "processing", "created_at": None, "result": None, "progress": 1})


@defect("S40", "S14")
def crashes_on_quotes_in_an_id(server: BadServer, request: Request) -> Reply:
    """Answers an id with a quotation mark in it with 500."""
    return CRASH if is_poll(request) and set("'\"") & set(task_id(request)) else server.ask(request)


@defect("S40", "S14")
def crashes_on_a_path_as_id(server: BadServer, request: Request) -> Reply:
    """Answers an id like ../../etc/passwd with 500."""
    return CRASH if is_poll(request) and "../" in task_id(request) else server.ask(request)


@defect("S40", "S14")
def crashes_on_a_large_number_as_id(server: BadServer, request: Request) -> Reply:
    """Answers an id of 2^64 or more with 500."""
    asked = task_id(request)
    is_large = is_poll(request) and asked.isascii() and asked.isdecimal() and len(asked) < 1_000 and int(asked) >= 2**64
    return CRASH if is_large else server.ask(request)


@defect("S42", "S54")
def the_url_changes_with_each_read(server: BadServer, request: Request) -> Reply:
    """Signs the URL of a picture anew in each answer."""
    reply = server.ask(request)
    result = data(reply).get("result") if is_poll(request) else None
    if not result:
        return reply
    signature = server.count("signed")
    return with_data(reply, result={name: f"{url}?signature={signature}" for name, url in result.items()})


@defect("S42", "S54")
def counts_the_reads_of_a_task(server: BadServer, request: Request) -> Reply:
    """Says in each answer about a finished task how often it was read."""
    reply = server.ask(request)
    is_done = is_poll(request) and data(reply).get("status") == "completed"
    return with_data(reply, reads=server.count("read", task_id(request))) if is_done else reply


@defect("S42", "S54")
def a_finished_task_runs_again(server: BadServer, request: Request) -> Reply:
    """Says after three reads of a finished task that it is running."""
    reply = server.ask(request)
    if not is_poll(request) or data(reply).get("status") != "completed" or server.count("read", task_id(request)) <= 3:
        return reply
    return with_data(reply, status="processing", result=None, progress=99)


@defect("S42", "S54")
def forgets_what_is_done(server: BadServer, request: Request) -> Reply:
    """Answers the third read of a finished task, and those after it, with 404."""
    reply = server.ask(request)
    if not is_poll(request) or data(reply).get("status") != "completed" or server.count("read", task_id(request)) <= 2:
        return reply
    return server.ask(request._replace(query="endpoint=task_status&task_id=forgotten"))


@defect("S43")
def any_key_reads_any_task(server: BadServer, request: Request) -> Reply:
    """Answers a poll of another key's task."""
    reply = server.ask(request)
    is_others = is_poll(request) and reply.status == _NOT_FOUND and sent_key(request)[0] == OTHER_KEY
    return server.ask(with_header(request, x_api_key=server.key)) if is_others else reply


@defect("S44")
def answers_may_be_cached(server: BadServer, request: Request) -> Reply:
    """Lets shared caches keep the answer to a poll."""
    reply = server.ask(request)
    return with_reply_header(reply, "cache-control", "public, max-age=3600") if is_poll(request) else reply
