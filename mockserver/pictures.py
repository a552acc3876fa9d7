"""Real pictures for finished tasks: cut paper in layers, drawn from seed and prompt, captioned, as PNG.

A composition is a function of a place (x, y) and says how high the paper lies there. The height is sampled on a
small grid, enlarged, cut into steps, given a shadow, and coloured by a ramp of 256 colours from dark to light. Until
the end the picture is one 8-bit plane, which makes it fast; the caption is but darker and lighter places on it.
"""

import json
import math
import re
import threading
import unicodedata
from bisect import bisect
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO
from itertools import chain, groupby, pairwise
from random import Random
from typing import Any, Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, features
from PIL.PngImagePlugin import PngInfo

#: Ramps from dark to light, each by six colours at equal distances.
PALETTES: Final = tuple(
    line.split()[1:]
    for line in """
    safelight 120306 3d0a10 8c1c13 d8432a f59a57 fde8c8
    amber     140a03 4a2208 9c4f0c e08e1b f7c95c fff3d1
    selenium  17121c 3a2b43 6d4f66 a9808a dcb9ad f8ece0
    cyanotype 04121f 0c2f4f 16598a 4b93bd a5cfdf f3f6ee
    seaglass  06181a 0d3d40 1d7470 59ab96 b1d8b7 f6f4dc
    dusk      1a1033 44206b 8e2f7c d95b6e f7a072 fdeccb
    forest    0b1510 1f3a28 4b6b3a 94a04c d9c97a f8f2d8
    silver    0d0e10 2d3136 5d646b 969da2 cfd2d1 f7f5ef
    reef      0d1b2a 264653 2a7d7f e76f51 f4b266 fdf0d5
    rose      1b0a14 4f1533 9b2a55 da6387 f3a9b4 fdeeea
    aurora    0a0f2c 1b2a6b 2b62a8 3fa7b5 9fe0b0 f9fbe0
    ochre     10131c 2b3550 7a4e48 c97b4a eab873 fbf1da
    """.strip().splitlines()
)
#: Fonts asked for, in this order, when the one that comes with Pillow ("") lacks a letter. Pillow knows the folders.
TYPEFACES: Final = (
    *("", "DejaVuSans.ttf", "NotoSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf"),
    *("NotoSansSC-Regular.otf", "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc"),
    *("DroidSansFallbackFull.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc", "Arial Unicode.ttf", "msyh.ttc"),
    *("simsun.ttc", "malgun.ttf", "YuGothM.ttc", "Nirmala.ttc", "arial.ttf", "NotoEmoji-Regular.ttf"),
    *("NotoSansArabic-Regular.ttf", "NotoSansDevanagari-Regular.ttf", "NotoSansThai-Regular.ttf", "seguisym.ttf"),
)
#: Bytes of one text chunk. There are three at most, and readers (Pillow among them) refuse files with too much text.
CHUNK_BYTES: Final = 64_000
#: Characters of a prompt that are looked at for the caption.
CAPTION_CHARACTERS: Final = 600
#: After these a line may end.
BREAKS: Final = re.compile(r"\s+|[-/,;]|[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]")
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
#: Never a letter: what a font draws for this it draws for all that it lacks.
NO_LETTER: Final = "\U0010ffff"
#: Python writes integers of up to 4,300 digits.
DECIMAL_BITS: Final = 14_000
#: A longer seed is written with an ellipsis in the caption.
SEED_DIGITS: Final = 24
#: A picture with a side below this, in pixels, has no caption.
SMALLEST: Final = 48
#: Cells of the height grid along the longer side, and pixels of the shadow there.
CELLS: Final = 64
SHADOW_PIXELS: Final = 320
MARGIN: Final = 2
#: Heights are 0..TOP, told apart in steps of GRAIN.
TOP: Final = 65_535
GRAIN: Final = 16
#: Which tones the steps have, from the lowest to the highest.
ORDERS: Final[Mapping[str, Callable[[list[int]], list[int]]]] = {
    "rising": lambda tones: tones,
    "falling": lambda tones: tones[::-1],
    "folded": lambda tones: tones[::2] + tones[1::2][::-1],
}

Height = Callable[[float, float], float]
Composition = Callable[[Random], Height]
COMPOSITIONS: list[Composition] = []


