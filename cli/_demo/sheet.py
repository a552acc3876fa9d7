"""The contact sheet: all pictures in rows of one width, each with its caption, on the black of a darkroom."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from safelight.cli._demo.client import Job
from safelight.mockserver.pictures.letters import lines_of

#: Pixels.
_WIDTH: Final = 1680
_MARGIN: Final = 72
_GAP: Final = 32
_HEAD: Final = 96
_CAPTION: Final = 104
#: Rows are about this many times wider than high.
_ROW: Final = 1.35

_BLACK: Final = "#140a07"
_UNEXPOSED: Final = "#1f110c"
_LINE: Final = "#5a2c1c"
_LAMP: Final = "#ff8a3c"
_RED: Final = "#e5533d"
_PAPER: Final = "#f6e3d7"
_FAINT: Final = "#a98b7b"


@dataclass(frozen=True, slots=True)
class _Frame:
    """One picture on the sheet, or the size it would have had."""

    job: Job
    size: tuple[int, int]
    image: Image.Image | None

    @property
    def aspect(self) -> float:
        return self.size[0] / self.size[1]


def write_sheet(jobs: Sequence[Job], path: Path, *, title: str) -> None:
    """Save the sheet as a PNG."""
    rows = _rows([_frame(job) for job in jobs])
    heights = [_height(row) for row in rows]
    tall = _MARGIN + _HEAD + sum(heights) + _CAPTION * len(rows) + _MARGIN // 2
    sheet = Image.new("RGB", (_WIDTH, tall), _BLACK)
    _print_head(sheet, title)
    top = _MARGIN + _HEAD
    for row, height in zip(rows, heights, strict=True):
        _lay(sheet, row, top, height)
        top += height + _CAPTION
    sheet.save(path)


def _frame(job: Job) -> _Frame:
    if job.picture:
        image = Image.open(job.picture).convert("RGB")
        return _Frame(job, image.size, image)
    size = job.order.document.get("width", 512), job.order.document.get("height", 512)
    return _Frame(job, size, None)


def _rows(frames: Sequence[_Frame]) -> list[list[_Frame]]:
    """The frames in rows that come out about equally high."""
    total = sum(frame.aspect for frame in frames)
    count = max(1, round(sqrt(total / _ROW)))
    rows: list[list[_Frame]] = [[] for _ in range(count)]
    before = 0.0
    for frame in frames:
        rows[int((before + frame.aspect / 2) * count / total)].append(frame)
        before += frame.aspect
    return [row for row in rows if row]


def _height(row: Sequence[_Frame]) -> int:
    """How high a row is that is as wide as the sheet."""
    room = _WIDTH - 2 * _MARGIN - _GAP * (len(row) - 1)
    return int(min(room / sum(frame.aspect for frame in row), _WIDTH / 2))


def _print_head(sheet: Image.Image, title: str) -> None:
    pen, middle = ImageDraw.Draw(sheet), _MARGIN + 22
    lamp = Image.new("RGB", (144, 144), _BLACK)  # four times as large: Pillow leaves edges rough
    ImageDraw.Draw(lamp).circle((72, 72), 70, fill=_RED)
    ImageDraw.Draw(lamp).circle((72, 72), 36, fill=_LAMP)
    sheet.paste(lamp.reduce(4), (_MARGIN, middle - 18))
    _write(pen, (_MARGIN + 54, middle), "Safelight", 42, _PAPER)
    _write(pen, (_WIDTH - _MARGIN, middle + 4), title, 22, _FAINT, anchor="rm")


def _lay(sheet: Image.Image, row: Sequence[_Frame], top: int, height: int) -> None:
    left = float(_MARGIN)
    for frame in row:
        box = (round(left), top, round(left + frame.aspect * height), top + height)
        if frame.image:
            sheet.paste(frame.image.resize((box[2] - box[0], height), Image.Resampling.LANCZOS), box[:2])
        else:
            _lay_blank(sheet, frame.job, box)
        _print_caption(sheet, frame, box)
        left += frame.aspect * height + _GAP


def _lay_blank(sheet: Image.Image, job: Job, box: tuple[int, int, int, int]) -> None:
    """Paper that saw no light."""
    pen = ImageDraw.Draw(sheet)
    pen.rectangle(box, fill=_UNEXPOSED, outline=_LINE, width=2)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    _write(pen, (x, y - 16), job.word, 40, _RED, anchor="mm")
    _write(pen, (x, y + 30), job.reason, 18, _FAINT, anchor="mm", room=box[2] - box[0] - _GAP)


def _print_caption(sheet: Image.Image, frame: _Frame, box: tuple[int, int, int, int]) -> None:
    pen, order, (left, _, right, bottom) = ImageDraw.Draw(sheet), frame.job.order, box
    size = "{} x {}".format(*frame.size) if frame.image else "not delivered, credits returned"
    _write(pen, (left, bottom + 28), order.name, 24, _LAMP if frame.image else _RED)
    _write(pen, (right, bottom + 28), size, 18, _FAINT, anchor="rm")
    _write(pen, (left, bottom + 60), str(order.document["prompt"]), 18, _PAPER, room=right - left)


def _write(
    pen: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    points: int,
    colour: str,
    *,
    anchor: str = "lm",
    room: float = _WIDTH,
) -> None:
    for line, font in lines_of(text, points, room, 1):
        pen.text(at, line, colour, font, anchor=anchor)
