"""A run in the terminal: its progress while it lasts, and what it came to."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.text import Text

from safelight.conformance.report.document import NOUNS, Document, Kind, headline
from safelight.conformance.report.exit_code import PASSED
from safelight.conformance.report.github import without_commands
from safelight.conformance.report.waivers import State
from safelight.conformance.results import Result
from safelight.conformance.verdicts import MUSTS, WORST_FIRST, Verdict
from safelight.contracts.wording import counted, listed, printable

STYLES: Final[Mapping[str, str]] = {
    Verdict.PASS: "green",
    Verdict.INFO: "cyan",
    Verdict.UNIMPLEMENTED: "dim",
    Verdict.NOT_ASKED: "dim",
    Verdict.NON_STRICT: "yellow",
    Verdict.FLAKY: "magenta",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.INCOMPLETE: "magenta",
    Verdict.FAIL: "bold red",
}

#: Rows of a timeline that are shown: the first ones, and the last.
MAX_ROWS: Final = 12

#: Lines of an output that are shown, of its end; and characters of each.
MAX_LINES, MAX_LINE_CHARACTERS = 3, 200

#: Characters of a label, and of the columns of the table before the last.
_LABEL, _ID, _VERDICT, _SEVERITY = 15, 6, 15, 10

#: Columns that a text has beside its label, however narrow the terminal is.
_MIN_COLUMNS: Final = 20

#: Cases of a run under way that are shown.
_LAST: Final = 5

#: What did something to the judged, and who is a good one.
_ROLES: Final = {
    Kind.CLIENT: ("the fake", "a good client"),
    Kind.SERVER: ("the check", "a good server"),
    Kind.RECORDING: ("the check", "a good record"),
    Kind.DIFFERENCE: ("the check", "a good server"),
}


class Watch:
    """Shows a run while it lasts: call it with each result. Only a terminal is shown anything."""

    def __init__(self, console: Console, total: int) -> None:
        self._count: Counter[str] = Counter()
        self._last: deque[Result] = deque(maxlen=_LAST)
        self._bar = Progress(BarColumn(None), MofNCompleteColumn(), TimeElapsedColumn(), console=console)
        self._task = self._bar.add_task("", total=total)
        self._live = Live(self._view(), console=console, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, result: Result) -> None:
        """One more is there. May be called from any thread."""
        self._count[result.verdict] += 1
        self._last.append(result)
        self._bar.advance(self._task)
        if self._live:
            self._live.update(self._view())

    def _view(self) -> Group:
        lines = [_cells(one.id, one.verdict) + Text(printable(one.fact)) for one in list(self._last)]
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(*lines, _counts(self._count), self._bar)


def _cells(name: str, verdict: str) -> Text:
    return Text.assemble((f"{printable(name):<{_ID}}", "bold"), (f"{verdict:<{_VERDICT}}", STYLES[verdict]))


def _counts(count: Mapping[str, int]) -> Text:
    there = [verdict for verdict in reversed(WORST_FIRST) if count.get(verdict)]
    return Text("  ").join([Text(f"{count[verdict]} {verdict}", STYLES[verdict]) for verdict in there])


def show(document: Document, console: Console) -> None:
    """Print what a run came to: what did not pass, each with what was seen, and a line about all of it."""
    wrong = [case for case in document["cases"] if case["verdict"] not in _QUIET]
    with without_commands():
        for case in wrong:
            if case["findings"] or (case["trials"] and _remark(case) and document["kind"] == Kind.CLIENT):
                _show_case(case, _ROLES[document["kind"]], console)
        _show_table(wrong, console)
        for line in _summary(document):
            _print(console, Text(), line)


#: Verdicts of cases that have no row of their own.
_QUIET: Final = frozenset({Verdict.PASS, Verdict.NOT_ASKED})


def _show_table(cases: Sequence[Mapping[str, Any]], console: Console) -> None:
    if cases:
        console.print(Text(f"{'case':<{_ID}}{'verdict':<{_VERDICT}}{'severity':<{_SEVERITY}}fact", "dim"))
    for case in cases:
        waived = case["waived"] and f"waived: {case['waived']}"
        rest = waived or ("" if case["findings"] else _remark(case))
        fact = f"{case['fact']} ({rest})" if rest else case["fact"]
        label = _cells(case["id"], case["verdict"]) + Text(f"{case['severity']:<{_SEVERITY}}")
        _print(console, label, Text(fact))
    if cases:
        console.print()


def _show_case(case: Mapping[str, Any], roles: tuple[str, str], console: Console) -> None:
    title = Text.assemble((case["id"], "bold"), " ", (case["verdict"], STYLES[case["verdict"]]), " ", case["severity"])
    _print(console, title + Text(": "), Text(case["fact"]))
    for role, did in zip(roles, (case["does"], case["good"]), strict=True):
        if did:
            _say(console, role, did)
    for trial in case["trials"]:
        if trial["verdict"] != Verdict.PASS:
            _show_trial(trial, [one for one in case["findings"] if one["trial"] == trial["name"]], console)
    if case["again"]:
        _say(console, "run it again", case["again"])
    console.print()


def _show_trial(trial: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], console: Console) -> None:
    if trial["name"]:
        _say(console, "trial", trial["name"], "bold")
    for row in _timeline(trial["timeline"]) if not all(one["curl"] for one in findings) or not findings else ():
        _print(console, Text("    "), row)
    if trial["ended"]:
        _say(console, "ended with", f"{trial['ended']} after {trial['seconds']:.1f} s")
    for line in _end(trial["output"])[-MAX_LINES:]:
        _say(console, "wrote", line[:MAX_LINE_CHARACTERS])
    if trial["remark"]:
        _say(console, "but", trial["remark"])
    for one in {(one["rule"], one["severity"], one["sentence"]): one for one in findings}.values():
        severity = one["severity"]
        what = f"{one['rule']} ({severity}): {one['sentence']}"
        _say(console, "broke", what, "red" if severity in MUSTS else "yellow")
        for name, label in _FURTHER.items():
            if one[name]:
                _say(console, label, one[name])


#: Lines that tell nobody what went wrong: blank ones, and what Node.js writes below the message of an error.
_IDLE: Final = re.compile(r"\s*(?:at .*|Node\.js v[\d.]+|\^+|[}\])]+)?")


def _end(output: str) -> list[str]:
    """The lines of an output, without idle ones as far as there are others."""
    lines = output.rstrip().splitlines()
    return [line for line in lines if not _IDLE.fullmatch(line)] or lines


#: Member of a finding -> what stands before it.
_FURTHER: Final = {
    "pointer": "  where",
    "provenance": "  who says so",
    "expected": "  expected",
    "got": "  got",
    "curl": "  send again",
}


def _say(console: Console, label: str, text: str, style: str = "") -> None:
    _print(console, Text.assemble((f"  {label:<{_LABEL}}", "dim")), Text(text, style))


def _print(console: Console, label: Text, text: Text) -> None:
    """A text beside its label, its further lines below its first. In a pipe lines are as long as they are."""
    room = max(_MIN_COLUMNS, console.width - label.cell_len)
    whole = text.split("\n", allow_blank=True)
    lines = [line for one in whole for line in (one.wrap(console, room) if console.is_terminal else [one])]
    for number, line in enumerate(lines):
        row = (Text(" " * label.cell_len) if number else label) + line
        row.rstrip()
        console.print(row, soft_wrap=True)


def _timeline(rows: Sequence[Mapping[str, Any]]) -> Iterator[Text]:
    """A line for each request; for several alike, one after the other, a line too."""
    has_several = len({row["task"] for row in rows if row["task"]}) > 1
    lines = [_line(list(same), has_several=has_several) for _, same in groupby(_numbered(rows), _likeness)]
    first, last = MAX_ROWS - MAX_ROWS // 3, MAX_ROWS // 3
    yield from lines if len(lines) <= MAX_ROWS else lines[:first]
    if len(lines) > MAX_ROWS:
        yield Text(f"         ... {len(lines) - first - last} more ...", "dim")
        yield from lines[-last:]


def _numbered(rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The rows with the number of each among those of its kind, as rules count them: polls for each task."""
    counts = Counter[Any]()
    for row in rows:
        counted_as = (row["kind"], row["task"] if row["kind"] == "poll" else None)
        counts[counted_as] += 1
        yield {**row, "number": counts[counted_as]}


