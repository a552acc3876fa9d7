"""Faults of the bytes: the answer is the one that was due, and not as HTTP, JSON or a file of a picture is written."""

import zlib
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from safelight.mockserver.faults.catalogue import fault
from safelight.mockserver.faults.catalogue.contents import is_object, with_urls
from safelight.mockserver.faults.catalogue.settings import choice, media_type, number, setting, status
from safelight.mockserver.model.messages import Reply
from safelight.mockserver.model.wire import Send, Wire, raw

_MEGABYTE: Final = 1_000_000

#: What PHP prints where nobody told it not to.
PHP_WARNING: Final = (
    b'<br />\n<b>Warning</b>:  Undefined array key "status" in <b>/var/www/html/v1/index.php</b> '
    b"on line <b>42</b><br />\n"
)


def _begun(reply: Reply, beginning: bytes, *, instead: bytes = b"") -> Reply:
    """The reply with this before its JSON object, or in the place of the beginning of that."""
    return reply._replace(body=beginning + reply.body.removeprefix(instead)) if is_object(reply) else reply


@fault
class Warning:  # noqa: A001 - a fault is called as its name in a plan
    """Print a PHP warning before the JSON."""

    def strike(self, reply: Reply) -> Reply:
        return _begun(reply, PHP_WARNING)


@fault
class Bom:
    """Begin the JSON with a byte order mark."""

    def strike(self, reply: Reply) -> Reply:
        return _begun(reply, b"\xef\xbb\xbf")


@fault
class NaN:
    """Begin the JSON with a member that is NaN, which JSON does not know."""

    def strike(self, reply: Reply) -> Reply:
        return _begun(reply, b'{"seconds":NaN,', instead=b"{")


@fault
class Twice:
    """Write `success` and `data` twice: first those of an error, then those that were due."""

    def strike(self, reply: Reply) -> Reply:
        return _begun(reply, b'{"success":false,"data":null,', instead=b"{")


@fault
class Deep:
    """Begin the JSON with a member of so many arrays, each in the next, at most 1,000,000."""

    depth: int = number(10_000, 1, 1_000_000)

    def strike(self, reply: Reply) -> Reply:
        return _begun(reply, b'{"deep":' + b"[" * self.depth + b"]" * self.depth + b",", instead=b"{")


@fault
class Huge:
    """End the JSON with a member of so many megabytes, at most 256; what is no JSON has as many zeros at its end."""

    megabytes: int = number(64, 1, 256)

    def strike(self, reply: Reply) -> Reply:
        size = self.megabytes * _MEGABYTE
        if not is_object(reply):
            return reply._replace(body=reply.body + bytes(size))
        return reply._replace(body=b"".join([reply.body[:-1], b',"padding":"', b"x" * size, b'"}']))


@fault
class Status:
    """Give the answer another HTTP status, such as 201 or 202; the body stays."""

    status: int = status(202)

    def strike(self, reply: Reply) -> Reply:
        return reply._replace(status=self.status)


@fault
class MediaType:
    """Call the answer by another media type."""

    type: str = media_type("text/html")

    def strike(self, reply: Reply) -> Reply:
        return reply._replace(media_type=self.type)


#: What JSON can be written in that is not UTF-8.
_CHARSETS: Final = ("utf-16", "utf-32", "latin-1", "cp1252", "cp037", "shift_jis", "gb18030")


@fault
class Charset:
    """Write the JSON in utf-16, utf-32, latin-1, cp1252, cp037, shift_jis or gb18030, and call it UTF-8."""

    name: str = choice("utf-16", _CHARSETS, "charset that it can be in")

    def strike(self, reply: Reply) -> Reply:
        if not is_object(reply):
            return reply
        body = reply.body.decode().encode(self.name, "replace")
        return reply._replace(body=body, media_type="application/json; charset=utf-8")


_RIGHT_LENGTH: Final = "a length that is off by 0 is right: give more, or fewer such as -10"


@fault
class Length:
    """Say a Content-Length that is off by so many bytes, more or fewer."""

    delta: int = setting(10, lambda delta, _: "" if delta else _RIGHT_LENGTH)

    def strike(self, reply: Reply) -> Reply:
        stated = max(0, len(reply.body) + self.delta)
        wire = Wire("length", (Send(raw(reply, length=stated)),), whole=self.delta < 0)
        return reply._replace(body=reply.body[:stated], wire=wire)


