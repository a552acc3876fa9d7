"""What happened, for people: exchanges folded into rows, and rows as the lines of a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.dialects import error_of
from safelight.contracts.wording import counted, printable, shown
from safelight.traffic.exchange import object_of
from safelight.traffic.request_kinds import REQUEST_KINDS, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from safelight.traffic.exchange import Exchange

_HEADINGS: Final = ("seconds", "request", "task", "answer", "phase", "fault", "outcome")

#: Rows from the beginning and from the end of a transcript that is longer than both.
_FIRST_ROWS: Final = 15
_LAST_ROWS: Final = 25

#: Remarks below one row, and characters of a remark and of a cell.
MAX_REMARKS: Final = 5
MAX_REMARK_CHARACTERS: Final = 240
MAX_CELL_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One exchange, or several one after the other that say the same: the request and the answer."""

    #: Seconds of the first and of the last.
    at: float
    until: float
    count: int
    kind: str
    task_id: str | None
    #: The HTTP status, or what happened below HTTP instead.
    status: int | str
    word: str
    phase: str
    #: The rule of the plan that struck.
    fault: str
    outcome: str
    percents: Sequence[int] = ()
    #: What else there is to know: what was wrong, why a task failed, what had no effect.
    remarks: Sequence[str] = ()

    @property
    def request(self) -> str:
        """`submit`, `3 polls`."""
        if self.count == 1:
            return self.kind
        return counted(self.count, self.kind) if self.kind in WORDS else f"{self.kind}, {self.count} times"

    @property
    def answer(self) -> str:
        """`200 processing, 0 to 66 %`."""
        answer = f"{self.status} {self.word}".rstrip()
        if not self.percents:
            return answer
        first, last = self.percents[0], self.percents[-1]
        return f"{answer}, {first} %" if first == last else f"{answer}, {first} to {last} %"


def rows(exchanges: Iterable[Exchange]) -> Iterator[Row]:
    """The exchanges in their order; those in a row that say the same are one."""
    single = map(_row, exchanges)
    for _, same in groupby(single, lambda row: (row.kind, row.task_id, row.status, row.word, row.fault, row.outcome)):
        run = list(same)
        percents = [percent for row in run for percent in row.percents]
        remarks = list(dict.fromkeys(remark for row in run for remark in row.remarks))
        yield replace(run[0], until=run[-1].at, count=len(run), percents=percents, remarks=remarks)


def transcript(exchanges: Iterable[Exchange], numbers: Mapping[str, int] | None = None, *, began: float = 0) -> str:
    """The exchanges as a table of text, bounded in length, in seconds since `began`.

    `numbers` are those of the tasks, by their ids, where the exchanges are a part of a longer journal.
    """
    seen = list(exchanges)
    found = list(rows(seen))
    if not found:
        return "no request came in"
    numbers = task_numbers(seen) if numbers is None else numbers
    cells = [_HEADINGS, *(_cells(row, numbers, began) for row in found)]
    columns = [column for column in zip(*cells, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    heading, *lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in zip(*columns, strict=True)]
    blocks = ["\n".join([line, *_remarks(row)]) for line, row in zip(lines, found, strict=True)]
    if len(blocks) > _FIRST_ROWS + _LAST_ROWS:
        left_out = f"  ... and {len(blocks) - _FIRST_ROWS - _LAST_ROWS} lines more ..."
        blocks = [*blocks[:_FIRST_ROWS], left_out, *blocks[-_LAST_ROWS:]]
    return "\n".join([heading, *blocks])


def task_numbers(exchanges: Iterable[Exchange]) -> Mapping[str, int]:
    """Task id -> its number, from 1, in the order of the submits."""
    submits = (exchange for exchange in exchanges if REQUEST_KINDS.get(exchange.operation or "") == "submit")
    found = dict.fromkeys(exchange.task_id for exchange in submits if exchange.task_id is not None)
    return {task_id: number for number, task_id in enumerate(found, 1)}


def _cells(row: Row, numbers: Mapping[str, int], began: float) -> tuple[str, ...]:
    seconds = " .. ".join(dict.fromkeys(f"{at - began:.1f}" for at in (row.at, row.until)))
    task = "" if row.task_id is None else str(numbers.get(row.task_id) or shown(row.task_id))
    return tuple(
        _line(cell, MAX_CELL_CHARACTERS)
        for cell in (seconds, row.request, task, row.answer, row.phase, row.fault, row.outcome)
    )


def _remarks(row: Row) -> Iterator[str]:
    for remark in row.remarks[:MAX_REMARKS]:
        yield f"    {_line(remark, MAX_REMARK_CHARACTERS)}"
    if len(row.remarks) > MAX_REMARKS:
        yield f"    ... and {len(row.remarks) - MAX_REMARKS} remarks more ..."


def _line(text: str, max_characters: int) -> str:
    """The text on one line, cut where it is long."""
    line = printable(text[: max_characters + 1])
    return line if len(line) <= max_characters else line[:max_characters] + "…"


def _row(exchange: Exchange) -> Row:
    answer = {} if exchange.wire else object_of(exchange.answer)
    data = _data(answer)
    progress, kind = data.get("progress"), REQUEST_KINDS.get(exchange.operation or "")
    word = _as_text(data.get("status")) or ("" if exchange.answer else exchange.media_type)
    return Row(
        at=exchange.at,
        until=exchange.at,
        count=1,
        kind=kind or exchange.operation or f"{exchange.method} {exchange.target}",
        task_id=exchange.task_id,
        status=exchange.wire or exchange.status,
        word="" if exchange.wire else word,
        phase=exchange.phase or "",
        fault=exchange.fault,
        outcome=exchange.outcome,
        percents=[] if progress is None else [progress],
        remarks=list(_remarks_on(exchange, answer)),
    )


def _remarks_on(exchange: Exchange, answer: Mapping[str, Any]) -> Iterator[str]:
    yield from (violation.message for violation in exchange.violations)
    if exchange.outcome == "refused":
        yield error_of(answer)
    yield from filter(None, [_as_text(_data(answer).get("error"))])
    yield from (f"advice: {advice.message}" for advice in exchange.advice)


def _data(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    data = answer.get("data")
    return data if isinstance(data, dict) else {}


def _as_text(value: object) -> str:
    """What is a text unless a fault has made it something else."""
    return value if isinstance(value, str) else shown(value) if value else ""