def _likeness(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("kind", "task", "answer", "word", "fault", "outcome"))


def _line(same: Sequence[Mapping[str, Any]], *, has_several: bool) -> Text:
    row, last = same[0], same[-1]["number"]
    what = f"{row['kind']} {row['number']}{f'-{last}' if len(same) > 1 else ''}" if row["kind"] else row["request"]
    what += f" of task {row['task']}" if has_several and row["kind"] == "poll" else ""
    times = f"{len(same)} times until {same[-1]['at']:.2f} s" if len(same) > 1 else ""
    is_lost = not row["answer"].isdecimal()
    answer = row["answer"] if is_lost else f"{row['answer']} {row['word']}".rstrip()
    outcome = "" if row["outcome"] == "ok" else row["outcome"]
    line = Text.assemble(
        (f"{row['at']:>7.2f} s  ", "dim"), f"{what:<10} ", (f"{answer:<16} ", "red" if is_lost else "")
    )
    return line.append("  ".join(filter(None, [row["fault"] and f"fault: {row['fault']}", outcome, times])), "yellow")


def _summary(document: Document) -> Iterator[Text]:
    for waiver in document["waivers"]:
        if waiver["state"] in (State.NOT_NEEDED, State.EXPIRED):
            yield Text(
                f"the waiver of {waiver['case']} until {waiver['until']} is {_WAIVERS[waiver['state']]}", "yellow"
            )
    for task in document["tasks"]:
        yield Text(f"made: {task}", "yellow")
    if document["lost"]:
        yield Text(f"{document['lost']:g} credits lost", "bold red")
    for remark, ids in _not_asked(document).items():
        yield Text(f"not asked: {listed(ids)}: {remark}", "dim")
    head = Text.assemble((f"{printable(document['name'])}: ", "bold"), _counts(document["counts"]))
    noun = NOUNS[document["kind"]]
    yield head + Text(f" of {counted(len(document['cases']), noun)} in {document['seconds']:.1f} s")
    yield Text(headline(document), "green" if document["exit_code"] == PASSED else "bold red")


def _not_asked(document: Document) -> Mapping[str, list[str]]:
    """Why something was not asked, or only in part -> the ids of what was not."""
    found: dict[str, list[str]] = {}
    for case in document["cases"]:
        is_in_part = case["verdict"] == Verdict.PASS and _remark(case) and document["kind"] == Kind.SERVER
        if case["verdict"] == Verdict.NOT_ASKED or is_in_part:
            found.setdefault(_remark(case), []).append(case["id"])
    return found


def _remark(case: Mapping[str, Any]) -> str:
    """What is in the way of a verdict, by the first trial that says it."""
    return next((str(trial["remark"]) for trial in case["trials"] if trial["remark"]), "")


_WAIVERS: Final = {
    State.NOT_NEEDED: "not needed any more: nothing that it names failed",
    State.EXPIRED: "past its day: it lets nothing pass",
}
