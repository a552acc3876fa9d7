"""Read a document as a reader would: from the top, in one folder, in one terminal."""

import contextlib
import io
import json
import re
import socket
import tempfile
import textwrap
import tomllib
from copy import copy
from doctest import ELLIPSIS
from pathlib import Path
from typing import Any, Final

from sybil import Example
from sybil.evaluators.doctest import OutputChecker
from sybil.evaluators.python import PythonEvaluator
from sybil.region import Lexeme

from documents.blocks import Block
from documents.shell import Server, Shell, Unexpected, is_server

#: The port that documents write.
WRITTEN_PORT: Final = 8123

#: Under this name a document's namespace keeps its page until it is closed.
_PAGE: Final = "__page__"

_run_python: Final = PythonEvaluator()


class Page:
    """A document while it is read."""

    def __init__(self) -> None:
        self.read: set[int] = set()
        self.port = _free_port()
        self.printed: str | Server = ""
        self._closing = contextlib.ExitStack()
        self.folder = self._new_folder("document-")
        self.shell = Shell(self.folder, self._new_folder("state-"), self.port)
        self._closing.callback(self.shell.close)

    def close(self) -> None:
        """End what the document started and remove its folder."""
        self._closing.close()

    def as_run(self, text: Lexeme) -> Lexeme:
        """A text of the document with the port of this run."""
        changed = re.sub(rf"(?<!\d){WRITTEN_PORT}(?!\d)", str(self.port), text)
        return Lexeme(changed, text.offset, text.line_offset)

    def as_written(self, printed: str) -> str:
        """An output of this run with the port of the document."""
        return re.sub(rf"(?<!\d){self.port}(?!\d)", str(WRITTEN_PORT), printed)

    def _new_folder(self, prefix: str) -> Path:
        return Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))


def judge_in_order(example: Example) -> str:
    """Judge an example after those above it, which are read first, unless they have been: what is wrong, or nothing."""
    page: Page = example.namespace.get(_PAGE) or Page()
    example.namespace[_PAGE] = page
    for earlier in example.document.examples():
        if earlier.start < example.start and earlier.start not in page.read and earlier.parsed.can_run:
            earlier.evaluate()
    page.read.add(example.start)
    try:
        with contextlib.chdir(page.folder):
            return _judge(page, example)
    except Unexpected as problem:
        return str(problem)


def close(namespace: dict[str, Any]) -> None:
    """Close the document that has this namespace."""
    page: Page | None = namespace.pop(_PAGE, None)
    if page:
        page.close()


def _judge(page: Page, example: Example) -> str:
    """Write, parse, run or compare a block; what is wrong with it, or nothing."""
    block: Block = example.parsed
    if block.output_of:
        return _compared(page, block)
    source = page.as_run(block.source)
    match Path(block.file).suffix if block.file else f".{block.language}":
        case ".json":
            json.loads(source)
        case ".toml":
            tomllib.loads(source)
    if block.file:
        file = page.folder / block.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
    elif block.prints:
        page.printed = ""
        page.printed = _run(page, example, source)
    return ""


def _run(page: Page, example: Example, source: Lexeme) -> str | Server:
    """What a block prints, or the server that it starts."""
    block: Block = example.parsed
    if block.language == "bash":
        serves = block.status == 0 and is_server(source)
        return page.shell.serve(source) if serves else page.shell.run(source, block.status)
    example = copy(example)
    example.parsed = source
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        _run_python(example)
    return printed.getvalue()


def _compared(page: Page, block: Block) -> str:
    """Where an output differs from what the block above printed; a server may print a moment after it is ready."""
    if isinstance(page.printed, Server):
        server = page.printed
        as_said = f"saying what the document says:\n{block.source}"
        server.wait_until(lambda: _matches(block, page.as_written(server.printed)), as_said)
        return ""
    printed = page.as_written(page.printed)
    if _matches(block, printed):
        return ""
    return f"the document says:\n{_quoted(block.source)}\nprinted was:\n{_quoted(printed)}"


def _matches(block: Block, printed: str) -> bool:
    if block.language == "json":
        with contextlib.suppress(ValueError):
            wanted = json.loads(block.source)
            with contextlib.suppress(ValueError):
                return _same_json(wanted, json.loads(printed))
            return False
    return _same_text(block.source.strip("\n"), printed.strip("\n"))


def _same_json(wanted: Any, seen: Any) -> bool:
    """Equal as JSON; the string "..." stands for any value, and within a string for any text."""
    match wanted, seen:
        case "...", _:
            return True
        case str(), str():
            return _same_text(wanted, seen)
        case dict(), dict():
            return wanted.keys() == seen.keys() and all(_same_json(wanted[key], seen[key]) for key in wanted)
        case list(), list():
            return len(wanted) == len(seen) and all(map(_same_json, wanted, seen))
    return type(wanted) is type(seen) and bool(wanted == seen)


def _same_text(wanted: str, seen: str) -> bool:
    return OutputChecker().check_output(wanted, seen, ELLIPSIS)


def _quoted(text: str) -> str:
    return textwrap.indent(text.strip("\n"), "    ") or "    (nothing)"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
