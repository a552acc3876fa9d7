"""Runs to make reports of: one of each verdict, and any, with texts of whoever means harm."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from safelight.conformance.report.document import Document, Kind, Run, document
from safelight.conformance.report.waivers import Applied, State, Waiver
from safelight.conformance.results import Result, Tried
from safelight.conformance.verdicts import Finding, Severity, Verdict

KEY = "sk-live_0123456789abcdefABCDEF"

#: Texts that are markup, commands, escapes or keys somewhere.
HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<!--<script>",
    "]]>",
    "\x1b[2J\x1b]0;title\x07",
    "safe\u202egnp.exe\u2066\u200f",
    "a\u2028b\u2029c\x85d",
    "\r\n::error::x\n::add-mask::y",
    "%0A::error::, : %",
    "| a | [b](javascript:alert(1)) `c` *d* <e> @f",
    "\ud800\udfff\x00\ufffe\uffff",
    "[bold red]rich[/]",
    "${title} $data {style}",
    f"key {KEY} and api_key={KEY}",
)

BEGAN = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
REQUEST = {
    "at": 0.25,
    "took": 0.1,
    "kind": "poll",
    "request": "GET /v1/index.php?endpoint=task_status&task_id=1",
    "task": 1,
    "answer": "200",
    "word": "running",
    "phase": "running",
    "fault": "",
    "outcome": "ok",
}
SUBMIT = REQUEST | {"at": 0, "kind": "submit", "answer": "reset", "fault": "submit#1: reset after", "phase": "queued"}
DOUBLE = Finding("U1", Severity.MUST_MONEY, "4 accepted, 1 wanted: 30 credits lost", 30)
FAST = Finding("U8", Severity.SHOULD, "1 gap between polls under 0.1 s: 0.058 s")


def result(
    verdict: Verdict = Verdict.PASS, name: str = "4.7", severity: Severity = Severity.MUST, **more: Any
) -> Result:
    """A result of one trial."""
    findings = {Verdict.FAIL: [DOUBLE, FAST], Verdict.NON_STRICT: [FAST]}.get(verdict, [])
    remark = "planned and never delivered: submit#1: reset after" if verdict is Verdict.INCONCLUSIVE else ""
    tried = Tried("", verdict, findings, [SUBMIT, REQUEST], "submitted\ndone", "exit code 0", 1.5, remark)
    texts = {"group": "The submit", "does": "resets the connection", "good": "does not submit again", "why": "It pays."}
    again = f"safelight check client --only {name} -- python client.py"
    usual = {"fact": f"fact {name}", "severity": severity, "trials": [tried], "again": again}
    return Result(**{"id": name, "verdict": verdict, **texts, **usual, **more})


def run(results: Sequence[Result] = (), **more: Any) -> Run:
    """A run of a client."""
    return replace(Run(Kind.CLIENT, "client.py", "safelight check client -- c", "1", BEGAN, 12.5, results), **more)


def each_verdict() -> Document:
    """The report of a run with one case of each verdict."""
    results = [result(verdict, f"1.{number}") for number, verdict in enumerate(Verdict, 1)]
    waived = replace(result(Verdict.FAIL, "2.1"), waived="known, ticket 7")
    spent = Applied(Waiver("2.*", "known, ticket 7", date(2026, 12, 31)), State.USED)
    stale = Applied(Waiver("1.1", "was broken once", date(2026, 12, 31)), State.NOT_NEEDED)
    return document(run([*results, waived], waivers=[spent, stale]))


#: Any text, often a hostile one.
texts = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=30), st.tuples(st.sampled_from(HOSTILE), st.text()).map("".join)
)

_verdicts, _severities = st.sampled_from(Verdict), st.sampled_from(Severity)
_numbers = st.floats(0, 1_000)
_findings = st.builds(Finding, texts, _severities, texts, _numbers, *(texts, texts, texts, texts, texts))
_words = ("kind", "request", "answer", "word", "phase", "fault", "outcome")
_requests = st.fixed_dictionaries(
    {
        "at": _numbers,
        "took": st.none() | _numbers,
        "task": st.none() | st.integers(1, 9),
        **dict.fromkeys(_words, texts),
    }
)
_trials = st.builds(
    Tried,
    *(texts, _verdicts),
    *(st.lists(_findings, max_size=3), st.lists(_requests, max_size=3)),
    *(texts, texts, _numbers, texts),
)
_results = st.builds(
    Result,
    *(texts.map("9".__add__), texts, _severities, _verdicts),
    *(texts, texts, texts, texts),
    st.lists(_trials, max_size=2),
    *(texts, texts),
)
_applied = st.builds(Applied, st.builds(Waiver, texts, texts, st.dates()), st.sampled_from(State))
_runs = st.builds(
    Run,
    *(st.sampled_from(Kind), texts, texts, texts),
    *(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), _numbers),  # noqa: DTZ001
    *(st.lists(_results, max_size=3), st.lists(_applied, max_size=2)),
)

#: Reports of any run.
reports = _runs.map(document)
