"""Servers that are no server of the API, or not for long. No check is about them: a run ends with a clear sentence."""

from liars.servers.changes import data, is_submit
from liars.servers.server import BadServer, defect
from safelight.mockserver.model.messages import Reply, Request, success
from safelight.mockserver.model.wire import RESET, Send, Wait, Wire

_PAGE = Reply(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html")

_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"

#: A minute of blanks.
_BLANKS = Send(b" " * 30_000_000, 500_000)


@defect("S10", "S11", "S20", "S40")
def answers_everything_with_200(server: BadServer, request: Request) -> Reply:
    """Answers whatever it is asked with 200 and an empty object."""
    return success({})


@defect()
def redirects_elsewhere(server: BadServer, request: Request) -> Reply:
    """Redirects each request to another origin."""
    there = request.origin.replace("127.0.0.1", "localhost")
    target = f"{there}{request.path}?{request.query}"
    return Reply(307, b"", headers={"location": target})


@defect()
def streams_for_ever(server: BadServer, request: Request) -> Reply:
    """Answers with blanks that do not end."""
    return server.ask(request)._replace(wire=Wire("blanks", (Send(_STREAM), _BLANKS)))


@defect()
def answers_nothing(server: BadServer, request: Request) -> Reply:
    """Takes each request, and never answers."""
    return server.ask(request)._replace(wire=Wire("hang", (Wait(),)))


@defect()
def is_down(server: BadServer, request: Request) -> Reply:
    """Answers each request with the 502 of a gateway."""
    return _PAGE


@defect()
def loses_the_answer_to_a_submit(server: BadServer, request: Request) -> Reply:
    """Creates a task, and resets the connection in the place of an answer."""
    reply = server.ask(request)
    return reply._replace(wire=RESET) if is_submit(request) and data(reply) else reply


@defect()
def is_down_after_a_submit(server: BadServer, request: Request) -> Reply:
    """Creates a task, and answers all that comes then with the 502 of a gateway."""
    if server.counts["submits"]:
        return _PAGE
    reply = server.ask(request)
    if is_submit(request) and data(reply):
        server.count("submits")
    return reply
