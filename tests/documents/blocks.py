"""What stands in a document: fenced blocks and the markers above them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from sybil import Document, Region
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

#: Languages under another name.
ALIASES: Final = {"sh": "bash", "shell": "bash", "py": "python"}

#: Languages that are run or parsed.
JUDGED: Final = frozenset({"python", "bash", "console", "json", "toml"})

#: Languages that are there for the reader.
SHOWN: Final = frozenset({"text", "mermaid"})

#: Each marker, and whether it says something after a colon.
MARKERS: Final = {"output": False, "exit": True, "file": True, "command": True, "not run": True}

#: Markers of blocks that are somebody else's to run, or nobody's.
LEFT_ALONE: Final = frozenset({"command", "not run"})

#: Finds every fenced block, whatever its language.
FENCES: Final = RawFencedCodeBlockLexer(re.compile(r"[ \t]*(?P<language>[^\s{]*)[^\n]*\n"))
_COMMENTS_ABOVE: Final = re.compile(r"(?:^[ \t]*<!--[^\n]*-->[ \t]*\n(?:[ \t]*\n)*)+[ \t]*\Z", re.MULTILINE)
_COMMENT: Final = re.compile(r"<!--\s*(?P<name>[^:]*?)\s*(?::\s*(?P<value>.*?)\s*)?-->")


@dataclass(eq=False)
class BadBlock(Exception):
    """A block in a document that cannot be judged as it stands."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a block is said to print, in the words of the document."""

    text: str
    is_json: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """One thing to run, to parse or to write, with all that its markers say."""

    language: str
    source: str
    file: str | None = None
    status: int = 0
    expected: Expected | None = None

    @property
    def is_doctest(self) -> bool:
        """Whether this is an interactive session that brings its own expectations."""
        return self.language == "python" and not self.file and self.source.lstrip().startswith(">>>")

    def needs(self, tool: str) -> bool:
        """Whether a shell block calls this command."""
        called = rf"(?<![\w./-]){re.escape(tool)}(?![\w./-])"
        return self.language in {"bash", "console"} and not self.file and bool(re.search(called, self.source))


def blocks(document: Document) -> Iterator[Region]:
    """The blocks of a document as Sybil's regions, an output being part of the block it belongs to."""
    last: Region | None = None
    for fence in FENCES(document):
        where = f"{document.path}, {document.line_column(fence.start)}"
        markers = dict(_markers_above(document.text[: fence.start], where))
        word, source = fence.lexemes["language"] or "", fence.lexemes["source"] or ""
        language = ALIASES.get(word, word)
        if "output" in markers:
            _attach(last, Expected(source, is_json=language == "json"), where)
            continue
        if last:
            yield last
        block = _block(language, source, markers, where)
        last = Region(fence.start, fence.end, parsed=block) if block else None
    if last:
        yield last


def _block(language: str, source: str, markers: dict[str, str], where: str) -> Block | None:
    """The block to judge, or nothing when it is there for the reader or for somebody else to run."""
    if LEFT_ALONE & markers.keys():
        return None
    if "file" not in markers and language not in JUDGED:
        if language in SHOWN:
            return None
        problem = f"a {language!r} block is neither run nor parsed: mark it <!-- not run: reason --> or call it text"
        raise BadBlock(where, problem)
    return Block(language, source, file=markers.get("file"), status=int(markers.get("exit", "0")))


def _markers_above(text: str, where: str) -> Iterator[tuple[str, str]]:
    """The comments directly above a fence, each a known marker."""
    above = _COMMENTS_ABOVE.search(text)
    for comment in _COMMENT.finditer(above.group() if above else ""):
        name, value = comment["name"], comment["value"] or ""
        if name not in MARKERS:
            raise BadBlock(where, f"{comment.group()} is not a marker: there are {', '.join(MARKERS)}")
        if MARKERS[name] != bool(value):
            raise BadBlock(
                where, f"{comment.group()} {'needs a word after the colon' if MARKERS[name] else 'takes no word'}"
            )
        yield name, value


def _attach(owner: Region | None, expected: Expected, where: str) -> None:
    prints = owner is not None and owner.parsed.language in {"bash", "python"} and not owner.parsed.file
    if owner is None or not prints or owner.parsed.expected:
        raise BadBlock(where, "an output belongs below the bash or python block that prints it")
    owner.parsed = replace(owner.parsed, expected=expected)
