"""A file of traffic as exchanges, one at a time: an archive (HAR 1.2) or a journal (NDJSON), told by its content."""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import GzipFile
from typing import Any, BinaryIO, Final, cast

from safelight.contracts.recognizers import recognized
from safelight.traffic import har, ndjson
from safelight.traffic.elements import CUT
from safelight.traffic.exchange import Exchange
from safelight.traffic.ndjson import Unreadable

#: Bytes by which the format is told.
_HEAD_BYTES: Final = 65_536

#: Bytes of a line: a body of 10 MB is in one, perhaps twice, perhaps in Base64.
MAX_LINE_BYTES: Final = 32_000_000

_GZIP: Final = b"\x1f\x8b"

#: How an archive begins, also in the middle of its first line; and how an exchange does.
_ARCHIVE: Final = re.compile(rb'\s*\{\s*"log"\s*:')
_EXCHANGE: Final = re.compile(rb'\s*\{\s*"(?:at|began|method|operation|target)"\s*:')

_BOM: Final = b"\xef\xbb\xbf"


def exchanges(file: BinaryIO) -> Iterator[Exchange]:
    """The exchanges of a file, without keys. Raises `Unreadable` with a sentence, also after some of them."""
    with _buffered(file) as whole:
        try:
            if whole.peek(2).startswith(_GZIP):
                with GzipFile(fileobj=whole) as packed, _buffered(packed) as unpacked:
                    yield from _read(unpacked)
            else:
                yield from _read(whole)
        except (EOFError, zlib.error):
            raise Unreadable("the file", CUT) from None
        except OSError as error:
            raise Unreadable("the file", f"it cannot be read: {error.strerror or error}") from None


@contextmanager
def _buffered(file: BinaryIO | GzipFile) -> Iterator[io.BufferedReader]:
    """A file whose beginning can be looked at. Whoever opened it closes it."""
    buffered = io.BufferedReader(cast("Any", file), _HEAD_BYTES)
    try:
        yield buffered
    finally:
        buffered.detach()


def _read(file: io.BufferedReader) -> Iterator[Exchange]:
    head = file.peek(_HEAD_BYTES)
    if not head:
        raise Unreadable("the file", "it is empty")
    if not head.removeprefix(_BOM).lstrip().startswith(b"{"):
        seen = recognized("body", head).partition(": send")[0] or ("binary" if b"\0" in head else "something else")
        raise Unreadable("the file", f"it is {seen}, neither an archive (HAR) nor a journal (NDJSON)")
    if _is_journal(head.removeprefix(_BOM)):
        yield from ndjson.read(_lines(file))
        return
    text = io.TextIOWrapper(file, encoding="utf-8-sig")
    try:
        yield from har.read(text)
    finally:
        text.detach()


def _is_journal(head: bytes) -> bool:
    """An exchange is an object of one line. An archive has a log, and often many lines."""
    if _ARCHIVE.match(head) or _EXCHANGE.match(head):
        return not _ARCHIVE.match(head)
    try:
        return "log" not in json.loads(head.splitlines()[0])
    except (ValueError, RecursionError):
        return False


def _lines(file: io.BufferedReader) -> Iterator[bytes]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise Unreadable(f"line {number}", f"it is longer than {MAX_LINE_BYTES // 10**6} MB: no exchange is")
        yield line.removeprefix(_BOM) if number == 1 else line
