"""Read a document as a reader would: from the top, in one folder, in one terminal."""

import contextlib
import io
import json
import re
import shutil
import socket
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from doctest import ELLIPSIS
from pathlib import Path
from typing import Any, Final

from sybil import Example
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.typing import Evaluator

from documents.blocks import Block, Expected
from documents.outputs import difference, matches
from documents.shell import Shell, Unexpected, is_server

#: The port that documents write.
WRITTEN_PORT: Final = 8123

#: The tools that tests need and a machine may lack: one Debian package a line, named as its command or followed by it.
TOOLS: Final = tuple(
    line.split()[-1]
    for line in (Path(__file__).parents[2] / ".ci" / "debian-packages.txt").read_text().splitlines()
    if line and not line.startswith("#")
)

#: Under this name a document's namespace keeps its page until it is closed.
_PAGE: Final = "__page__"

_doctest: Final = DocTestEvaluator(ELLIPSIS)


class Page:
    """A document while it is read."""

    def __init__(self) -> None:
        self.read: set[int] = set()
        self.port = _free_port()
        self._closing = contextlib.ExitStack()
        self.folder = self._new_folder("document-")
        self.shell = Shell(self.folder, self._new_folder("backstage-"), self.port)
        self._closing.callback(self.shell.close)

    def close(self) -> None:
        """End what the document started and remove its folder."""
        self._closing.close()

    def as_run(self, text: str) -> str:
        """A text of the document with the port of this run."""
        return re.sub(rf"(?<!\d){WRITTEN_PORT}(?!\d)", str(self.port), text)

    def as_written(self, printed: str) -> str:
        """An output of this run with the port of the document."""
        return re.sub(rf"(?<!\d){self.port}(?!\d)", str(WRITTEN_PORT), printed)

    def _new_folder(self, prefix: str) -> Path:
        return Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))


def in_order(judge: Callable[[Page, Example], str]) -> Evaluator:
    """Judge an example after those above it: they are read first, unless they have been."""

    def evaluate(example: Example) -> str:
        page: Page = example.namespace.get(_PAGE) or Page()
        example.namespace[_PAGE] = page
        for earlier in example.document.examples():
            if earlier.start < example.start and earlier.start not in page.read and not missing(earlier):
                earlier.evaluate()
        page.read.add(example.start)
        with contextlib.chdir(page.folder):
            return judge(page, example)

    return evaluate


def close(namespace: dict[str, Any]) -> None:
    """Close the document that has this namespace."""
    page: Page | None = namespace.pop(_PAGE, None)
    if page:
        page.close()


def needed(example: Example) -> list[str]:
    """The tools of `.ci/debian-packages.txt` that an example calls."""
    return [tool for tool in TOOLS if isinstance(example.parsed, Block) and example.parsed.needs(tool)]


def missing(example: Example) -> list[str]:
    """Those of them that this machine does not have."""
    return [tool for tool in needed(example) if shutil.which(tool) is None]


def judge_doctest(page: Page, example: Example) -> str:
    """Run one `>>>` and compare what it says."""
    example.parsed.source = page.as_run(example.parsed.source)
    example.parsed.want = page.as_run(example.parsed.want)
    return _doctest(example)


def judge_block(page: Page, example: Example) -> str:
    """Write, parse or run a block; what is wrong with it, or nothing."""
    block: Block = example.parsed
    source = page.as_run(block.source)
    try:
        if block.file:
            return _write(page.folder / block.file, source)
        match block.language:
            case "json":
                json.loads(source)
            case "toml":
                tomllib.loads(source)
            case "console":
                return "".join(_console(page, source, block.status))
            case "bash" if block.status == 0 and is_server(source):
                return _serve(page, source, block.expected)
            case "bash":
                return _compared(page, page.shell.run(source, block.status), block.expected)
            case "python":
                return _compared(page, _run_python(example, source), block.expected)
    except (Unexpected, ValueError) as problem:
        return str(problem)
    return ""


def _compared(page: Page, printed: str, expected: Expected | None) -> str:
    return difference(expected, page.as_written(printed)) if expected else ""


def _write(path: Path, source: str) -> str:
    """Write a file that later commands of the document use; JSON and TOML have to be some."""
    match path.suffix:
        case ".json":
            json.loads(source)
        case ".toml":
            tomllib.loads(source)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return ""


def _run_python(example: Example, source: str) -> str:
    """Execute a block in the namespace of its document, with line numbers as in the document."""
    code = compile("\n" * example.line + source, example.path, "exec", dont_inherit=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, example.namespace)
    return printed.getvalue()


def _serve(page: Page, source: str, expected: Expected | None) -> str:
    """Start a server; its first words may come a moment after it is ready."""
    server = page.shell.serve(source)
    if expected:
        server.wait_until(
            lambda: matches(expected, page.as_written(server.printed)),
            f"saying what the document says:\n{expected.text}",
        )
    return ""


def _console(page: Page, source: str, status: int) -> Iterator[str]:
    """Type the commands of a console block one after the other."""
    commands = list(_commands(source))
    for number, command in enumerate(commands, start=1):
        printed = page.shell.run(command.typed, status if number == len(commands) else 0)
        if command.answer.strip():
            yield _compared(page, printed, Expected(command.answer))


@dataclass(slots=True)
class _Command:
    typed: str
    answer: str = ""


def _commands(source: str) -> Iterator[_Command]:
    """The commands of a console block with what stands below each."""
    command: _Command | None = None
    for line in source.splitlines(keepends=True):
        if line.startswith("$ "):
            if command:
                yield command
            command = _Command(line[2:])
        elif command is None:
            raise ValueError("a console block starts with a command: $ ...")
        elif line.startswith("> ") and not command.answer:
            command.typed += line[2:]
        else:
            command.answer += line
    if command:
        yield command


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
