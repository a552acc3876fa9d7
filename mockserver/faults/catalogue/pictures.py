"""Faults of files: what a client may save that is no picture, or save where it must not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from safelight.mockserver.faults.catalogue import fault
from safelight.mockserver.faults.catalogue.checks import check_number
from safelight.mockserver.model.wire import Send, Wire, raw

if TYPE_CHECKING:
    from safelight.mockserver.model.messages import Reply

#: Bytes that `corrupt` flips.
_FLIPPED: Final = 16


@fault
class Truncate:
    """Send so many bytes of the body, say that it is longer, and close the connection."""

    bytes: int = 100

    def __post_init__(self) -> None:
        check_number(self.bytes, 0, 1e12, "bytes of truncate")

    def strike(self, reply: Reply) -> Reply:
        """The beginning of it; where it has no more bytes, the last one is missing."""
        kept = reply._replace(body=reply.body[: min(self.bytes, len(reply.body) - 1)])
        return (
            reply._replace(wire=Wire("truncate", (Send(raw(kept, length=len(reply.body))),))) if reply.body else reply
        )


@fault
class Corrupt:
    """Flip the bits of bytes in the middle; the length stays."""

    def strike(self, reply: Reply) -> Reply:
        """As many bytes, some of them others."""
        at = max(0, len(reply.body) - _FLIPPED) // 2
        flipped = bytes(byte ^ 0xFF for byte in reply.body[at : at + _FLIPPED])
        return reply._replace(body=reply.body[:at] + flipped + reply.body[at + _FLIPPED :])


@fault
class FileName:
    """Say that the file has this name, which is a hostile one."""

    name: str = "../../safelight.png"

    def __post_init__(self) -> None:
        if not self.name.isprintable():
            raise ValueError("a header cannot carry this name: leave out what cannot be printed")

    def strike(self, reply: Reply) -> Reply:
        """The same and a Content-Disposition."""
        return reply._replace(headers={**reply.headers, "content-disposition": f"attachment; {_named(self.name)}"})


def _named(name: str) -> str:
    """The parameter that says it: the plain one where it can."""
    if not name.isascii():
        return f"filename*=UTF-8''{quote(name, safe='')}"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'filename="{escaped}"'
