"""What happened, by the fake's own record: a timeline for each task from the journal, the credits from the ledger."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from safelight.cli._demo.client import Job
from safelight.cli._demo.display import STYLES
from safelight.mockserver.model.ledger import Ledger
from safelight.traffic.journal import Journal
from safelight.traffic.transcript import Row, rows

#: Heading -> width of its column.
_COLUMNS: Final = {"task": 8, "seconds": 13, "request": 9, "answer": 29, "outcome": 0}


def print_timelines(console: Console, jobs: Sequence[Job], journal: Journal) -> None:
    """A block of lines for each job; exchanges in a row that say the same are one line."""
    console.print(_line(*_COLUMNS, style="bold"))
    for job in jobs:
        seen = list(rows(exchange for exchange in journal if exchange.task_id == job.task_id))
        for i, row in enumerate(seen):
            _print_row(console, "" if i else job.order.name, row, seen[0].at)


def print_ledger(console: Console, ledger: Ledger) -> None:
    """What was paid and what came back, in a sentence."""
    paid = [-entry.credits for entry in ledger if entry.credits < 0]
    back = sum(paid) + ledger.total
    refund = f", {back} returned for the one that failed" if back else ""
    line = f"[bold]ledger[/]    {sum(paid)} credits for {len(paid)} tasks{refund}: {-ledger.total} spent"
    console.print(line, soft_wrap=True)


def _print_row(console: Console, name: str, row: Row, start: float) -> None:
    seconds = f"{row.at - start:.1f}" + (f" .. {row.until - start:.1f}" if row.count > 1 else "")
    console.print(_line(name, seconds, row.request, row.answer, row.outcome, word=row.word))
    for remark in row.remarks:
        _print_remark(console, Text(remark, "italic"))


def _print_remark(console: Console, remark: Text) -> None:
    """Below the seconds: as wide as a terminal is, and in one line where the output goes to a file or a pipe."""
    margin = Text(" " * (_COLUMNS["task"] + 2))
    is_shown = console.is_terminal or console.record
    for line in remark.wrap(console, console.width - len(margin)) if is_shown else [remark]:
        line.rstrip()
        console.print(margin + line, soft_wrap=True)


def _line(*cells: str, style: str = "", word: str = "") -> Text:
    styles = {"task": "bold", "answer": style or STYLES.get(word, "")}
    columns = zip(cells, _COLUMNS.items(), strict=True)
    return Text("  ").join([Text(cell.ljust(width), styles.get(name, style)) for cell, (name, width) in columns])
