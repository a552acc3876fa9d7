"""The pages are written in short sentences and in the project's words: those that architecture.md replaced are gone."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "examples" / "README.md"])

#: Words that a sentence has at most.
MAX_WORDS: Final = 40

#: A word that was replaced, and what it is called now.
REPLACED: Final = {
    r"lives of (a |the )?tasks?": "task profile",
    r"notices?": "advice",
    r"odds": "weights",
    r"patience": "virtual time",
    r"promises?": "rule, constraint",
    r"stee(r|rs|red|ring)": "control",
    r"stranger": "hints",
    r"verdict of an exchange": "outcome",
    r"wounds?": "mutation",
}

#: What is no prose: code, what is written from the code, comments, and what stands before a page.
_NO_PROSE: Final = re.compile(
    r"<!-- (?P<part>[^\n]*): written by .*?<!-- end of (?P=part) -->|^ *```.*?^ *```|<!--.*?-->|\A---.*?^---",
    re.DOTALL | re.MULTILINE,
)
_LINES_APART: Final = re.compile(r"\n\s*\n|\n(?= *(?:[-|>#<!]|\d+\.) ?)")
_ENDS: Final = re.compile(r"(?<=[.!?:;])\s+")


def sentences(text: str) -> Iterator[str]:
    """Each sentence of a page; what stands before a colon or a semicolon is a thought of its own."""
    for paragraph in _LINES_APART.split(_NO_PROSE.sub("\n\n", text)):
        if not paragraph.lstrip().startswith(("|", "#", "<", "!")):
            yield from _ENDS.split(" ".join(paragraph.split()))


def problems(text: str) -> Iterator[str]:
    """What is long, and what has another name."""
    for sentence in sentences(text):
        if (number := len(sentence.split())) > MAX_WORDS:
            yield f"a sentence of {number} words, where {MAX_WORDS} are the most: {sentence}"
        for word, now in REPLACED.items():
            if found := re.search(rf"\b{word}\b", sentence, re.IGNORECASE):
                yield f"{found.group()!r} is called {now} now: {sentence}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_written_plainly(page: Path) -> None:
    assert list(problems(page.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A short sentence.\n\n```text\n" + "word " * 50 + "\n```\n", None),
        ("| " + "word " * 50 + "|", None),
        ("<!-- a: written by tests/write.py -->\n" + "word " * 50 + "\n<!-- end of a -->", None),
        ("word " * 20 + "end. " + "Word " * 20 + "end.", None),
        ("- " + "word " * 41, "a sentence of 42 words"),
        ("You steer the\nfake.", "'steer' is called control now"),
    ],
)
def test_code_and_tables_are_no_prose(text: str, problem: str | None) -> None:
    found = list(problems(text))
    assert [one.partition(",")[0].partition(": ")[0] for one in found] == ([problem] if problem else [])
