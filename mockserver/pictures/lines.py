"""Text in lines that fit, with a font that can write it."""

import re
import unicodedata
from bisect import bisect
from typing import Final

from PIL import ImageFont

from safelight.mockserver.pictures.letters import face_of, font_of, spelled

#: Characters of a text that are looked at.
MOST_CHARACTERS: Final = 600
#: After these a line may end.
BREAKS: Final = re.compile(r"\s+|[-/,;]|[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]")

Line = tuple[str, ImageFont.FreeTypeFont]


def lines_of(text: str, points: int, room: float, most: int) -> list[Line]:
    """At most `most` lines no wider than `room` pixels, each with its font; an ellipsis stands for what is left out."""
    plain = _plain(text)
    face = face_of(plain)
    font, rest = font_of(face, points), spelled(plain, face)
    lines: list[str] = []
    while rest and len(lines) < most:
        end = _fitting(rest, font, room)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if lines and (rest or len(text) > MOST_CHARACTERS):
        lines[-1] = _ended(lines[-1], font, room)
    return [(line, font) for line in lines]


def _plain(text: str) -> str:
    """The start of `text` on one line: control characters are spaces, invisible ones are gone."""
    kinds = ((unicodedata.category(letter), letter) for letter in text[:MOST_CHARACTERS])
    kept = (" " if kind == "Cc" else letter for kind, letter in kinds if kind not in {"Cf", "Cs", "Co", "Cn"})
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def _fitting(text: str, font: ImageFont.FreeTypeFont, room: float) -> int:
    """How many characters go on a line of `room` pixels, 1 at least: to the end of a word, if none is huge."""
    text = text[: max(1, int(room * 4 / font.size))]
    fits = bisect(range(1, len(text) + 1), room, key=lambda end: font.getlength(text[:end]))
    if fits == len(text):
        return max(1, fits)
    found = BREAKS.finditer(text[: fits + 1])
    end = max((match.end() for match in found if match.end() <= fits or match[0].isspace()), default=0)
    return max(1, fits if end < fits // 2 else end)


def _ended(line: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    """`line` with an ellipsis, and as much shorter as that takes."""
    while line and font.getlength(line + "…") > room:
        line = line[:-1]
    return line.rstrip(" ,.;:") + "…"
