"""What stands in a document: fenced blocks, each judged by its language and by the markers above it.

| block | what happens |
|---|---|
| `python` | is executed; all blocks of a document share one namespace |
| `bash` | runs in the document's own folder; variables and `cd` last until the end of the document |
| `json`, `toml` | is parsed |
| `text` | is for the reader |
| any other | is refused, unless it carries a marker |

A bash block that ends in `safelight serve ...` is a server in the foreground: it is started, waited for until it
answers, and ended with the document or by the next server.

A marker is an HTML comment on its own line above the block:

| marker | meaning |
|---|---|
| `<!-- output -->` | this `text` or `json` block is what the block before printed; `...` stands for anything |
| `<!-- exit: 1 -->` | the command below ends with this status instead of 0 |
| `<!-- file: safelight.toml -->` | the block is a file of that name in the document's folder, and not run |
| `<!-- command: tests -->` | the command below is one that `.ci/run` runs as it stands |
| `<!-- not run: reason -->` | the block below is left alone, and the reason says why |

Port 8123 is a free port in a run, another one for each document. Blocks run in the order of the page: a block
that is run alone (`pytest README.md -k line:40`) has the blocks before it run first.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sybil import Document, Region
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer
from sybil.region import Lexeme

#: Languages that are run or parsed.
JUDGED: Final = frozenset({"python", "bash", "json", "toml"})

#: Each marker, and whether it says something after a colon.
MARKERS: Final = {"output": False, "exit": True, "file": True, "command": True, "not run": True}

#: The tools that tests need and a machine may lack: one Debian package a line, named as its command or followed by it.
TOOLS: Final = tuple(
    line.split()[-1]
    for line in (Path(__file__).parents[2] / ".ci" / "debian-packages.txt").read_text().splitlines()
    if line and not line.startswith("#")
)

#: Finds every fenced block, whatever its language.
_FENCES: Final = RawFencedCodeBlockLexer(re.compile(r"[ \t]*(?P<language>[^\s{]*)[^\n]*\n"))
_DOCTESTS: Final = DocTestStringParser()
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
class Block:
    """One thing to run, to parse, to write or to compare, with all that its markers say."""

    language: str
    source: Lexeme
    output_of: "Block | None" = None
    file: str | None = None
    status: int = 0

    @property
    def prints(self) -> bool:
        """Whether an output may stand below it."""
        return self.language in {"bash", "python"} and not self.file and not self.output_of

    @property
    def needs(self) -> list[str]:
        """The tools that a machine may lack and a shell block calls."""
        if self.output_of:
            return self.output_of.needs
        if self.language != "bash" or self.file:
            return []
        return [tool for tool in TOOLS if re.search(rf"(?<![\w./-]){re.escape(tool)}(?![\w./-])", self.source)]

    @property
    def can_run(self) -> bool:
        """Whether this machine has them."""
        return all(map(shutil.which, self.needs))


def blocks(document: Document) -> Iterator[Region]:
    """The blocks of a document that are judged, as Sybil's regions."""
    above: Block | None = None
    fences = list(_FENCES(document))
    for fence in fences:
        where = f"{document.path}, {document.line_column(fence.start)}"
        markers = dict(_markers_above(document.text[: fence.start], where))
        above = _block(fence.lexemes["language"], fence.lexemes["source"], markers, above, where)
        if above:
            yield Region(fence.start, fence.end, parsed=above)
    for doctest in _DOCTESTS(document.text, document.path):
        if not any(fence.start <= doctest.start < fence.end for fence in fences):
            raise BadBlock(f"{document.path}, {document.line_column(doctest.start)}", "write >>> as a python block")


def _block(language: str, source: Lexeme, markers: dict[str, str], above: Block | None, where: str) -> Block | None:
    """The block to judge, or nothing when it is there for the reader or for somebody else to run."""
    if "output" in markers:
        if above is None or not above.prints:
            raise BadBlock(where, "an output belongs below the bash or python block that prints it")
        return Block(language, source, output_of=above)
    if markers.keys() & {"command", "not run"} or (language == "text" and "file" not in markers):
        return None
    if "file" not in markers and language not in JUDGED:
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
            wrong = "needs a word after the colon" if MARKERS[name] else "takes no word"
            raise BadBlock(where, f"{comment.group()} {wrong}")
        yield name, value
