"""Defects about what a task comes to: its URL, and the file behind it."""

from io import BytesIO
from urllib.parse import urlsplit

from PIL import Image

from liars.servers.changes import PNG, data, is_poll, with_data
from liars.servers.server import BadServer, defect
from safelight.mockserver.model.keys import sent_key
from safelight.mockserver.model.messages import Reply, Request, failure
from safelight.mockserver.operations.results import UPLOADS


def _is_file(request: Request) -> bool:
    return request.path.startswith(UPLOADS)


def _scaled(reply: Reply, factor: float, more: int = 0) -> Reply:
    """A picture of another size."""
    if reply.media_type != PNG:
        return reply
    with Image.open(BytesIO(reply.body)) as picture:
        size = (max(1, round(picture.width * factor) + more), max(1, round(picture.height * factor)))
        picture.resize(size).save(made := BytesIO(), "PNG")
    return reply._replace(body=made.getvalue())


@defect("S56", "S55")
def picture_urls_are_relative(server: BadServer, request: Request) -> Reply:
    """Answers with the path of a picture alone."""
    reply = server.ask(request)
    result = data(reply).get("result") if is_poll(request) else None
    return with_data(reply, result={n: urlsplit(url).path for n, url in result.items()}) if result else reply


@defect("S56")
def pictures_are_missing(server: BadServer, request: Request) -> Reply:
    """Answers with the URL of a picture that is not there."""
    return failure(404, "Not found") if _is_file(request) else server.ask(request)


@defect("S56")
def pictures_are_pages(server: BadServer, request: Request) -> Reply:
    """Has a page of HTML behind the URL of a picture."""
    reply = server.ask(request)
    page = b"<html><body>Log in to see this picture.</body></html>"
    return reply._replace(body=page, media_type="text/html") if _is_file(request) else reply


@defect("S56")
def pictures_are_cut_off(server: BadServer, request: Request) -> Reply:
    """Sends the first half of a picture."""
    reply = server.ask(request)
    return reply._replace(body=reply.body[: len(reply.body) // 2]) if _is_file(request) else reply


@defect("S56")
def pictures_are_half_the_size(server: BadServer, request: Request) -> Reply:
    """Draws pictures of half the width and height."""
    reply = server.ask(request)
    return _scaled(reply, 0.5) if _is_file(request) else reply


@defect("S56")
def pictures_are_a_pixel_wider(server: BadServer, request: Request) -> Reply:
    """Draws pictures that are one pixel too wide."""
    reply = server.ask(request)
    return _scaled(reply, 1, 1) if _is_file(request) else reply


@defect("S56")
def anime_is_not_larger(server: BadServer, request: Request) -> Reply:
    """Draws pictures of the workflow anime in the size that was asked for."""
    reply = server.ask(request)
    drawn = {task.id for task in server.session().tasks if task.workflow == "anime"}
    is_anime = _is_file(request) and request.path.rpartition("/")[2].removesuffix(".png") in drawn
    return _scaled(reply, 2 / 3) if is_anime else reply


@defect("S56")
def pictures_want_the_key(server: BadServer, request: Request) -> Reply:
    """Refuses a picture to whoever brings no key."""
    is_refused = _is_file(request) and not sent_key(request)[0]
    return failure(401, "Unauthorized: Invalid API Key") if is_refused else server.ask(request)
