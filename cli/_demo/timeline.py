"""What happened, by the fake's own record: a timeline for each task from the journal, the credits from the ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from rich.text import Text

from safelight.cli._demo.display import STYLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from safelight.cli._demo.client import Job
    from safelight.mockserver.journal import Exchange, Journal
    from safelight.mockserver.ledger import Ledger

#: How operations are called here.
_DEEDS: Final = {"image_generation": "submit", "task_status": "poll", "upload": "picture"}

#: Heading -> width of its column.
_COLUMNS: Final = {"task": 8, "seconds": 13, "request": 9, "answer": 29, "verdict": 0}


@dataclass(frozen=True, slots=True)
class _Seen:
    """One exchange: what was asked, and what the answer said."""

    at: float
    deed: str
    status: int
    word: str
    verdict: str
    percent: int | None = None
    #: What else there is to know: notices, and why a task failed.
    remarks: Sequence[str] = ()


def print_timelines(console: Console, jobs: Sequence[Job], journal: Journal) -> None:
    """A block of lines for each job; exchanges in a row that say the same are one line."""
    console.print(_line(*_COLUMNS, style="bold"))
    for job in jobs:
        seen = [_seen(exchange) for exchange in journal if exchange.task_id == job.task_id]
        runs = groupby(seen, lambda one: (one.deed, one.status, one.word, one.verdict))
        for i, (_, run) in enumerate(runs):
            _print_run(console, "" if i else job.order.name, list(run), seen[0].at)


def print_ledger(console: Console, ledger: Ledger) -> None:
    """What was paid and what came back, in a sentence."""
    paid = [-entry.credits for entry in ledger if entry.credits < 0]
    back = [entry.credits for entry in ledger if entry.credits > 0]
    refund = f", {sum(back)} returned for the one that failed" if back else ""
    console.print(
        f"[bold]ledger[/]    {sum(paid)} credits for {len(paid)} tasks{refund}: {-ledger.total} spent", soft_wrap=True
    )


def _print_run(console: Console, name: str, run: Sequence[_Seen], start: float) -> None:
    first, last = run[0], run[-1]
    seconds = f"{first.at - start:.1f}"
    if len(run) > 1:
        seconds += f" .. {last.at - start:.1f}"
    deed = f"{len(run)} polls" if len(run) > 1 else first.deed
    answer = f"{first.status} {first.word}{_percents(run)}"
    console.print(_line(name, seconds, deed, answer, first.verdict, word=first.word))
    for remark in dict.fromkeys(remark for one in run for remark in one.remarks):
        _print_remark(console, Text(remark, "italic"))


def _print_remark(console: Console, remark: Text) -> None:
    """Below the seconds: as wide as a terminal is, and in one line where the output goes to a file or a pipe."""
    margin = Text(" " * (_COLUMNS["task"] + 2))
    is_shown = console.is_terminal or console.record
    for line in remark.wrap(console, console.width - len(margin)) if is_shown else [remark]:
        line.rstrip()
        console.print(margin + line, soft_wrap=True)


def _percents(run: Sequence[_Seen]) -> str:
    percents = [one.percent for one in run if one.percent is not None]
    if not percents:
        return ""
    return f", {percents[0]} %" if len(percents) == 1 else f", {percents[0]} to {percents[-1]} %"


def _seen(exchange: Exchange) -> _Seen:
    answer = json.loads(exchange.answer) if exchange.answer else {}
    data = answer.get("data") or {}
    return _Seen(
        at=exchange.at,
        deed=_DEEDS.get(exchange.operation or "", exchange.operation or "?"),
        status=exchange.status,
        word=data.get("status", exchange.media_type),
        verdict=exchange.verdict,
        percent=data.get("progress"),
        remarks=[*(f"notice: {notice.message}" for notice in exchange.notices), *filter(None, [data.get("error")])],
    )


def _line(*cells: str, style: str = "", word: str = "") -> Text:
    return Text("  ").join(_cells(cells, style, word))


def _cells(cells: Sequence[str], style: str, word: str) -> Iterator[Text]:
    for cell, (heading, width) in zip(cells, _COLUMNS.items(), strict=True):
        match heading:
            case "task":
                yield Text(cell.ljust(width), "bold")
            case "answer":
                yield Text(cell.ljust(width), style or STYLES.get(word, ""))
            case _:
                yield Text(cell.ljust(width), style)
