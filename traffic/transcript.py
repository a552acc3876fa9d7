"""What happened, for people: exchanges folded into rows, and rows as the lines of a table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.dialects import error_of
from safelight.contracts.wording import counted, printable, shown
from safelight.traffic.request_kinds import REQUEST_KINDS, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from safelight.traffic.exchange import Exchange

_HEADINGS: Final = ("seconds", "request", "task", "answer", "phase", "fault", "outcome")

#: Rows from the beginning and from the end of a transcript that is longer than both.
_FIRST: Final = 15
_LAST: Final = 25

#: Remarks below one row, and characters of a remark and of a cell.
_MOST_REMARKS: Final = 5
_LONGEST_REMARK: Final = 240
_LONGEST_CELL: Final = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One exchange, or several one after the other that say the same: what was asked, and what the answer said."""

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
        yield Row(
            at=run[0].at,
            until=run[-1].at,
            count=len(run),
            kind=run[0].kind,
            task_id=run[0].task_id,
            status=run[0].status,
            word=run[0].word,
            phase=run[0].phase,
            fault=run[0].fault,
            outcome=run[0].outcome,
            percents=[percent for row in run for percent in row.percents],
            remarks=list(dict.fromkeys(remark for row in run for remark in row.remarks)),
        )


def transcript(exchanges: Iterable[Exchange], numbers: Mapping[str, int]) -> str:
    """The exchanges as a table of text, bounded in length; `numbers` are those of the tasks, by their ids."""
    told = list(rows(exchanges))
    if not told:
        return "no request came in"
    cells = [_HEADINGS, *(_cells(row, numbers) for row in told)]
    columns = [column for column in zip(*cells, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    heading, *lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in zip(*columns, strict=True)]
    blocks = ["\n".join([line, *_remarks(row)]) for line, row in zip(lines, told, strict=True)]
    if len(blocks) > _FIRST + _LAST:
        left_out = f"  ... and {len(blocks) - _FIRST - _LAST} lines more ..."
        blocks = [*blocks[:_FIRST], left_out, *blocks[-_LAST:]]
    return "\n".join([heading, *blocks])


def _cells(row: Row, numbers: Mapping[str, int]) -> tuple[str, ...]:
    seconds = f"{row.at:.1f}" if f"{row.at:.1f}" == f"{row.until:.1f}" else f"{row.at:.1f} .. {row.until:.1f}"
    task = "" if row.task_id is None else str(numbers.get(row.task_id) or shown(row.task_id))
    return tuple(
        _line(cell, _LONGEST_CELL)
        for cell in (seconds, row.request, task, row.answer, row.phase, row.fault, row.outcome)
    )


def _remarks(row: Row) -> Iterator[str]:
    for remark in row.remarks[:_MOST_REMARKS]:
        yield f"    {_line(remark, _LONGEST_REMARK)}"
    if len(row.remarks) > _MOST_REMARKS:
        yield f"    ... and {len(row.remarks) - _MOST_REMARKS} remarks more ..."


def _line(text: str, longest: int) -> str:
    """The text on one line, cut where it is long."""
    line = printable(text[: longest + 1])
    return line if len(line) <= longest else line[:longest] + "…"


def _row(exchange: Exchange) -> Row:
    answer = {} if exchange.wire else _decoded(exchange.answer)
    data = _data(answer)
    progress = data.get("progress")
    word = _said(data.get("status")) or ("" if exchange.answer else exchange.media_type)
    return Row(
        at=exchange.at,
        until=exchange.at,
        count=1,
        kind=REQUEST_KINDS.get(exchange.operation or "")
        or exchange.operation
        or f"{exchange.method} {exchange.target}",
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
    yield from filter(None, [_said(_data(answer).get("error"))])
    yield from (f"advice: {advice.message}" for advice in exchange.advice)


def _decoded(answer: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(answer or b"{}")
    except (ValueError, RecursionError):  # a fault; or a key of a letter or two was taken out of the envelope's words
        return {}
    return document if isinstance(document, dict) else {}


def _data(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    data = answer.get("data")
    return data if isinstance(data, dict) else {}


def _said(value: object) -> str:
    """What is a text unless a fault has made it something else."""
    return value if isinstance(value, str) else shown(value) if value else ""
