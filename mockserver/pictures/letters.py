"""Text in lines that fit. Any text is readable with whatever fonts there are, for what they lack is said in words."""

import re
import unicodedata
from bisect import bisect
from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import groupby
from typing import Final

from PIL import ImageFont, features

#: Fonts asked for, in this order, when the one that comes with Pillow ("") lacks a letter. Pillow knows the folders.
TYPEFACES: Final = (
    *("", "DejaVuSans.ttf", "NotoSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf"),
    *("NotoSansSC-Regular.otf", "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc"),
    *("DroidSansFallbackFull.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc", "Arial Unicode.ttf", "msyh.ttc"),
    *("simsun.ttc", "malgun.ttf", "YuGothM.ttc", "Nirmala.ttc", "arial.ttf", "NotoEmoji-Regular.ttf"),
    *("NotoSansArabic-Regular.ttf", "NotoSansDevanagari-Regular.ttf", "NotoSansThai-Regular.ttf", "seguisym.ttf"),
)
#: Signs that text is full of, for fonts without them: quotation marks, dashes, full stops.
PLAIN_SIGNS: Final[Mapping[str, str]] = {
    **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d", '"'),
    **dict.fromkeys("\u2018\u2019\u201a", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\u2022\u00b7", "-"),
    "\u3001": ", ",
    "\uff0c": ", ",
    "\u3002": ". ",
    "\u00d7": "x",
}
#: Characters of a text that are looked at.
MAX_CHARACTERS: Final = 600
#: After these a line may end.
BREAKS: Final = re.compile(r"\s+|[-/,;]|[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]")
#: Never a letter: what a font draws for this it draws for all that it lacks.
NO_LETTER: Final = "\U0010ffff"

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
    if lines and (rest or len(text) > MAX_CHARACTERS):
        lines[-1] = _ended(lines[-1], font, room)
    return [(line, font) for line in lines]


def _plain(text: str) -> str:
    """The start of `text` on one line: control characters are spaces, invisible ones are gone."""
    kinds = ((unicodedata.category(letter), letter) for letter in text[:MAX_CHARACTERS])
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


def face_of(text: str) -> str:
    """The first typeface that has every letter of `text`, or else the first of those that have most of them."""
    letters = set(text)
    for name in TYPEFACES:
        if all(_shows(name, letter) for letter in letters):
            return name
    return max(TYPEFACES, key=lambda name: sum(_shows(name, letter) for letter in letters))


@lru_cache(maxsize=64)
def font_of(face: str, points: int) -> ImageFont.FreeTypeFont:
    """A typeface in one size."""
    typeface = _typeface(face)
    assert typeface is not None, "this Pillow was built without FreeType"
    return typeface.font_variant(size=points)


@cache
def _typeface(name: str) -> ImageFont.FreeTypeFont | None:
    """The typeface with this file name, if this machine has it."""
    try:
        font = ImageFont.truetype(name, 16) if name else ImageFont.load_default(16)
    except OSError:
        return None
    return font if isinstance(font, ImageFont.FreeTypeFont) else None


@lru_cache(maxsize=20_000)
def _shows(name: str, letter: str) -> bool:
    """Whether a typeface has this letter, and Pillow can write it in its direction."""
    typeface = _typeface(name)
    if typeface is None or (unicodedata.bidirectional(letter) in {"R", "AL"} and not features.check("raqm")):
        return False
    return letter.isspace() or _glyph(typeface, letter) != _glyph(typeface, NO_LETTER)


def _glyph(typeface: ImageFont.FreeTypeFont, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = typeface.getmask(letter)
    return mask.size, bytes(mask)


def spelled(text: str, face: str) -> str:
    """`text`, with what `face` lacks said in words: "[cat face]", "[6 CJK characters]"."""
    simple = "".join(letter if _shows(face, letter) else _simpler(letter, face) for letter in text)
    runs = groupby(simple, key=lambda letter: None if _shows(face, letter) else _word(letter))
    return "".join(_said(word, "".join(run)) for word, run in runs)


def _said(word: str | None, letters: str) -> str:
    """A run of letters: as it is without a `word` for them, in brackets with one, gone with an empty one."""
    if not word:
        return letters if word is None else ""
    if len(letters) == 1:
        return f"[{word}]"
    return f"[{len(letters)} {word}{'' if word.endswith('s') else 's'}]"


def _simpler(letter: str, face: str) -> str:
    """A letter without its accent, or a sign's plain form, where `face` has only those."""
    plain = unicodedata.normalize("NFKD", PLAIN_SIGNS.get(letter, letter))
    return plain if _shows(face, plain[0]) else letter


def _word(letter: str) -> str:
    """What a letter is, for who cannot see it; marks and modifiers are nothing without it."""
    name = unicodedata.name(letter, "unknown")
    match unicodedata.category(letter):
        case "So" | "Sm" | "Sc":
            return name.lower()
        case "Sk" | "Mn" | "Mc" | "Me" | "Pc" | "Pd" | "Ps" | "Pe" | "Pi" | "Pf" | "Po" | "Zs":
            return ""
        case _:
            script = name.split()[0]
            return f"{script if script == 'CJK' else script.title()} character"
