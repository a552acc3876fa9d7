"""Records are told by their content, and what is none is refused in a sentence."""

import gzip
import io
import json
from itertools import islice
from typing import Final

import pytest

from histories import done, poll, submit
from safelight.conformance.recordings.reading import MAX_LINE_BYTES, exchanges
from safelight.traffic.elements import MAX_VALUE_CHARACTERS
from safelight.traffic.exchange import Exchange
from safelight.traffic.har import har
from safelight.traffic.ndjson import Unreadable, line
from safelight.traffic.recognition import recognized

HISTORY: Final = [recognized(one) for one in (submit(0), poll(1), done(2))]
ARCHIVE: Final = json.dumps(har(HISTORY)).encode()
JOURNAL: Final = "".join(map(line, HISTORY)).encode()
BOM: Final = b"\xef\xbb\xbf"

FORMS: Final = {
    "an archive": ARCHIVE,
    "an archive for people": json.dumps(har(HISTORY), indent=2).encode(),
    "an archive with another member first": json.dumps({"_made": {"by": "a proxy"}, **har(HISTORY)}).encode(),
    "an archive of Windows": BOM + json.dumps(har(HISTORY), indent=2).replace("\n", "\r\n").encode(),
    "a journal": JOURNAL,
    "a journal with blank lines": b"\n" + JOURNAL.replace(b"\n", b"\r\n\r\n"),
    "a journal of Windows": BOM + JOURNAL,
    "a journal with other members first": b"".join(
        json.dumps(dict(sorted(json.loads(one).items()))).encode() + b"\n" for one in JOURNAL.splitlines()
    ),
}


def read(content: bytes) -> list[Exchange]:
    return list(exchanges(io.BytesIO(content)))


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_record_is_told_by_its_content(name: str, pack: type[bytes]) -> None:
    assert [(one.operation, one.task_id, one.phase, one.answer) for one in read(pack(FORMS[name]))] == [
        (one.operation, one.task_id, one.phase, one.answer) for one in HISTORY
    ]


BAD: Final = {
    b"": "the file: it is empty",
    b"hello": "the file: it is plain text, neither an archive (HAR) nor a journal (NDJSON)",
    b"\x89PNG\r\n\x1a\n\0\0": "the file: it is a picture, neither an archive (HAR) nor a journal (NDJSON)",
    b"\0\1\2": "the file: it is binary, neither",
    "{}".encode("utf-16"): "the file: it is binary, neither",
    b"[]": "the file: it is something else, neither",
    gzip.compress(ARCHIVE)[:300]: "the file: it is cut: it ends in the middle; record or export it again",
    gzip.compress(ARCHIVE)[:20] + b"\0" * 50: "the file: it is",
    ARCHIVE[:300]: "the archive: it is cut: it ends in the middle; record or export it again",
    JOURNAL[:300]: "line 1: it is cut: it ends in the middle; record or export it again",
    b'{"log": 5}': "the archive: there is no entries",
    b'{"log":{"entries":[' + b"[" * 10_000: "the archive: arrays and objects are nested too deep",
    b'{"at":' + b"[" * 10_000: "line 1: arrays and objects are nested too deep",
    b'{"at":' + b"9" * 5_000 + b"}": "line 1: an integer has 5,000 digits; the most is 1,000",
    b'{"log":{"entries":[{"time":' + b"9" * 5_000 + b"}]}}": "the archive: an integer has 5,000 digits",
    b'{"at":1e999,"method":"GET","target":"/","status":200}': "line 1: at is inf",
    b'{"at":"\xff"}': "line 1: it is not UTF-8: byte 8 (0xff) starts no character",
    b'{"log":{"entries":["\xff"]}}': "the archive: it is not UTF-8: 0xff starts no character",
    b'{"log":{"entries":[3]}}': "entry 1: it is 3; an entry is an object",
}


@pytest.mark.parametrize("content", BAD, ids=range(len(BAD)))
def test_what_is_no_record_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        read(content)
    assert str(refused.value).startswith(BAD[content])


def test_of_a_record_that_is_cut_the_beginning_is_read() -> None:
    for record in (ARCHIVE, JOURNAL):
        found = exchanges(io.BytesIO(record[: len(record) * 4 // 5]))
        assert len(list(islice(found, 2))) == 2
        with pytest.raises(Unreadable):
            list(found)


@pytest.mark.parametrize("begin", [b'{"at":"', b'{"log":{"entries":["', b'{"log":{"version":"'])
def test_a_line_or_value_without_an_end_is_given_up(begin: bytes) -> None:
    class Endless(io.RawIOBase):
        """As long as the memory, if somebody reads it all."""

        read_bytes = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            assert isinstance(buffer, memoryview)
            content = (begin if not self.read_bytes else b"").ljust(len(buffer), b"x")
            buffer[:] = content[: len(buffer)]
            self.read_bytes += len(buffer)
            return len(buffer)

    endless = Endless()
    with pytest.raises(Unreadable, match="longer than"):
        list(exchanges(endless))  # type: ignore[arg-type]
    assert endless.read_bytes < 4 * max(MAX_LINE_BYTES, MAX_VALUE_CHARACTERS)
