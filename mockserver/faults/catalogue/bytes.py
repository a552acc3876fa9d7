"""Faults of the bytes: the answer is the one that was due, and not as HTTP and JSON write it."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from safelight.mockserver.faults.catalogue import fault
from safelight.mockserver.faults.catalogue.checks import check_known, check_media_type, check_number
from safelight.mockserver.faults.catalogue.envelopes import is_object
from safelight.mockserver.model.wire import Send, Wire, raw

if TYPE_CHECKING:
    from safelight.mockserver.model.messages import Reply

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
        """HTML, then JSON."""
        return _begun(reply, PHP_WARNING)


@fault
class Bom:
    """Begin the JSON with a byte order mark."""

    def strike(self, reply: Reply) -> Reply:
        """Three bytes more."""
        return _begun(reply, b"\xef\xbb\xbf")


@fault
class NaN:
    """Begin the JSON with a member that is NaN, which JSON does not know."""

    def strike(self, reply: Reply) -> Reply:
        """The same and `"seconds":NaN`."""
        return _begun(reply, b'{"seconds":NaN,', instead=b"{")


@fault
class Twice:
    """Write `success` and `data` twice: first those of an error, then those that were due."""

    def strike(self, reply: Reply) -> Reply:
        """Two answers in one object; most parsers take the last."""
        return _begun(reply, b'{"success":false,"data":null,', instead=b"{")


@fault
class Deep:
    """Begin the JSON with a member of so many arrays, each in the next, at most 1,000,000."""

    depth: int = 10_000

    def __post_init__(self) -> None:
        check_number(self.depth, 1, 1_000_000, "depth of deep")

    def strike(self, reply: Reply) -> Reply:
        """The same and `"deep":[[[...]]]`."""
        return _begun(reply, b'{"deep":' + b"[" * self.depth + b"]" * self.depth + b",", instead=b"{")


@fault
class Huge:
    """End the JSON with a member of so many megabytes, at most 256; what is no JSON has as many zeros at its end."""

    megabytes: int = 64

    def __post_init__(self) -> None:
        check_number(self.megabytes, 1, 256, "megabytes of huge")

    def strike(self, reply: Reply) -> Reply:
        """The same and very much more."""
        size = self.megabytes * _MEGABYTE
        if not is_object(reply):
            return reply._replace(body=reply.body + bytes(size))
        return reply._replace(body=b"".join([reply.body[:-1], b',"padding":"', b"x" * size, b'"}']))


@fault
class MediaType:
    """Call the answer by another media type."""

    type: str = "text/html"

    def __post_init__(self) -> None:
        check_media_type(self.type)

    def strike(self, reply: Reply) -> Reply:
        """The same bytes."""
        return reply._replace(media_type=self.type)


#: What JSON can be written in that is not UTF-8.
_CHARSETS: Final = ("utf-16", "utf-32", "latin-1", "cp1252", "cp037", "shift_jis", "gb18030")


@fault
class Charset:
    """Write the JSON in utf-16, utf-32, latin-1, cp1252, cp037, shift_jis or gb18030, and call it UTF-8."""

    name: str = "utf-16"

    def __post_init__(self) -> None:
        check_known(self.name, _CHARSETS, "charset that it can be in")

    def strike(self, reply: Reply) -> Reply:
        """The same text in other bytes."""
        if not is_object(reply):
            return reply
        body = reply.body.decode().encode(self.name, "replace")
        return reply._replace(body=body, media_type="application/json; charset=utf-8")


@fault
class Length:
    """Say a Content-Length that is off by so many bytes, more or fewer."""

    delta: int = 10

    def __post_init__(self) -> None:
        if not self.delta:
            raise ValueError("a length that is off by 0 is right: give more, or fewer such as -10")

    def strike(self, reply: Reply) -> Reply:
        """With more the rest never comes; with fewer a client that believes it has the beginning."""
        stated = max(0, len(reply.body) + self.delta)
        wire = Wire("length", (Send(raw(reply, length=stated)),), whole=self.delta < 0)
        return reply._replace(body=reply.body[:stated], wire=wire)


@fault
class Chunk:
    """Send half of the body in one chunk, and then what is no chunk."""

    def strike(self, reply: Reply) -> Reply:
        """Chunked encoding that breaks."""
        if reply.request is not None and reply.request.method == "HEAD":
            return reply
        half = reply.body[: len(reply.body) // 2]
        head = raw(reply._replace(body=b""), length=-1, transfer_encoding="chunked")
        return reply._replace(wire=Wire("chunk", (Send(b"%s%x\r\n%s\r\nno chunk\r\n" % (head, len(half), half)),)))


def _in_gzip(reply: Reply, body: bytes) -> Reply:
    return reply._replace(body=body, headers={**reply.headers, "content-encoding": "gzip"})


#: How a file of gzip begins that names neither its time nor its system.
_GZIP: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@fault
class Gzip:
    """Say that the body is gzip, and begin as gzip does; the rest is none."""

    def strike(self, reply: Reply) -> Reply:
        """A header of gzip, and a kind of block that does not exist."""
        return _in_gzip(reply, _GZIP + b"\xff" * 64)


@fault
class Bomb:
    """Send the JSON in gzip, with so many megabytes of blanks before it, at most 1,000."""

    megabytes: int = 100

    def __post_init__(self) -> None:
        check_number(self.megabytes, 1, 1_000, "megabytes of bomb")

    def strike(self, reply: Reply) -> Reply:
        """A thousandth of what it becomes."""
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
