"""A reader of Matroska files, written from the specification and not from what writes ours."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: Ids of elements that hold others, and of those whose bodies are looked at in tests, from the specification.
PARENTS: Final = {
    0x1A45DFA3: "EBML",
    0x18538067: "Segment",
    0x1549A966: "Info",
    0x1654AE6B: "Tracks",
    0xAE: "TrackEntry",
    0xE0: "Video",
    0x1254C367: "Tags",
    0x7373: "Tag",
    0x67C8: "SimpleTag",
    0x1C53BB6B: "Cues",
    0xBB: "CuePoint",
    0xB7: "CueTrackPositions",
    0x1F43B675: "Cluster",
}
LEAVES: Final = {
    0x4282: "DocType",
    0x2AD7B1: "TimestampScale",
    0x4489: "Duration",
    0x86: "CodecID",
    0x23E383: "DefaultDuration",
    0xB0: "PixelWidth",
    0xBA: "PixelHeight",
    0x45A3: "TagName",
    0x4487: "TagString",
    0xB3: "CueTime",
    0xF1: "CueClusterPosition",
    0xE7: "Timestamp",
    0xA3: "SimpleBlock",
}
#: What makes two files with the same frames different.
BY_CHANCE: Final = {0x4461: "DateUTC", 0x73A4: "SegmentUUID", 0x63C5: "TagTrackUID"}


@dataclass(frozen=True, slots=True)
class Found:
    """An element: the names of those around it and its own, where it starts, and its body."""

    path: str
    start: int
    body: bytes


def number_at(data: bytes, at: int, *, marked: bool) -> tuple[int, int]:
    """A number of EBML's, with or without the bit that marks its length, and where it ends."""
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length])
    return (value if marked else value & ~(1 << 7 * length)), at + length


def elements(data: bytes, start: int = 0, end: int | None = None, path: str = "") -> Iterator[Found]:
    """Every element, in the order of the file; each must end where its parent's body does, at the latest."""
    at, end = start, len(data) if end is None else end
    while at < end:
        number, here = number_at(data, at, marked=True)
        size, body = number_at(data, here, marked=False)
        assert body + size <= end, f"element {number:x} in {path} is longer than what it is in"
        assert number not in BY_CHANCE
        name = f"{path}/{PARENTS.get(number) or LEAVES.get(number) or f'{number:x}'}"
        yield Found(name, at, data[body : body + size])
        if number in PARENTS:
            yield from elements(data, body, body + size, name)
        at = body + size


def bodies(data: bytes, path: str) -> list[bytes]:
    return [element.body for element in elements(data) if element.path == path]


def number(data: bytes, path: str) -> int:
    (body,) = bodies(data, path)
    return int.from_bytes(body)


def shots(data: bytes) -> list[tuple[int, bytes]]:
    """The frames, each with its time in milliseconds; all are key frames of track 1."""
    found, start = [], 0
    for element in elements(data):
        match element.path.rpartition("/")[2]:
            case "Timestamp":
                start = int.from_bytes(element.body)
            case "SimpleBlock":
                track, time, flags = struct.unpack(">BhB", element.body[:4])
                assert (track, flags) == (0x81, 0x80)
                found.append((start + time, element.body[4:]))
    return found
