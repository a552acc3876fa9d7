"""Documents run, and each kind of mistake in one is noticed."""

import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sybil import Document, Sybil
from sybil.example import SybilFailure

from documents.blocks import BadBlock
from documents.collection import ROOT, examples, folders
from documents.pages import close
from documents.shell import is_server

#: Stands in for the real command: answers on the port, tells when it is ready, ends on SIGTERM.
SERVER = """
<!-- file: bin/safelight -->
```python
#!/usr/bin/env python3
import http.server, pathlib, sys
settings = dict(zip(sys.argv[2::2], sys.argv[3::2]))
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(settings["--port"])), http.server.SimpleHTTPRequestHandler)
pathlib.Path(settings["--ready-file"]).write_text("{}")
print("listening on http://127.0.0.1:" + settings["--port"], flush=True)
server.serve_forever()
```

```bash
chmod +x bin/safelight
PATH=$PWD/bin:$PATH
```
"""

RIGHT = {
    "python blocks share their names": """
        ```python
        answer = 42
        ```
        ```python
        assert answer == 42
        ```
        """,
    "python prints what the page says": """
        ```python
        print({"port": 8123, "id": "x-17"})
        ```
        <!-- output -->
        ```text
        {'port': 8123, 'id': '...'}
        ```
        """,
    "shell variables and folders last": """
        ```bash
        mkdir -p "a b" && cd "a b"
        id='two words; $HOME'
        f() { echo "$id"; }
        ```
        ```bash
        echo "$id in ${PWD##*/}"
        ```
        <!-- output -->
        ```text
        two words; $HOME in a b
        ```
        """,
    "a status can be expected": """
        <!-- exit: 3 -->
        ```bash
        echo before; (exit 3)
        ```
        """,
    "a server may be said not to start": """
        ```bash
        mkdir bin; ln -s /bin/false bin/safelight; PATH=$PWD/bin:$PATH
        ```
        <!-- exit: 1 -->
        ```bash
        safelight serve --port 8123
        ```
        """,
    "output is compared as JSON": """
        ```bash
        echo '{"b": 2, "id": "task-7", "list": [1, {"c": null}]}'
        ```
        <!-- output -->
        ```json
        {"id": "task-...", "list": "...", "b": 2}
        ```
        """,
    "a file is there for later commands": """
        <!-- file: conf/safelight.toml -->
        ```toml
        port = 8123
        ```
        ```bash
        grep -c "port = [0-9]" conf/safelight.toml
        ```
        <!-- output -->
        ```text
        1
        ```
        """,
    "a block in a list is a block": """
        - First:

          ```python
          assert True
          ```
        """,
    "what is for others is left alone": """
        <!-- not run: needs a card to pay with -->
        ```bash
        exit 1
        ```
        <!-- command: tests -->
        ```bash
        exit 1
        ```
        ```text
        >>> 1 / 0
        ```
        <!-- not run: another language -->
        ```yaml
        a: b
        ```
        """,
}

WRONG = {
    "a python block that fails": ("```python\nassert 1 == 2\n```", "AssertionError"),
    "a doctest": ("```python\n>>> 1 + 1\n2\n```", "SyntaxError"),
    "a command that fails": ("```bash\necho said; false\necho on\n```", "ended with 1, not 0; printed was:\nsaid$"),
    "a command that fails in a pipe": ("```bash\nfalse | cat\n```", "ended with 1, not 0"),
    "a status other than expected": ("<!-- exit: 2 -->\n```bash\nexit 1\n```", "ended with 1, not 2"),
    "a command unknown to the machine": ("```bash\nno-such-command\n```", "ended with 127"),
    "an output that differs": (
        "```bash\necho left\n```\n<!-- output -->\n```text\nright\n```",
        "the document says:\n    right\nprinted was:\n    left",
    ),
    "an output that goes on": ("```bash\necho a; echo b\n```\n<!-- output -->\n```text\na\n```", "printed was"),
    "an output that is silent": ("```bash\ntrue\n```\n<!-- output -->\n```text\na\n```", r"\(nothing\)"),
    "a JSON output of another type": (
        "```bash\necho '[true]'\n```\n<!-- output -->\n```json\n[1]\n```",
        "printed was",
    ),
    "a python output that differs": (
        "```python\nprint(1)\n```\n<!-- output -->\n```text\n2\n```",
        "the document says",
    ),
    "broken JSON": ('```json\n{"a": }\n```', "Expecting value"),
    "broken TOML": ("```toml\na = \n```", "Invalid value"),
    "a broken file": ("<!-- file: a.json -->\n```json\n{\n```", "Expecting property name"),
    "a process left behind": ("```bash\ntail -f /dev/null &\n```", "left a process behind"),
    "a server that does not start": (
        "```bash\nmkdir bin; ln -s /bin/false bin/safelight; PATH=$PWD/bin:$PATH\n```\n```bash\nsafelight serve\n```",
        "the server ended with 1 before it was ready",
    ),
}

REFUSED = {
    "a language that is not run": ("```yaml\na: b\n```", "'yaml' block is neither run nor parsed"),
    "a console block": ("```console\n$ true\n```", "'console' block is neither run nor parsed"),
    "a doctest outside of blocks": ("It says:\n\n>>> 1 + 1\n3\n", "line 3, column 1: write >>> as a python block"),
    "a block without a language": ("```\nsafelight\n```", "'' block is neither run nor parsed"),
    "a misspelt marker": ("<!-- ouptut -->\n```text\na\n```", "<!-- ouptut --> is not a marker"),
    "a block left alone without a reason": ("<!-- not run -->\n```bash\na\n```", "needs a word after the colon"),
    "an output of nothing": ("<!-- output -->\n```text\na\n```", "belongs below"),
    "an output of what is left alone": (
        "<!-- not run: x -->\n```bash\na\n```\n<!-- output -->\n```text\na\n```",
        "belongs below",
    ),
}