@dataclass(frozen=True, slots=True)
class Picture:
    """What is to be drawn: `width` x `height` pixels, from `seed` (0 or more) and the prompt in `request`."""

    width: int
    height: int
    seed: int
    task_id: str
    request: Mapping[str, Any]


def draw(picture: Picture) -> bytes:
    """The PNG. Its pixels depend on size, seed, prompt and workflow; the task id is in the text chunks only."""
    prompt = picture.request.get("prompt")
    subject = prompt if isinstance(prompt, str) else _json(prompt)
    random = Random(f"{picture.seed:x} {subject}".encode("utf-8", "surrogatepass"))
    image = _paper(picture.width, picture.height, random)
    _caption(image, picture)
    image.putpalette(_ramp(random.choice(PALETTES)))
    info, out = PngInfo(), BytesIO()
    for keyword, text in chunks(picture).items():
        info.add_text(keyword, text)
    image.save(out, "PNG", compress_level=1, pnginfo=info)
    return out.getvalue()


# Compositions: x and y are in units of the longer side, (0, 0) is the middle, the paper's height is in any unit.


def _composition(function: Composition) -> Composition:
    COMPOSITIONS.append(function)
    return function


def _swell(random: Random, waves: int, pace: float) -> Height:
    """A sum of sine waves in all directions, about -2 to 2; `pace` is the waves of the longest one along a side."""
    table = []
    for i in range(waves):
        angle, turns = random.uniform(0, math.tau), math.tau * pace * (1.1 + i * random.uniform(0.7, 1.1))
        table.append((turns * math.cos(angle), turns * math.sin(angle), random.uniform(0, math.tau), (1 + i) ** -1.3))
    sin = math.sin
    return lambda x, y: sum([size * sin(a * x + b * y + phase) for a, b, phase, size in table])


def _marble(random: Random, waves: int, pace: float) -> Height:
    """A swell seen through two others, as in marbled paper."""
    swell, sideways, upwards = (_swell(random, n, pace) for n in (waves, 2, 2))
    return lambda x, y: swell(x + 0.1 * sideways(x, y), y + 0.1 * upwards(x, y))


@_composition
def terrain(random: Random) -> Height:
    """Hills and lakes from above."""
    return _marble(random, 4, 0.75)


@_composition
def rings(random: Random) -> Height:
    """A cut agate."""
    u, v, size = random.uniform(-0.3, 0.3), random.uniform(-0.35, 0.1), random.uniform(0.05, 0.1)
    marble = _marble(random, 4, 0.9)
    return lambda x, y: size * marble(x, y) - math.hypot(x - u, y - v)


@_composition
def dunes(random: Random) -> Height:
    """Ridges, one behind the other; `_paper` hangs a sun over them."""
    size, stretch = random.uniform(0.05, 0.1), random.uniform(0.9, 1.6)
    swell = _swell(random, 4, 1.0)
    return lambda x, y: y + size * swell(x * stretch, y * 0.55)


@_composition
def current(random: Random) -> Height:
    """Streams that run across the sheet."""
    angle, size = random.uniform(0, math.tau), random.uniform(0.12, 0.2)
    a, b, marble = math.cos(angle), math.sin(angle), _marble(random, 3, 0.9)
    return lambda x, y: a * x + b * y + size * marble(x, y)


@_composition
def petals(random: Random) -> Height:
    """A flower, its petals turning."""
    u, v, turn = random.uniform(-0.15, 0.15), random.uniform(-0.2, 0.0), random.uniform(0, math.tau)
    count, depth, swell = random.choice((3, 5, 6, 7, 8)), random.uniform(0.12, 0.22), _swell(random, 3, 1.2)

    def height(x: float, y: float) -> float:
        radius, angle = math.hypot(x - u, y - v), math.atan2(y - v, x - u)
        return 0.02 * swell(x, y) - radius * (1 + depth * math.cos(count * angle + turn + 3.5 * radius))

    return height


@_composition
def islands(random: Random) -> Height:
    """Round hills that grow into each other."""
    hills = [[random.uniform(-0.4, 0.4), random.uniform(-0.4, 0.3), random.uniform(0.12, 0.28)] for _ in range(6)]
    swell, exp = _swell(random, 4, 1.4), math.exp
    return lambda x, y: sum([exp(-((x - u) ** 2 + (y - v) ** 2) / r**2) for u, v, r in hills], 0.09 * swell(x, y))


