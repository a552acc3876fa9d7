"""A run in GitHub Actions: annotations, a summary of the job, and no command in what others wrote."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from safelight.conformance.report.document import Document, headline
from safelight.conformance.report.exit_code import FAILED, PASSED, UNDECIDED
from safelight.conformance.verdicts import WORST_FIRST, Severity, Verdict

#: Bytes of a summary: GitHub shows none that is larger than 1 MiB.
MAX_SUMMARY_BYTES: Final = 1_000_000

#: The file that GitHub reads the summary of a job from, and how to know that GitHub reads the output.
_SUMMARY, _ACTIONS = "GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"

#: The first annotations are shown, no more than ten of a level: what fails the run comes first, and what costs money.
_CODES: Final = (FAILED, UNDECIDED, PASSED)
_SEVERITIES: Final = tuple(Severity)


def annotated(documents: Sequence[Document]) -> Iterator[str]:
    """A line for each case that did not pass: an error where it fails the run, else a warning."""
    cases = [(document, case) for document in documents for case in document["cases"] if _is_told(case)]
    for document, case in sorted(
        cases, key=lambda one: (_CODES.index(one[1]["exit_code"]), _SEVERITIES.index(one[1]["severity"]))
    ):
        level = "warning" if case["exit_code"] == PASSED else "error"
        title = _property(f"{document['name']}: {case['id']} {case['verdict']} ({case['severity']})")
        said = [f"{one['rule']}: {one['sentence']}" for one in case["findings"]]
        text = "\n".join([case["fact"], *dict.fromkeys(said), *_remarks(case), case["again"]])
        yield f"::{level} title={title}::{_data(text.rstrip())}"


def _is_told(case: Mapping[str, Any]) -> bool:
    return case["exit_code"] != PASSED or case["verdict"] in (Verdict.NON_STRICT, Verdict.FLAKY)


def _remarks(case: Mapping[str, Any]) -> list[str]:
    return [trial["remark"] for trial in case["trials"] if trial["remark"]]


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(documents: Sequence[Document]) -> str:
    """The runs in Markdown: what each came to, and what did not pass."""
    text = "\n".join(line for document in documents for line in _lines(document)) + "\n"
    if len(text) <= MAX_SUMMARY_BYTES:
        return text
    whole, _, _ = text[:MAX_SUMMARY_BYTES].rpartition("\n")
    return f"{whole}\n\nThere is more: this is as much as GitHub shows.\n"


def _lines(document: Document) -> Iterator[str]:
    counts = ", ".join(
        f"{document['counts'][verdict]} {verdict}" for verdict in WORST_FIRST if document["counts"][verdict]
    )
    mark = "✅" if document["exit_code"] == PASSED else "❌"
    yield f"## {mark} {_text(document['name'])}: {_text(headline(document))}"
    yield ""
    lost = f" **{document['lost']:g} credits lost.**" if document["lost"] else ""
    yield f"{_text(counts)} of {len(document['cases'])} in {document['seconds']:.1f} s.{lost}"
    yield ""
    yield from (f"- made: {_text(task)}" for task in document["tasks"])
    yield ""
    wrong = [case for case in document["cases"] if case["verdict"] not in (Verdict.PASS, Verdict.NOT_ASKED)]
    if wrong:
        yield from ("| case | verdict | severity | fact | seen |", "|---|---|---|---|---|")
    for case in wrong:
        seen = dict.fromkeys([*(f"{one['rule']}: {one['sentence']}" for one in case["findings"]), *_remarks(case)])
        waived = [f"waived: {case['waived']}"] if case["waived"] else []
        cells = (case["id"], case["verdict"], case["severity"], case["fact"])
        yield f"| {' | '.join(map(_text, cells))} | {'<br>'.join(map(_text, [*seen, *waived]))} |"
    yield ""


def _text(text: str) -> str:
    """A text that Markdown and HTML take for nothing else: each sign of theirs as a number."""
    return _SIGNS.sub(lambda found: f"&#{ord(found[0])};", text.replace("\n", " "))


_SIGNS: Final = re.compile(r"[^\w\s.,()-]|_", re.ASCII)


def write(documents: Sequence[Document]) -> None:
    """Print the annotations, and add to the summary of the job where GitHub wants one. Raises `OSError`."""
    for line in annotated(documents):
        print(line)  # noqa: T201 - GitHub reads standard output
    if path := os.environ.get(_SUMMARY):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(summary(documents))


@contextmanager
def without_commands() -> Iterator[None]:
    """In GitHub Actions, a line of somebody's output that reads `::error::` is no command within this block."""
    token = token_hex(16) if os.environ.get(_ACTIONS) == "true" else ""
    if token:
        print(f"::stop-commands::{token}", flush=True)  # noqa: T201
    yield
    if token:
        print(f"::{token}::", flush=True)  # noqa: T201