@pytest.fixture
def document(tmp_path: Path) -> Iterator[Callable[[str], Document]]:
    """Parse a text as a page; what it starts ends with the test."""
    parsed: list[Document] = []

    def parse(text: str) -> Document:
        path = tmp_path / "page.md"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        parsed.append(Sybil([examples]).parse(path))
        return parsed[-1]

    yield parse
    for page in parsed:
        close(page.namespace)


def read(document: Document) -> int:
    """Evaluate a document from top to bottom; the number of its examples."""
    found = list(document.examples())
    for example in found:
        example.evaluate()
    return len(found)


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT.keys())
def test_a_right_document_passes(text: str, document: Callable[[str], Document]) -> None:
    read(document(text))


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_document_fails(text: str, message: str, document: Callable[[str], Document]) -> None:
    with pytest.raises((SybilFailure, AssertionError, ValueError, SyntaxError)) as caught:
        read(document(text))
    assert re.search(message, f"{caught.type.__name__} {caught.value}".strip())


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_document_nobody_can_judge_is_refused(text: str, message: str, document: Callable[[str], Document]) -> None:
    with pytest.raises(BadBlock, match=message):
        document(text)


def test_what_is_left_alone_is_no_example(document: Callable[[str], Document]) -> None:
    assert read(document(RIGHT["what is for others is left alone"])) == 0


def test_an_output_that_is_read_alone_has_its_block_run_first(document: Callable[[str], Document]) -> None:
    *_, last = document(RIGHT["python prints what the page says"]).examples()
    last.evaluate()


def test_an_output_needs_the_tools_of_its_block(document: Callable[[str], Document]) -> None:
    page = document("```bash\ncurl x | jq .; ./node; a-node\n```\n<!-- output -->\n```json\n{}\n```\n")
    assert [example.parsed.needs for example in page.examples()] == [["curl", "jq"]] * 2


def test_a_block_read_alone_has_those_before_it_read_first(document: Callable[[str], Document]) -> None:
    *_, last = document(RIGHT["python blocks share their names"]).examples()
    last.evaluate()


def test_an_error_names_the_line_of_the_document(document: Callable[[str], Document]) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        read(document("# Page\n\n```python\n\n1 / 0\n```\n"))
    assert caught.traceback[-1].lineno + 1 == 5


@pytest.mark.needs("curl")
def test_a_server_answers_until_its_document_ends(document: Callable[[str], Document]) -> None:
    page = document(
        SERVER
        + """
```bash
safelight serve --port 8123
```
<!-- output -->
```text
listening on http://127.0.0.1:8123
```
```bash
curl http://127.0.0.1:8123/bin/ | grep -o 'safelight</a>'
```
<!-- output -->
```text
safelight</a>
```
"""
    )
    read(page)
    server = page.namespace["__page__"].shell.server.process
    assert server.poll() is None
    close(page.namespace)
    assert server.returncode is not None


def test_a_new_server_ends_the_one_before(document: Callable[[str], Document]) -> None:
    serve = "\n```bash\n# in the foreground\nsafelight serve  # all defaults\n```\n"
    page = document(SERVER + serve + serve)
    *before, last = page.examples()
    for example in before:
        example.evaluate()
    first = page.namespace["__page__"].shell.server.process
    last.evaluate()
    assert first.returncode is not None
    assert page.namespace["__page__"].shell.server.process.poll() is None


@pytest.mark.parametrize(
    ("source", "truth"),
    [
        ("safelight serve", True),
        ("# a remark\ncd here\nSEED=1 safelight serve \\\n  --port 8123 \\\n  --seed 1  # a & b\n", True),
        ("safelight serve --help", False),
        ("safelight serve &\ncurl http://127.0.0.1:8123", False),
        ("safelight serve\ncurl http://127.0.0.1:8123", False),
        ("safelight server-list", False),
        ("echo safelight serve", False),
    ],
)
def test_a_server_is_the_last_command_and_in_the_foreground(source: str, truth: bool) -> None:  # noqa: FBT001 - a column
    assert is_server(source) is truth


def test_two_documents_have_two_ports(document: Callable[[str], Document]) -> None:
    one, two = document("```python\nport = 8123\n```"), document("```python\nport = 8123\n```")
    read(one)
    read(two)
    assert len({one.namespace["port"], two.namespace["port"], 8123}) == 3


def test_a_digit_more_is_another_number(document: Callable[[str], Document]) -> None:
    page = document("```python\nnumbers = 18123, 81230\n```")
    read(page)
    assert page.namespace["numbers"] == (18123, 81230)


def test_nothing_of_a_document_is_left(document: Callable[[str], Document]) -> None:
    page = document("```python\nimport os\nhere = os.getcwd()\nopen('left.txt', 'w').close()\n```")
    read(page)
    close(page.namespace)
    assert not Path(page.namespace["here"]).exists()
    assert Path.cwd() != page.namespace["here"]


def test_every_folder_of_the_package_is_read_for_docstrings(pytestconfig: pytest.Config) -> None:
    assert {folder.name for folder in folders()} < set(pytestconfig.getini("testpaths"))


def test_a_link_points_to_the_folder_of_its_name() -> None:
    assert {str((ROOT / "src" / "safelight" / folder.name).readlink()) for folder in folders()} == {
        f"../../{folder.name}" for folder in folders()
    }
