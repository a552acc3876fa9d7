"""The page and the chart of `peers.py`."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DOCS: Final = Path(__file__).parent.parent / "docs"
_PAGE, _CHART = _DOCS / "speed.md", _DOCS / "pictures" / "peers.svg"

_BEGIN: Final = "<!-- peers: written by benchmarks/peers.py -->"
_END: Final = "<!-- end of peers -->"

OPERATIONS: Final = ("submit", "poll")


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one server; figures by operation."""

    name: str
    does: str
    is_bare: bool
    #: Microseconds of the processor for each request, a figure for each round.
    cpu: Mapping[str, Sequence[float]]
    #: Requests a second.
    rate: Mapping[str, float]
    #: Milliseconds in which 99 of 100 requests over 256 connections were answered.
    p99: Mapping[str, float]
    #: Milliseconds from the start to the first answer.
    start: float
    #: Megabytes in memory, after the start and after all rounds.
    at_start: float
    under_load: float

    def share(self, ours: Row, operation: str) -> float:
        """How many times as much of the processor it takes as ours does, in the same rounds."""
        return median(other / own for other, own in zip(self.cpu[operation], ours.cpu[operation], strict=True))


def write(rows: Sequence[Row], rounds: int, seconds: int) -> None:
    """Write both: the page between its marks, and the chart whole."""
    text = _PAGE.read_text()
    before, rest = text.split(_BEGIN)
    _PAGE.write_text(f"{before}{_BEGIN}\n\n{page(rows, rounds, seconds)}\n{_END}{rest.split(_END)[1]}")
    _CHART.write_text(chart(rows))


def page(rows: Sequence[Row], rounds: int, seconds: int) -> str:
    """What stands between the marks."""
    head = "| | what it does | submit, µs | times ours | poll, µs | times ours |"
    more = "| | submits a second | p99, ms | polls a second | p99, ms | start, ms | MB | MB under load |"
    return "\n".join(
        [
            f"Medians of {rounds} rounds of {seconds} s, quartiles in brackets; µs are those of the processor for each",
            "request, of all processes of the server. *Times ours* is the median of the ratios within a round.",
            "",
            *goals(rows),
            "",
            "![Microseconds of the processor for each request](pictures/peers.svg)",
            "",
            *(head, "|---|---|---:|---:|---:|---:|"),
            *(f"| {row.name} | {row.does} | {' | '.join(_costs(row, rows[0]))} |" for row in rows),
            "",
            "The same run; p99 is that of 256 connections.",
            "",
            *(more, "|---|---:|---:|---:|---:|---:|---:|---:|"),
            *(f"| {row.name} | {' | '.join(_figures(row))} |" for row in rows),
            "",
        ]
    )


#: Operation, the other server, how many times ours it has to take, and what that is called.
_GOALS: Final = (
    ("submit", "Prism", 3, "{} times as fast as Prism"),
    ("submit", "WireMock", 2, "{} times as fast as WireMock with a schema"),
    ("submit", "a bare Starlette route", 0.6, "{:.0%} as fast as the bare Starlette route"),
    ("poll", "Prism", 4, "{} times as fast as Prism"),
    ("poll", "WireMock", 4, "{} times as fast as WireMock"),
    ("poll", "a bare Starlette route", 0.75, "{:.0%} as fast as the bare Starlette route"),
)
_MAX_MB, _MAX_MB_UNDER_LOAD, _MAX_START_MS = 60, 90, 500


def goals(rows: Sequence[Row]) -> list[str]:
    """Each goal, the figure, and whether it is met."""
    ours, by_name = rows[0], {row.name: row for row in rows}
    lines = []
    for operation, name, least, what in _GOALS:
        if name in by_name:
            share = by_name[name].share(ours, operation)
            figure = f"{share:.0%}" if least < 1 else f"{share:.1f} times"
            lines.append((f"a {operation}: at least {what.format(least)}", figure, share >= least))
    for operation in OPERATIONS:
        best = min((row.p99[operation] for row in rows[1:] if not row.is_bare), default=0.0)
        figure = f"{ours.p99[operation]:,.0f} ms to {best:,.0f}"
        lines.append(
            (
                f"a {operation}: p99 of 256 connections no worse than that of the best mock server",
                figure,
                ours.p99[operation] <= best,
            )
        )
    for what, most, unit, found in (
        ("memory after the start, below", _MAX_MB, "MB", ours.at_start),
        ("memory under load, below", _MAX_MB_UNDER_LOAD, "MB", ours.under_load),
        ("start to the first answer, below", _MAX_START_MS, "ms", ours.start),
    ):
        lines.append((f"{what} {most} {unit}", f"{found:,.0f} {unit}", found < most))
    head = ["| goal | figure | |", "|---|---:|---|"]
    return [*head, *(f"| {what} | {figure} | {'met' if is_met else '**not met**'} |" for what, figure, is_met in lines)]


def _costs(row: Row, ours: Row) -> list[str]:
    found = []
    for operation in OPERATIONS:
        low, middle, high = quartiles(row.cpu[operation])
        found += [f"{middle:,.0f} ({low:,.0f} to {high:,.0f})"]
        found += [f"{row.share(ours, operation):.2f}" if row is not ours else ""]
    return found


def _figures(row: Row) -> list[str]:
    figures = [
        f"{of[operation]:,.{digits}f}" for operation in OPERATIONS for of, digits in ((row.rate, 0), (row.p99, 1))
    ]
    figures = [figure.replace("inf", "errors") for figure in figures]
    return [*figures, f"{row.start:,.0f}", f"{row.at_start:,.0f}", f"{row.under_load:,.0f}"]


def quartiles(figures: Sequence[float]) -> Sequence[float]:
    """The three, of one figure or more."""
    return quantiles(figures, n=4) if len(figures) > 1 else [*figures] * 3


#: Pixels: the width of the names, of the longest bar, and the height of a bar.
_NAMES, _LONGEST, _BAR = 190, 420, 14
_FONT: Final = 'font-family="sans-serif" font-size="12"'
_COLOURS: Final = {"submit": "#c0392b", "poll": "#7f8c8d"}


def chart(rows: Sequence[Row]) -> str:
    """Two bars for each server; those that are longer than eight times ours are cut, and say how long they are."""
    most = 8 * median(rows[0].cpu["submit"])
    width, height = _NAMES + _LONGEST + 80, 34 + len(rows) * (2 * _BAR + 12)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {_FONT} role="img">',
        "<title>Microseconds of the processor for each request</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        *(
            f'<text x="{_NAMES + 110 * at}" y="18" fill="{_COLOURS[name]}">{name}</text>'
            for at, name in enumerate(OPERATIONS)
        ),
    ]
    for number, row in enumerate(rows):
        top = 30 + number * (2 * _BAR + 12)
        weight = ' font-weight="bold"' if number == 0 else ""
        lines.append(f'<text x="{_NAMES - 8}" y="{top + _BAR + 4}" text-anchor="end"{weight}>{escape(row.name)}</text>')
        for at, operation in enumerate(OPERATIONS):
            cost, y = median(row.cpu[operation]), top + at * _BAR
            length = max(1, round(_LONGEST * min(1, cost / most)))
            lines.append(
                f'<rect x="{_NAMES}" y="{y}" width="{length}" height="{_BAR - 2}" fill="{_COLOURS[operation]}"/>'
                f'<text x="{_NAMES + length + 5}" y="{y + 10}">{cost:,.0f} µs{" →" if cost > most else ""}</text>'
            )
    return "\n".join([*lines, "</svg>", ""])
