"""The caption: a plate along the lower edge, with the prompt and a line of facts."""

from math import sqrt
from typing import Final

from PIL import Image, ImageDraw

from safelight.mockserver.pictures.letters import Line, lines_of
from safelight.mockserver.pictures.picture import Picture, subject_of

#: Pixels of the shorter side from which a picture has a caption.
MIN_SIDE: Final = 48
#: Digits of a seed; a longer one is written with an ellipsis.
MAX_SEED_DIGITS: Final = 24
PROMPT_TONE: Final = 252
FACTS_TONE: Final = 200
#: What a plate makes of the tones below it: they shine through a little; or not, where another caption may be below.
SHEER: Final = [10 + tone // 7 for tone in range(256)]
SOLID: Final = [20] * 256


def write_caption(image: Image.Image, picture: Picture) -> None:
    """Write prompt and facts on a plate; a picture too small for letters has none."""
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        return
    letters = round(max(8, min(max(11, sqrt(width * height) * 0.029), width / 12, height / 6)))
    leading, margin = round(letters * 1.36), max(2, min(round(letters * 0.8), width // 20))
    most = max(1, min(4, int((height * 0.4 - 2 * margin) / leading)))
    if lines := _lines(picture, letters, width - 4 * margin, most):
        _write(image, lines, leading, margin, SHEER if picture.ground is None else SOLID)


def _lines(picture: Picture, letters: int, room: int, most: int) -> list[tuple[Line, int]]:
    """What is written, each line with its tone; where there is room for one line, it is the prompt's."""
    prompt = lines_of(subject_of(picture.request), letters, room, most)
    smaller = min(letters, max(9, round(letters * 0.76)))
    facts = lines_of(_facts(picture), smaller, room, 1) if most > 1 else []
    return [*((line, PROMPT_TONE) for line in prompt), *((line, FACTS_TONE) for line in facts)]


def _facts(picture: Picture) -> str:
    seed = str(picture.seed)
    seed = seed if len(seed) <= MAX_SEED_DIGITS else f"{seed[:10]}…{seed[-6:]}"
    request = picture.request
    kind = request.get("workflow") or request.get("mode") or ("edit" if "image" in request else "default")
    return f"{kind} · seed {seed} · {picture.width}x{picture.height}"


def _write(image: Image.Image, lines: list[tuple[Line, int]], leading: int, margin: int, plate: list[int]) -> None:
    top = image.height - 2 * margin - margin // 2 - leading * len(lines)
    _lay_plate(image, (margin, top, image.width - margin, image.height - margin), margin // 2, plate)
    pen, middle = ImageDraw.Draw(image), top + margin * 3 // 4 + leading / 2
    for i, ((text, font), tone) in enumerate(lines):
        pen.text((2 * margin, middle + i * leading), text, tone, font, anchor="lm")


def _lay_plate(image: Image.Image, box: tuple[int, int, int, int], radius: int, plate: list[int]) -> None:
    """Cover `box`, with round corners."""
    below = image.crop(box)
    mask = Image.new("L", (below.width * 2, below.height * 2))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), radius * 2, fill=255)
    image.paste(below.point(plate), box, mask.reduce(2))
