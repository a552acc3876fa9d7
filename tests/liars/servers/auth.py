"""Defects about the key, and about what errors say."""

from http import HTTPStatus

from liars.servers.changes import (
    CRASH,
    endpoint,
    message,
    with_body,
    with_data,
    with_header,
    with_message,
    with_query,
    with_reply_header,
)
from liars.servers.server import BadServer, defect
from safelight.mockserver.model.keys import sent_key
from safelight.mockserver.model.messages import Reply, Request

_UNAUTHORIZED = HTTPStatus.UNAUTHORIZED


@defect("S10")
def serves_without_a_key(server: BadServer, request: Request) -> Reply:
    """Serves requests that bring no key."""
    return server.ask(request if sent_key(request)[0] else with_header(request, x_api_key=server.key))


@defect("S10")
def polls_need_no_key(server: BadServer, request: Request) -> Reply:
    """Answers polls that bring no key as it would with one."""
    is_open = endpoint(request) == "task_status" and not sent_key(request)[0]
    return server.ask(with_header(request, x_api_key=server.key) if is_open else request)


@defect("S10")
def no_key_is_403(server: BadServer, request: Request) -> Reply:
    """Answers a missing key with 403."""
    reply = server.ask(request)
    return reply if sent_key(request)[0] or reply.status != _UNAUTHORIZED else reply._replace(status=403)


@defect("S10", "S11")
def unauthorized_is_200(server: BadServer, request: Request) -> Reply:
    """Answers a missing or wrong key with HTTP 200 around the error."""
    reply = server.ask(request)
    return reply._replace(status=200) if reply.status == _UNAUTHORIZED else reply


@defect("S11")
def accepts_any_key(server: BadServer, request: Request) -> Reply:
    """Takes any key for the right one."""
    return server.ask(with_header(request, x_api_key=server.key) if sent_key(request)[0] else request)


@defect("S11")
def accepts_a_blank_key(server: BadServer, request: Request) -> Reply:
    """Takes a header x-api-key with nothing in it for the right key."""
    is_blank = request.headers.get("x-api-key", "-").strip() == ""
    return server.ask(with_header(request, x_api_key=server.key) if is_blank else request)


@defect("S11", "S14")
def crashes_on_a_long_key(server: BadServer, request: Request) -> Reply:
    """Answers a key of 4 kB or more with 500."""
    return CRASH if len(sent_key(request)[0]) >= 4_000 else server.ask(request)


@defect("S11")
def wrong_key_is_403(server: BadServer, request: Request) -> Reply:
    """Answers a wrong key with 403."""
    reply = server.ask(request)
    return reply._replace(status=403) if sent_key(request)[0] and reply.status == _UNAUTHORIZED else reply


@defect("S12")
def ignores_bearer(server: BadServer, request: Request) -> Reply:
    """Does not read the key from Authorization: Bearer."""
    return server.ask(request._replace(headers={n: v for n, v in request.headers.items() if n != "authorization"}))


@defect("S12")
def ignores_the_key_in_the_query(server: BadServer, request: Request) -> Reply:
    """Does not read the key from the query."""
    return server.ask(with_query(request, api_key="") if "api_key=" in request.query else request)


@defect("S12")
def prefers_bearer(server: BadServer, request: Request) -> Reply:
    """Reads Authorization: Bearer before x-api-key."""
    has_bearer = request.headers.get("authorization", "").lower().startswith("bearer ")
    return server.ask(with_header(request, x_api_key="") if has_bearer else request)


@defect("S13")
def errors_are_html(server: BadServer, request: Request) -> Reply:
    """Answers errors with a page of HTML."""
    reply = server.ask(request)
    if reply.status < 400:
        return reply
    page = f"<html><body><h1>Error {reply.status}</h1></body></html>"
    return reply._replace(body=page.encode(), media_type="text/html")


@defect("S13")
def errors_are_texts(server: BadServer, request: Request) -> Reply:
    """Answers errors with a text in the place of the object."""
    reply = server.ask(request)
    return with_body(reply, error=message(reply)) if reply.status >= 400 else reply


@defect("S13")
def errors_have_no_envelope(server: BadServer, request: Request) -> Reply:
    """Answers errors with the member `message` alone."""
    reply = server.ask(request)
    return reply._replace(body=b'{"message":"Bad request"}') if reply.status >= 400 else reply


@defect("S13")
def errors_have_data(server: BadServer, request: Request) -> Reply:
    """Answers errors with an empty object as data."""
    reply = server.ask(request)
    return with_body(reply, data={}) if reply.status >= 400 else reply


@defect("S13")
def errors_show_the_stack(server: BadServer, request: Request) -> Reply:
    """Answers errors with the stack of the server in the message."""
    reply = server.ask(request)
    stack = "PHP Fatal error: Uncaught TypeError\nStack trace:\n#0 /var/www/html/v1/index.php(217): submit()\n#1 {main}"
    return with_message(reply, stack) if reply.status == HTTPStatus.BAD_REQUEST else reply


@defect("S13")
def errors_show_sql(server: BadServer, request: Request) -> Reply:
    """Answers an unknown id with the statement that found nothing."""
    reply = server.ask(request)
    is_unknown = endpoint(request) == "task_status" and reply.status == HTTPStatus.NOT_FOUND
    return with_message(reply, "no row: SELECT * FROM tasks WHERE id = '1' LIMIT 1") if is_unknown else reply


@defect("S13")
def errors_show_a_path(server: BadServer, request: Request) -> Reply:
    """Answers an unknown endpoint with a path of the server."""
    reply = server.ask(request)
    is_unknown = reply.status == HTTPStatus.NOT_FOUND and endpoint(request) != "task_status"
    return with_message(reply, "cannot open /var/www/html/v1/endpoints/none.php") if is_unknown else reply


@defect("S15")
def echoes_the_key_in_errors(server: BadServer, request: Request) -> Reply:
    """Names the key in what it says of a malformed request."""
    reply = server.ask(request)
    is_malformed = reply.status == HTTPStatus.BAD_REQUEST
    return with_message(reply, f"{message(reply)} (key {sent_key(request)[0]})") if is_malformed else reply


@defect("S15")
def echoes_the_key_in_a_header(server: BadServer, request: Request) -> Reply:
    """Sends its own key back in a header of each answer."""
    reply, key = server.ask(request), sent_key(request)[0]
    return with_reply_header(reply, "x-debug-user", key) if key == server.key else reply


@defect("S15")
def echoes_the_key_in_the_balance(server: BadServer, request: Request) -> Reply:
    """Answers a request for the balance with the key beside it."""
    reply = server.ask(request)
    return with_data(reply, api_key=sent_key(request)[0]) if endpoint(request) == "user_balance" else reply
