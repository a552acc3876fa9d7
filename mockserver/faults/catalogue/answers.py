"""Faults of the whole answer: HTTP arrives, and it is another answer than the one that was due."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from safelight.mockserver.faults.catalogue import fault
from safelight.mockserver.faults.catalogue.settings import choice, error_status, header, media_type, status, text
from safelight.mockserver.model.clock import machine_date
from safelight.mockserver.model.messages import HEADERS, Reply, encoded, failure, http_date
from safelight.mockserver.model.redirects import TARGETS

#: What a gateway says in the place of the service behind it.
GATEWAY_PAGE: Final = """<html>\r
<head><title>{0}</title></head>\r
<body>\r
<center><h1>{0}</h1></center>\r
<hr><center>gateway</center>\r
</body>\r
</html>\r
"""

#: Seconds from now to the date that `throttle date` gives.
_LATER: Final = 2

#: The words of `throttle` that stand for something else -> what the headers of a reply of this date say.
_RETRY_AFTER: Final[Mapping[str, Callable[[float], dict[str, str]]]] = {
    "none": lambda _: {},
    "date": lambda date: {"retry-after": http_date(date + _LATER)},
}


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in list(HTTPStatus) else f"HTTP status {status}"


@fault
class Http:
    """Answer with this HTTP status, 400 to 599, and the envelope of an error."""

    status: int = error_status(500)

    def strike(self, _: Reply) -> Reply:
        return failure(self.status, _phrase(self.status))


@fault
class Refuse:
    """Answer with this HTTP status, 400 to 599, and the envelope of an error with this message."""

    status: int = error_status(400)
    message: str = "Invalid request"

    def strike(self, _: Reply) -> Reply:
        return failure(self.status, self.message)


@fault
class Throttle:
    """Answer with 429 and `Retry-After`: seconds, `date` (in two seconds), `none`, or nonsense such as `soon`."""

    after: str = header("2", "Retry-After")

    def strike(self, reply: Reply) -> Reply:
        if said := _RETRY_AFTER.get(self.after):
            return failure(429, _phrase(429), said(machine_date() if reply.date is None else reply.date))
        return failure(429, _phrase(429), {"retry-after": self.after})


@fault
class Unsuccessful:
    """Answer with the envelope of an error, and HTTP status 200."""

    message: str = "Generation failed"

    def strike(self, _: Reply) -> Reply:
        return failure(200, self.message)


@fault
class Body:
    """Answer with this HTTP status, this text and this media type, whatever they are."""

    status: int = status(200)
    text: str = text("OK")
    media_type: str = media_type("application/json")

    def strike(self, reply: Reply) -> Reply:
        return reply._replace(status=self.status, body=self.text.encode(), media_type=self.media_type)


@fault
class Html:
    """Answer with this HTTP status and a gateway's HTML page."""

    status: int = status(502)

    def strike(self, reply: Reply) -> Reply:
        page = GATEWAY_PAGE.format(f"{self.status} {_phrase(self.status)}")
        return reply._replace(status=self.status, body=page.encode(), media_type="text/html")


@fault
class Empty:
    """Answer with this HTTP status and no body."""

    status: int = status(200, has_body=False)

    def strike(self, reply: Reply) -> Reply:
        return reply._replace(status=self.status, body=b"")


@fault
class NoData:
    """Answer with `data: null` beside `success: true`."""

    def strike(self, reply: Reply) -> Reply:
        if reply.media_type != "application/json":
            return reply
        return reply._replace(status=200, body=encoded({"success": True, "data": None, "error": None}))


@fault
class Garbled:
    """Cut the body in half: JSON that no parser takes, or half a picture."""

    def strike(self, reply: Reply) -> Reply:
        return reply._replace(body=reply.body[: len(reply.body) // 2])


@fault
class Redirect:
    """Redirect once, with 301, 302, 303, 307 or 308: `elsewhere`, at another origin, or `here`; or in a `loop`."""

    leads_on = True

    status: int = choice(307, ("301", "302", "303", "307", "308"), "HTTP status of a redirect")
    where: str = choice("elsewhere", TARGETS, "place to redirect to")

    def strike(self, reply: Reply) -> Reply:
        assert reply.request is not None
        return Reply(self.status, b"", "text/html", {**HEADERS, "location": TARGETS[self.where](reply.request)})
