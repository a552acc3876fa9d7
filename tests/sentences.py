"""Sentences word for word: a test states the facts, and what was said to people is kept in a snapshot beside its file.

`pytest --write-sentences tests/cli/test_schema.py` writes `tests/cli/test_schema.sentences` anew: the diff shows which
sentences a change changed.
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from click.testing import Result

#: Says what was said in a test, to be as it is kept.
CheckSentence = Callable[[str], None]

SUFFIX: Final = ".sentences"

_COMMAND: Final = "--write-sentences"
_TEST: Final = "# "
_TESTS: Final = re.compile(f"^{_TEST}", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_COMMAND, action="store_true", help="keep the sentences of the tests as they are now")


@pytest.fixture
def check_sentence(request: pytest.FixtureRequest) -> Iterator[CheckSentence]:
    """Check that what is said is what is kept for this test, or keep it; the folder of the test is called FOLDER."""
    file, writes, said = request.path.with_suffix(SUFFIX), request.config.getoption(_COMMAND), list[str]()
    kept = read(file).get(request.node.name, [])
    folder = str(request.getfixturevalue("tmp_path")) if "tmp_path" in request.fixturenames else ""

    def check(sentence: str) -> None:
        said.append(sentence.replace(folder, "FOLDER").strip() if folder else sentence.strip())
        assert writes or said == kept[: len(said)], f"{said} is not what {file.name} keeps: {kept}; see {_COMMAND}"

    yield check
    if writes:
        write(file, read(file) | {request.node.name: said})


def read(file: Path) -> dict[str, list[str]]:
    """Sentences by the name of their test: a line each."""
    sections = _TESTS.split(file.read_text("utf-8"))[1:] if file.exists() else []
    names = (section.splitlines() for section in sections)
    return {name: [line.encode().decode("unicode_escape") for line in lines if line] for name, *lines in names}


def write(file: Path, sentences: dict[str, list[str]]) -> None:
    """Keep them, without those of tests that are no more."""
    sections = [
        "\n".join([f"{_TEST}{name}", *(line.encode("unicode_escape").decode() for line in lines)])
        for name, lines in sorted(sentences.items())
        if has_test(file, name)
    ]
    file.write_text("\n\n".join(sections) + "\n", "utf-8")


def has_test(file: Path, name: str) -> bool:
    """Whether the test file beside a snapshot has a test of this name."""
    return f"\ndef {name.partition('[')[0]}(" in file.with_suffix(".py").read_text("utf-8")


def refusal(done: subprocess.CompletedProcess[str] | Result, *, code: int = 2) -> str:
    """The one sentence in which a command refuses: nothing else is printed but how it is used, and no trace."""
    ended = done.returncode if isinstance(done, subprocess.CompletedProcess) else done.exit_code
    assert (ended, done.stdout) == (code, "")
    usage, error, sentence = done.stderr.rpartition("Error: ")
    assert error
    assert re.fullmatch(r"(Usage: .*\n(Try .*\n)?\n)?", usage), usage
    assert re.fullmatch(r"[^\n]+\n", sentence), sentence
    return sentence.removesuffix("\n")
