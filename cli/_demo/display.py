"""How the tasks are doing: bars on a terminal, a line for each change anywhere else; and, at the end, what happened.

The end is told by the fake's own record: a timeline for each task from the journal, the credits from the ledger.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from safelight.cli._demo.client import Job
from safelight.mockserver.model.ledger import Ledger
from safelight.traffic.journal import Journal
from safelight.traffic.transcript import Row, rows

#: Status word -> how it looks.
STYLES: Final = {
    "queued": "bright_black",
    "pending": "bright_black",
    "processing": "yellow",
    "completed": "green",
    "failed": "red",
}

#: Columns from which a whole task id fits beside a bar; below, ids are left out.
_WIDE: Final = 92
#: Heading -> width of its column. With the last one's heading, 70 columns are enough.
_COLUMNS: Final = {"task": 8, "seconds": 13, "request": 8, "answer": 26, "outcome": 0}


@contextmanager
def display(console: Console, jobs: Sequence[Job], now: Callable[[], float]) -> Iterator[Callable[[Job], None]]:
    """Show the jobs while the block runs; call what it gives after each answer. `now` is in service seconds."""
    if console.record or (console.is_interactive and console.file.isatty()):
        with Live(console=console, get_renderable=lambda: _bars(jobs, console.width), refresh_per_second=12):
            yield lambda _: None
        if not console.is_terminal:
            console.line()  # which Live leaves out there
    else:
        yield _lines(console, now)


def _bars(jobs: Sequence[Job], width: int) -> Table:
    id_columns = [Column(no_wrap=True, width=36)] if width >= _WIDE else []
    columns = [Column(ratio=1), Column(justify="right"), Column(min_width=10)]
    table = Table(Column(no_wrap=True), *id_columns, *columns, box=None, show_header=False, expand=True, pad_edge=False)
    for job in jobs:
        style, is_waiting = STYLES.get(job.word, ""), job.word in ("", "queued", "pending")
        bar = ProgressBar(100, job.percent, pulse=is_waiting, complete_style=style, finished_style=style)
        bar.pulse_style = "yellow"
        ids = [Text(job.task_id, "bright_black")] if id_columns else []
        table.add_row(Text(job.order.name, "bold"), *ids, bar, f"{job.percent} %", Text(job.word, style))
    return table


def _lines(console: Console, now: Callable[[], float]) -> Callable[[Job], None]:
    """Print a line when the status of a job has changed."""
    known: dict[str, str] = {}
    start: list[float] = []

    def changed(job: Job) -> None:
        name, at = job.order.name, now()
        start.append(at)
        if known.get(name) != job.word:
            known[name] = job.word
            console.print(
                Text(f"{at - start[0]:5.1f} s  {name:<8}  {job.word:<10}  {_detail(job)}".rstrip()), soft_wrap=True
            )

    return changed


def _detail(job: Job) -> str:
    picture = job.picture.name if job.picture else ""
    details = {"queued": job.task_id, "processing": f"{job.percent} %", "completed": picture}
    return details.get(job.word, job.reason)


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