@fault
class Chunk:
    """Send half of the body in one chunk, and then what is no chunk."""

    def strike(self, reply: Reply) -> Reply:
        if reply.request is not None and reply.request.method == "HEAD":
            return reply
        half = reply.body[: len(reply.body) // 2]
        head = raw(reply._replace(body=b""), length=-1, transfer_encoding="chunked")
        sent = Send(b"%s%x\r\n%s\r\nno chunk\r\n" % (head, len(half), half))
        return reply._replace(body=half, wire=Wire("chunk", (sent,)))


def _in_gzip(reply: Reply, body: bytes) -> Reply:
    return reply._replace(body=body, headers={**reply.headers, "content-encoding": "gzip"})


#: How a file of gzip begins that names neither its time nor its system.
_GZIP: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@fault
class Gzip:
    """Say that the body is gzip, and begin as gzip does; the rest is none."""

    def strike(self, reply: Reply) -> Reply:
        return _in_gzip(reply, _GZIP + b"\xff" * 64)


@fault
class Bomb:
    """Send the JSON in gzip, with so many megabytes of blanks before it, at most 1,000."""

    megabytes: int = number(100, 1, 1_000)

    def strike(self, reply: Reply) -> Reply:
        if not is_object(reply):
            return reply
        blanks, checksum = _blanks(self.megabytes)
        size = self.megabytes * _MEGABYTE + len(reply.body)
        end = zlib.crc32(reply.body, checksum).to_bytes(4, "little") + size.to_bytes(4, "little")
        return _in_gzip(reply, _GZIP + blanks + _deflated(reply.body, zlib.Z_FINISH) + end)


@lru_cache(4)
def _blanks(megabytes: int) -> tuple[bytes, int]:
    """So many megabytes of blanks, compressed, and their checksum: each megabyte comes to the same bytes."""
    megabyte, checksum = b" " * _MEGABYTE, 0
    for _ in range(megabytes):
        checksum = zlib.crc32(megabyte, checksum)
    return _deflated(megabyte, zlib.Z_FULL_FLUSH) * megabytes, checksum


def _deflated(data: bytes, end: int) -> bytes:
    """The data as blocks that refer to nothing before them, without header and checksum."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(end)


#: Bytes that `corrupt` flips.
_FLIPPED: Final = 16


@fault
class Truncate:
    """Send so many bytes of the body, say that it is longer, and close the connection."""

    bytes: int = number(100, 0, 1e12)

    def strike(self, reply: Reply) -> Reply:
        if not reply.body:
            return reply
        kept = reply._replace(body=reply.body[: min(self.bytes, len(reply.body) - 1)])
        return kept._replace(wire=Wire("truncate", (Send(raw(kept, length=len(reply.body))),)))


@fault
class Corrupt:
    """Flip the bits of bytes in the middle; the length stays."""

    def strike(self, reply: Reply) -> Reply:
        at = max(0, len(reply.body) - _FLIPPED) // 2
        flipped = bytes(byte ^ 0xFF for byte in reply.body[at : at + _FLIPPED])
        return reply._replace(body=reply.body[:at] + flipped + reply.body[at + _FLIPPED :])


_UNPRINTABLE: Final = "a header cannot carry this name: leave out what cannot be printed"


@fault
class FileName:
    """Say that the file has this name, a hostile one: of a picture in its header, of a poll at the end of its URL."""

    name: str = setting("../../safelight.png", lambda name, _: "" if name.isprintable() else _UNPRINTABLE)

    def strike(self, reply: Reply) -> Reply:
        if is_object(reply):
            return with_urls(reply, lambda url: f"{url}/{quote(self.name, safe='')}")
        return reply._replace(headers={**reply.headers, "content-disposition": f"attachment; {_named(self.name)}"})


def _named(name: str) -> str:
    """The parameter that says it: the plain one where it can."""
    if not name.isascii():
        return f"filename*=UTF-8''{quote(name, safe='')}"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'filename="{escaped}"'
