r"""The report of one run as a JSON document: every other report is made of this one, and of nothing else.

Its texts come from clients and servers, who may mean harm. They are made plain here, once for all reports: without
keys, and what is not printable (escapes for terminals, marks that turn the direction of text) as `\u001b`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from safelight.conformance.report.exit_code import FAILED, UNDECIDED, code_of, exit_code
from safelight.conformance.report.waivers import Applied
from safelight.conformance.results import Result, Tried
from safelight.conformance.verdicts import WORST_FIRST, Finding, Severity
from safelight.contracts import parse
from safelight.contracts.checks import Check, breaches, check_of
from safelight.contracts.locations import root
from safelight.contracts.secrets import redacted
from safelight.contracts.validation import sentence
from safelight.contracts.wording import counted, did_you_mean, named, printable

Document = Mapping[str, Any]

#: Characters of an output that a report has: half of its beginning, half of its end.
MAX_OUTPUT_CHARACTERS: Final = 8_000

#: Bytes of a report that is read.
MAX_REPORT_BYTES: Final = 200_000_000


class Kind(StrEnum):
    """What was judged."""

    CLIENT = "client"
    SERVER = "server"
    RECORDING = "recording"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a judge."""

    kind: Kind
    #: What was judged, in a word or two: the head of a column.
    name: str
    #: What was typed, or what would do the same.
    command: str
    #: Of the cases or checks.
    edition: str
    began: datetime
    seconds: float
    results: Sequence[Result]
    waivers: Sequence[Applied] = ()
    #: How far it went, in a word, where that depends on what it was allowed to spend.
    extent: str = ""
    #: What was made on a server: each task, how it ended, and what it cost.
    tasks: Sequence[str] = ()


def document(run: Run) -> Document:
    """The report of a run; `schema()` describes it."""
    count = Counter(result.verdict for result in run.results)
    cases = [_case(result) for result in run.results]
    made: Document = _plain(
        {
            "kind": run.kind,
            "name": run.name,
            "command": run.command,
            "safelight": version("safelight"),
            "edition": run.edition,
            "started": run.began.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "seconds": round(run.seconds, 3),
            "extent": run.extent,
            "exit_code": exit_code(run.results),
            "counts": {verdict: count[verdict] for verdict in WORST_FIRST},
            "tasks": list(run.tasks),
            "lost": sum(finding["lost"] for case in cases for finding in case["findings"]),
            "waivers": [_waiver(applied) for applied in run.waivers],
            "cases": cases,
        }
    )
    return made


def _waiver(applied: Applied) -> Document:
    waiver = applied.waiver
    return {"case": str(waiver), "reason": waiver.reason, "until": waiver.until.isoformat(), "state": applied.state}


def _case(result: Result) -> Document:
    return {
        **{name: getattr(result, name) for name in _OF_CASES},
        "exit_code": code_of(result),
        "findings": sorted(
            (_finding(tried, one) for tried in result.trials for one in tried.findings), key=_worst_first
        ),
        "trials": [_trial(tried) for tried in result.trials],
    }


#: Members of a case that are those of a result.
_OF_CASES: Final = ("id", "group", "verdict", "severity", "fact", "does", "good", "why", "again", "waived")


def _finding(tried: Tried, finding: Finding) -> Document:
    form = {"trial": tried.name, **asdict(finding)}
    # Nobody did wrong: what was paid was not lost, and `tasks` says what was made.
    return form | {"lost": 0} if finding.severity is Severity.INFO else form


def _worst_first(finding: Document) -> int:
    return _SEVERITIES.index(finding["severity"])


#: The worst first.
_SEVERITIES: Final = tuple(Severity)


def _trial(tried: Tried) -> Document:
    return {
        **{name: getattr(tried, name) for name in ("name", "verdict", "ended", "remark")},
        "seconds": round(tried.seconds, 3),
        "output": _cut(tried.output),
        "timeline": [dict(row) for row in tried.timeline],
    }


def _cut(text: str) -> str:
    half = MAX_OUTPUT_CHARACTERS // 2
    if len(text) <= 2 * half:
        return text
    return f"{text[:half]}\n... {len(text) - 2 * half:,} characters ...\n{text[-half:]}"


def _plain(value: Any) -> Any:
    """A JSON value whose texts are safe to show."""
    match value:
        case str():
            return "\n".join("\t".join(map(printable, line.split("\t"))) for line in redacted(value).split("\n"))
        case dict():
            return {_plain(name): _plain(part) for name, part in value.items()}
        case list():
            return [_plain(part) for part in value]
    return value


def headline(document: Document) -> str:
    """What a run came to, in a few words."""
    codes = Counter(case["exit_code"] for case in document["cases"])
    waived = sum(bool(case["waived"]) for case in document["cases"])
    noun = NOUNS[document["kind"]]
    extent = f" ({document['extent']})" if document["extent"] else ""
    if codes[FAILED]:
        return f"failed{extent}: {counted(codes[FAILED], noun)} with a MUST that is broken"
    if codes[UNDECIDED]:
        return f"not decided{extent}: {counted(codes[UNDECIDED], f'MUST {noun}')} came to no verdict"
    return f"passed{extent}{f', {waived} of them waived' if waived else ''}"


#: What is judged -> what a row of its report is called.
NOUNS: Final[Mapping[str, str]] = {
    Kind.CLIENT: "case",
    Kind.SERVER: "check",
    Kind.RECORDING: "check",
    Kind.DIFFERENCE: "check",
}


def written(documents: Sequence[Document]) -> str:
    """The text of a file of JSON: one report as it is, several as an array."""
    return json.dumps(documents[0] if len(documents) == 1 else list(documents), indent=1) + "\n"


@dataclass(eq=False)
class NoReport(Exception):
    """A file that is no report of Safelight."""

    path: Path
    what: str

    def __str__(self) -> str:
        return printable(f"{self.path} is no report: {self.what}")


def read(path: Path) -> list[Document]:
    """The reports that a file of JSON holds. Raises `NoReport` with a sentence."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_REPORT_BYTES + 1)
    except OSError as error:
        raise NoReport(path, f"it cannot be read: {error.strerror}") from None
    if len(text) > MAX_REPORT_BYTES:
        raise NoReport(path, f"it is larger than {MAX_REPORT_BYTES // 10**6} MB")
    parsed = parse(text, max_violations=1, is_request=False)
    if parsed.violations:
        raise NoReport(path, parsed.violations[0].message)
    found = parsed.document if isinstance(parsed.document, list) else [parsed.document]
    if not found:
        raise NoReport(path, "the array is empty")
    return [_checked(path, one) for one in found]


def _checked(path: Path, found: Any) -> Document:
    if broken := breaches(_check(), found, max_breaches=1):
        breach = broken[0]
        if breach.keyword == "additionalProperties":
            raise NoReport(path, f"{named(breach.path)} is not known{_near(breach.path, breach.location.node)}")
        raise NoReport(path, f"{named(breach.path)} {sentence(breach)}")
    checked: Document = _plain(found)
    return checked


def _near(path: Sequence[object], node: Document) -> str:
    return did_you_mean(path[-1], node.get("properties", ()))


def schema_text() -> str:
    """The JSON Schema of a report, as its file has it."""
    return (files("safelight.conformance.report") / "report.schema.json").read_text("utf-8")


@cache
def _check() -> Check:
    return check_of(root("report", {"report": json.loads(schema_text())}))
