"""How the tasks are doing while they live: bars on a terminal, a line for each change anywhere else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from safelight.cli._demo.client import Job

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


@contextmanager
def display(console: Console, jobs: Sequence[Job], now: Callable[[], float]) -> Iterator[Callable[[Job], None]]:
    """Show the jobs while the block runs; what it gives is to be told of each answer. `now` is in service seconds."""
    if console.record or (console.is_interactive and console.file.isatty()):
        with Live(console=console, get_renderable=lambda: _bars(jobs, console.width), refresh_per_second=12):
            yield lambda _: None
        if not console.is_terminal:
            console.line()  # which Live leaves out there
    else:
        yield _Lines(console, now)


def _bars(jobs: Sequence[Job], width: int) -> Table:
    columns = [Column(ratio=1), Column(justify="right"), Column(min_width=10)]
    id_columns = [Column(no_wrap=True, width=36)] if width >= _WIDE else []
    table = Table(Column(no_wrap=True), *id_columns, *columns)
    table.box, table.show_header, table.expand, table.pad_edge = None, False, True, False
    for job in jobs:
        name, task_id, bar, percent, word = _row(job)
        table.add_row(name, *([task_id] if id_columns else []), bar, percent, word)
    return table


def _row(job: Job) -> tuple[Text, Text, ProgressBar, Text, Text]:
    style = STYLES.get(job.word, "")
    waits = job.word in ("", "queued", "pending")
    bar = ProgressBar(100, job.percent, pulse=waits, complete_style=style, finished_style=style, pulse_style="yellow")
    name, task_id = Text(job.order.name, "bold"), Text(job.task_id, "bright_black")
    return name, task_id, bar, Text(f"{job.percent} %"), Text(job.word, style)


class _Lines:
    """Prints a line when the status of a job has changed."""

    def __init__(self, console: Console, now: Callable[[], float]) -> None:
        self._console, self._now = console, now
        self._start: float | None = None
        self._known: dict[str, str] = {}

    def __call__(self, job: Job) -> None:
        name = job.order.name
        if self._known.get(name) == job.word:
            return
        self._known[name] = job.word
        if self._start is None:
            self._start = self._now()
        seconds = f"{self._now() - self._start:5.1f} s"
        self._console.print(Text(f"{seconds}  {name:<8}  {job.word:<10}  {_detail(job)}".rstrip()))


def _detail(job: Job) -> str:
    match job.word:
        case "queued":
            return job.task_id
        case "processing":
            return f"{job.percent} %"
        case "completed" if job.picture:
            return job.picture.name
        case _:
            return job.reason
