"""WebM files: VP8 key frames in the elements of Matroska, see https://www.matroska.org/technical/elements.html.

An element is its id, the length of its body, and its body: a number, text, bytes, or other elements. The same frames
make the same bytes: no element is by chance or tells the time of day.
"""

import struct
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final, TypeAlias

Body: TypeAlias = "int | float | str | bytes | list[Element]"
Element: TypeAlias = tuple[str, Body]

#: The elements that we write, with their ids.
ELEMENTS: Final = """
    EBML=1A45DFA3 DocType=4282 DocTypeVersion=4287 DocTypeReadVersion=4285 Segment=18538067
    Info=1549A966 TimestampScale=2AD7B1 Duration=4489 MuxingApp=4D80 WritingApp=5741
    Tracks=1654AE6B TrackEntry=AE TrackNumber=D7 TrackUID=73C5 TrackType=83 FlagLacing=9C CodecID=86
    DefaultDuration=23E383 Video=E0 PixelWidth=B0 PixelHeight=BA Colour=55B0 MatrixCoefficients=55B1 Range=55B9
    Tags=1254C367 Tag=7373 Targets=63C0 SimpleTag=67C8 TagName=45A3 TagString=4487
    Cues=1C53BB6B CuePoint=BB CueTime=B3 CueTrackPositions=B7 CueTrack=F7 CueClusterPosition=F1
    Cluster=1F43B675 Timestamp=E7 SimpleBlock=A3
"""
IDS: Final = {name: bytes.fromhex(number) for name, number in (word.split("=") for word in ELEMENTS.split())}
HEADER: Final[Element] = ("EBML", [("DocType", "webm"), ("DocTypeVersion", 4), ("DocTypeReadVersion", 2)])
#: Times are in milliseconds, of so many nanoseconds.
TICK: Final = 1_000_000
#: BT.601 in the range of television, as in every lossy WebP.
COLOUR: Final[Element] = ("Colour", [("MatrixCoefficients", 6), ("Range", 1)])
#: Before a frame: its track (1, written as a length is), its time after that of its cluster, "key frame".
BLOCK: Final = struct.Struct(">BhB")


def webm(frames: Sequence[bytes], size: tuple[int, int], *, rate: int, tags: Mapping[str, str]) -> bytes:
    """The file; `rate` is in frames a second. Each second is a cluster, which a player can jump to."""
    seconds = [frames[i : i + rate] for i in range(0, len(frames), rate)]
    clusters = [_encoded(_cluster(i * 1000, second, rate)) for i, second in enumerate(seconds)]
    apps: list[Element] = [("MuxingApp", "safelight"), ("WritingApp", "safelight")]
    info: Element = ("Info", [("TimestampScale", TICK), *apps, ("Duration", len(frames) * 1000 / rate)])
    front = b"".join(map(_encoded, (info, _tracks(size, rate), _tags(tags))))
    first = len(front) + len(_encoded(_cues([0] * len(clusters))))
    *starts, _ = accumulate(map(len, clusters), initial=first)
    return _encoded(HEADER) + _encoded(("Segment", front + _encoded(_cues(starts)) + b"".join(clusters)))


def _encoded(element: Element) -> bytes:
    name, body = element
    content = _content(body)
    room = ((len(content) + 1).bit_length() + 6) // 7
    return IDS[name] + (1 << 7 * room | len(content)).to_bytes(room) + content


def _content(body: Body) -> bytes:
    match body:
        case int():
            return body.to_bytes(max(1, (body.bit_length() + 7) // 8))
        case float():
            return struct.pack(">d", body)
        case str():
            return body.encode()
        case bytes():
            return body
        case list():
            return b"".join(map(_encoded, body))


def _tracks(size: tuple[int, int], rate: int) -> Element:
    video: Element = ("Video", [("PixelWidth", size[0]), ("PixelHeight", size[1]), COLOUR])
    head: list[Element] = [("TrackNumber", 1), ("TrackUID", 1), ("TrackType", 1), ("FlagLacing", 0)]
    return ("Tracks", [("TrackEntry", [*head, ("CodecID", "V_VP8"), ("DefaultDuration", 1000 * TICK // rate), video])])


def _tags(texts: Mapping[str, str]) -> Element:
    simple: list[Element] = [("SimpleTag", [("TagName", name), ("TagString", text)]) for name, text in texts.items()]
    return ("Tags", [("Tag", [("Targets", []), *simple])])


def _cues(starts: Sequence[int]) -> Element:
    """Where in the segment each second starts, in 8 bytes each, so that the length does not depend on it."""
    tracks: list[Body] = [[("CueTrack", 1), ("CueClusterPosition", start.to_bytes(8))] for start in starts]
    return ("Cues", [("CuePoint", [("CueTime", i * 1000), ("CueTrackPositions", t)]) for i, t in enumerate(tracks)])


def _cluster(start: int, frames: Sequence[bytes], rate: int) -> Element:
    blocks = [BLOCK.pack(0x81, i * 1000 // rate, 0x80) + frame for i, frame in enumerate(frames)]
    return ("Cluster", [("Timestamp", start), *(("SimpleBlock", block) for block in blocks)])