# From heights to tones: 0 is the darkest place of the ramp, 255 the lightest.


def _paper(width: int, height: int, random: Random) -> Image.Image:
    """The picture without its caption, as tones."""
    composition, steps = random.choice(COMPOSITIONS), random.randint(7, 11)
    order = "falling" if composition is dunes else random.choice(list(ORDERS))
    grid, slope = _grid(composition(random), width, height)
    ground = _enlarged(grid, (width, height))
    levels = [round(i * 255 / (steps - 1)) for i in range(steps)]
    layers = ground.point(_stairs(levels, slope), "L")
    tones = ground.point(_stairs(ORDERS[order]([26 + level * 212 // 255 for level in levels]), slope, 0.4), "L")
    if composition is dunes:
        _hang_sun(tones, layers, levels[3] - 4, random)
    return ImageChops.subtract(tones, _shadow(grid, layers, levels, random))


def _grid(at: Height, width: int, height: int) -> tuple[Image.Image, float]:
    """Heights 0..TOP on a small grid (mode I), and how much they change from one pixel of the picture to the next.

    The grid goes MARGIN cells beyond the picture on each side: what throws a shadow may lie outside.
    """
    side = max(width, height)
    columns, rows = (max(1, round(CELLS * length / side)) for length in (width, height))
    xs, ys = _places(columns, width / side), _places(rows, height / side)
    heights = [at(x, y) for y in ys for x in xs]
    low, high = min(heights), max(heights)
    scale = TOP / ((high - low) or 1)
    image = Image.new("I", (len(xs), len(ys)))
    image.putdata([round((value - low) * scale) for value in heights])
    change = sum(abs(a - b) for a, b in chain(pairwise(heights), zip(heights, heights[len(xs) :], strict=False)))
    return image, change * scale / len(heights) * CELLS / side


def _places(cells: int, length: float) -> list[float]:
    """The middles of so many cells, and of MARGIN more at both ends; 0 is the middle of all."""
    return [((i + 0.5) / cells - 0.5) * length for i in range(-MARGIN, cells + MARGIN)]


def _enlarged(grid: Image.Image, size: tuple[int, int], right: float = 0.0, down: float = 0.0) -> Image.Image:
    """The grid without its margin in `size` pixels, moved by a part of the margin."""
    left, top = MARGIN - right, MARGIN - down
    box = (left, top, left + grid.width - 2 * MARGIN, top + grid.height - 2 * MARGIN)
    return grid.resize(size, Image.Resampling.BICUBIC, box)


def _stairs(values: list[int], edge: float, bend: float = 0.0) -> list[int]:
    """A table from heights to `values`, a step each: an edge is `edge` heights wide, so that it looks smooth.

    With `bend` a step is not flat but leans, by this part of the way to its neighbours.
    """
    tread = (TOP + 1) / len(values)
    edge = max(GRAIN, min(edge, tread / 2))
    knots = []
    for i, value in enumerate(values):
        before, after = values[max(i - 1, 0)], values[min(i + 1, len(values) - 1)]
        lean = bend * (after - before) / 4
        knots += [(i * tread + (edge if i else 0), value - lean), ((i + 1) * tread, value + lean)]
    return [value for value in _polyline(knots) for _ in range(GRAIN)]


def _polyline(knots: list[tuple[float, float]]) -> Iterator[int]:
    """The line through `knots`, rounded, at each GRAIN of heights."""
    at = 0
    for (x, low), (end, high) in pairwise(knots):
        rise = (high - low) / ((end - x) or 1)
        while at < end:
            yield round(low + (at - x) * rise)
            at += GRAIN


def _shadow(grid: Image.Image, layers: Image.Image, levels: list[int], random: Random) -> Image.Image:
    """How much darker each place is, because a higher layer is near it, up and to one side."""
    width, height = (max(1, round(SHADOW_PIXELS * length / max(layers.size))) for length in layers.size)
    small = _enlarged(grid, (width, height), random.choice((-0.5, 0.5)), 0.8)
    steps = [levels[height * len(levels) // 256] for height in range(256)]
    small = small.point(lambda height: height * (1 / 256) + 0).convert("L").point(steps)
    cast = small.filter(ImageFilter.GaussianBlur(2.5))
    shade = ImageChops.subtract(cast.resize(layers.size, Image.Resampling.BILINEAR), layers)
    return shade.point([max(0, (shade - 3) * 11 // 10) for shade in range(256)])


def _hang_sun(tones: Image.Image, layers: Image.Image, horizon: int, random: Random) -> None:
    """A disc in the sky, behind what is higher than `horizon`."""
    width, height = tones.size
    size = max(1, round(min(width, height) * random.uniform(0.18, 0.34)))
    left, top = (
        round(width * random.uniform(0.2, 0.8) - size / 2),
        round(height * random.uniform(0.22, 0.32) - size / 2),
    )
    box = (left, top, left + size, top + size)
    disc = Image.new("L", (min(1024, size * 2),) * 2)
    ImageDraw.Draw(disc).ellipse((0, 0, disc.width - 1, disc.height - 1), fill=255)
    sky = layers.crop(box).point([255 if layer < horizon else 0 for layer in range(256)])
    tones.paste(252, box, ImageChops.multiply(disc.resize((size, size), Image.Resampling.BILINEAR), sky))


def _ramp(colours: list[str]) -> bytes:
    """256 colours, RGB after RGB, through those given."""
    keys = [bytes.fromhex(colour) for colour in colours]
    ramp = bytearray()
    for i in range(256):
        place, part = divmod(i * (len(keys) - 1), 255)
        pairs = zip(keys[place], keys[min(place + 1, len(keys) - 1)], strict=True)
        ramp += bytes(a + (b - a) * part // 255 for a, b in pairs)
    return bytes(ramp)


# The caption: a plate along the lower edge, with the prompt and a line of facts.


def _caption(image: Image.Image, picture: Picture) -> None:
    """Write prompt and facts on a plate; a picture too small for letters has none."""
    width, height = image.size
    if width < SMALLEST or height < SMALLEST:
        return
    size = round(max(8, min(max(11, math.sqrt(width * height) * 0.029), width / 12, height / 6)))
    leading, margin = round(size * 1.36), max(2, min(round(size * 0.8), width // 20))
    room, most = width - 4 * margin, max(1, min(4, int((height * 0.4 - 2 * margin) / leading)))
    lines = [(*line, 252) for line in lines_of(_subject(picture.request), size, room, most)]
    if most > 1:
        lines += [(*line, 200) for line in lines_of(_facts(picture), min(size, max(9, round(size * 0.76))), room, 1)]
    if not lines:
        return
    top = height - 2 * margin - margin // 2 - leading * len(lines)
    _lay_plate(image, (margin, top, width - margin, height - margin), margin // 2)
    pen, middle = ImageDraw.Draw(image), top + margin * 3 // 4 + leading / 2
    for i, (text, font, tone) in enumerate(lines):
        pen.text((2 * margin, middle + i * leading), text, tone, font, anchor="lm")


def _lay_plate(image: Image.Image, box: tuple[int, int, int, int], radius: int) -> None:
    """Darken `box`, with round corners: what is below shines through a little."""
    below = image.crop(box)
    mask = Image.new("L", (below.width * 2, below.height * 2))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), radius * 2, fill=255)
    image.paste(below.point([10 + tone // 7 for tone in range(256)]), box, mask.reduce(2))


def _facts(picture: Picture) -> str:
    workflow = str(picture.request.get("workflow", "default"))[:40]
    seed = _number(picture.seed)
    seed = seed if len(seed) <= SEED_DIGITS else f"{seed[:10]}…{seed[-6:]}"
    return f"{workflow} · seed {seed} · {picture.width}x{picture.height}"


def _subject(request: Mapping[str, Any]) -> str:
    """What the picture is of: the prompt, or what a ComfyUI workflow says it is."""
    match request.get("prompt"):
        case str(prompt):
            return prompt
        case Mapping() as nodes:
            return _positive(nodes) or f"ComfyUI workflow, {len(nodes)} node{'s' * (len(nodes) != 1)}"
        case _:
            return ""


def _positive(nodes: Mapping[str, Any]) -> str:
    """The text of the first text node that a sampler takes as `positive`, else of one that none takes as `negative`."""
    texts = {name: text for name, node in nodes.items() if (text := _node_text(node))}
    links = {role: list(_sources(nodes, role)) for role in ("positive", "negative")}
    chosen = [name for name in links["positive"] if name in texts]
    chosen += [name for name in texts if name not in links["negative"]]
    return texts[chosen[0]] if chosen else ""


def _node_text(node: Any) -> str:
    match node:
        case {"class_type": str(kind), "inputs": {"text": str(text)} | {"text_g": str(text)}}:
            return text if kind.startswith("CLIPTextEncode") else ""
        case _:
            return ""


def _sources(nodes: Mapping[str, Any], role: str) -> Iterator[str]:
    """The ids of the nodes that are linked to an input of this name; links are `[node id, output index]`."""
    for node in nodes.values():
        match node:
            case {"inputs": {**inputs}}:
                match inputs.get(role):
                    case [str(name), *_]:
                        yield name


# Letters: any prompt is readable, with whatever fonts there are.


def lines_of(text: str, points: int, room: float, most: int) -> list[tuple[str, ImageFont.FreeTypeFont]]:
    """At most `most` lines no wider than `room` pixels, each with its font; an ellipsis stands for what is left out."""
    plain = _plain(text)
    face = _face(plain)
    font, rest = _font(face, points), spelled(plain, face)
    lines: list[str] = []
    while rest and len(lines) < most:
        end = _fitting(rest, font, room)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if lines and (rest or len(text) > CAPTION_CHARACTERS):
        lines[-1] = _ended(lines[-1], font, room)
    return [(line, font) for line in lines]


def _plain(text: str) -> str:
    """The start of `text` on one line: control characters are spaces, invisible ones are gone."""
    kinds = ((unicodedata.category(letter), letter) for letter in text[:CAPTION_CHARACTERS])
    kept = (" " if kind == "Cc" else letter for kind, letter in kinds if kind not in {"Cf", "Cs", "Co", "Cn"})
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def _fitting(text: str, font: ImageFont.FreeTypeFont, room: float) -> int:
    """How many characters go on a line of `room` pixels, 1 at least: to the end of a word, if none is huge."""
    text = text[: max(1, int(room * 4 / font.size))]
    fits = bisect(range(1, len(text) + 1), room, key=lambda end: font.getlength(text[:end]))
    ends = [match.end() for match in BREAKS.finditer(text[: fits + 1]) if match.end() <= fits or match[0].isspace()]
    return max(1, fits if fits == len(text) or not ends or ends[-1] < fits // 2 else ends[-1])


def _ended(line: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    """`line` with an ellipsis, and as much shorter as that takes."""
    while line and font.getlength(line + "…") > room:
        line = line[:-1]
    return line.rstrip(" ,.;:") + "…"


def _face(text: str) -> str:
    """The first typeface that has every letter of `text`, or else the one that has most of them."""
    best, most, letters = "", -1, set(text)
    for name in TYPEFACES:
        shown = sum(_shows(name, letter) for letter in letters)
        if shown > most:
            best, most = name, shown
        if shown == len(letters):
            break
    return best


@cache
def _typeface(name: str) -> ImageFont.FreeTypeFont | None:
    """The typeface with this file name, if this machine has it."""
    try:
        font = ImageFont.truetype(name, 16) if name else ImageFont.load_default(16)
    except OSError:
        return None
    return font if isinstance(font, ImageFont.FreeTypeFont) else None


@lru_cache(maxsize=64)
def _font(name: str, points: int) -> ImageFont.FreeTypeFont:
    typeface = _typeface(name)
    assert typeface is not None, "this Pillow was built without FreeType"
    return typeface.font_variant(size=points)


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
    parts = []
    for word, run in groupby(simple, key=lambda letter: None if _shows(face, letter) else _word(letter)):
        letters = "".join(run)
        many = f"{len(letters)} {word}{'s' * (not str(word).endswith('s'))}"
        parts.append(letters if word is None else word and f"[{many if len(letters) > 1 else word}]")
    return "".join(parts)


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


# Text chunks: what was asked for, where image tools look for it.


def chunks(picture: Picture) -> dict[str, str]:
    """The PNG's text chunks: `parameters` as Automatic1111 writes them, `prompt` as ComfyUI does, and `safelight`."""
    facts = {"task_id": picture.task_id, "seed": picture.seed, "width": picture.width, "height": picture.height}
    if picture.seed.bit_length() > DECIMAL_BITS:
        facts["seed"] = _number(picture.seed)
    request = _json(picture.request)
    if len(_json(picture.task_id)) + len(request) > CHUNK_BYTES * 3 // 4:
        request = _json(_cut(request, CHUNK_BYTES // 4))
        facts["task_id"] = _cut(picture.task_id, CHUNK_BYTES // 16)
    whole = f'{_json(facts)[:-1]}, "request": {request}}}'
    found = {"parameters": _parameters(picture), "safelight": whole}
    if isinstance(prompt := picture.request.get("prompt"), Mapping):
        found["prompt"] = _cut(_json(prompt), CHUNK_BYTES)
    return found


def _parameters(picture: Picture) -> str:
    """Prompt, negative prompt, and a line of `Name: value` pairs, of those that the request names."""
    request, third = picture.request, CHUNK_BYTES // 3
    pairs = {"Steps": request.get("steps"), "CFG scale": request.get("cfg"), "Seed": _number(picture.seed)}
    pairs |= {"Size": f"{picture.width}x{picture.height}", "Model": request.get("model")}
    line = ", ".join(f"{name}: {_quoted(value)}" for name, value in pairs.items() if value is not None)
    negative = request.get("negative_prompt")
    middle = [f"Negative prompt: {_cut(str(negative), third)}"] if negative else []
    return "\n".join([_cut(_subject(request), third), *middle, _cut(line, third)])


def _quoted(value: Any) -> str:
    """A value as Automatic1111 writes it: in JSON quotes when it could be taken for two."""
    text = value if isinstance(value, str) else _json(value)
    return _json(text) if re.search("[,:\n]", text) else text


def _number(seed: int) -> str:
    """`seed` in decimal; in hexadecimal when Python refuses to write so many digits."""
    return str(seed) if seed.bit_length() <= DECIMAL_BITS else _cut(hex(seed), CHUNK_BYTES // 8)


def _json(value: Any) -> str:
    try:
        return json.dumps(value, default=dict)
    except (ValueError, TypeError, RecursionError) as error:
        return json.dumps(f"not to be written as JSON: {type(error).__name__}")


def _cut(text: str, most: int) -> str:
    """`text` without what a chunk cannot hold, in at most about `most` bytes of UTF-8, and a mark where it was cut."""
    start = text[:most].replace("\0", "\u2400").encode("utf-8", "replace")
    if len(text) <= most and len(start) <= most:
        return start.decode()
    return f"{start[:most].decode(errors='ignore')}… [cut: {len(text)} characters in all]"


class Gallery:
    """PNGs by key, drawn when first asked for; the least recently used go when there are more than `limit` bytes.

    It may be used from several threads: who asks for a picture that is being drawn waits for that one alone.
    """

    def __init__(self, *, limit: int = 64_000_000, draw: Callable[[Picture], bytes] = draw) -> None:
        self._limit, self._draw, self._bytes = limit, draw, 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._drawing: dict[Hashable, Future[bytes]] = {}
        self._lock = threading.Lock()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, key: Hashable) -> bytes | None:
        """The picture, if it is drawn already."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def png(self, key: Hashable, picture: Picture) -> bytes:
        """The picture; `key` stands for it from now on, so it has to tell API keys apart as well as tasks."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            mine = key not in self._drawing
            future = self._drawing.setdefault(key, Future())
        if mine:
            self._fulfil(key, picture, future)
        return future.result()

    def _fulfil(self, key: Hashable, picture: Picture, future: Future[bytes]) -> None:
        try:
            png = self._draw(picture)
        except BaseException as error:
            with self._lock:
                del self._drawing[key]
            future.set_exception(error)
            raise
        with self._lock:
            self._keep(key, png)
            del self._drawing[key]
        future.set_result(png)

    def _keep(self, key: Hashable, png: bytes) -> None:
        self._kept[key] = png
        self._bytes += len(png)
        while self._bytes > self._limit:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= len(gone)
