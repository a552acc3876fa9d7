"""The exported files mean the same in other languages: each pattern to their engines, each schema to their validators.

Python's own `$` also stands before a last line break: there Python's `jsonschema` allows more, as `validate.md` says.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Final, Self

import jsonschema_rs
import pytest
import re2  # type: ignore[import-untyped]
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from left_out import NPM
from parts import DOCS
from safelight.cli.main import main
from safelight.contracts import Example, examples, rule
from safelight.contracts.schemas import texts
from safelight.mockserver.control.bodies import schemas as control_schemas
from safelight.mockserver.sessions.schemas import config_schema

#: Characters of a text that a search which goes back for each of them would not come to the end of.
SOME: Final = 100_000

#: Characters at which V8 has no room left for a search that remembers each of them.
MANY: Final = 8_000_000

#: Characters of the largest pictures that clients send.
PICTURE: Final = 30_000_000

#: A text as parts, each some characters and how often they come.
Parts = Sequence[tuple[str, int]]

#: What texts begin with where a pattern reads on, and what may come many times.
BEGINNINGS: Final = [
    *("", "http://", "https://h/", "grok_", "?endpoint=task_status&task_id=", "sk-", "~", "1.", "1..1."),
    *("data:image/", "data:image/png;", "data:image/png;base64,", "data:image/png;base64," + "A" * 32, "A" * 32),
]
UNITS: Final = ["A", "1", "0a", "/", ";", "=", "\r\n", " ", "%41", "é", "\U0001f4a1"]


def stated(node: Any) -> Iterator[str]:
    """The patterns in a schema, those of members' names among them."""
    for keyword, value in node.items() if isinstance(node, dict) else ():
        if keyword == "pattern" and isinstance(value, str):
            yield value
        if keyword == "patternProperties":
            yield from value
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from stated(child)


#: Each pattern of each schema that is exported, served or printed, but for `^name$`.
PATTERNS: Final = sorted(
    {
        pattern
        for schema in [*map(json.loads, texts().values()), config_schema(), *control_schemas().values()]
        for pattern in stated(schema)
        if not re.fullmatch(r"\^\w+\$", pattern)
    }
)

#: What is put into a text: nothing, and what one engine may take for a space, a digit, a letter or an end, another not.
PUT: Final = [*UNITS, "", "\n", "\x00", "\x85", "\u2028", "\ufeff", "\u0663", "\u017f", "\u212a"]

#: The documents for which JSON Schema alone decides.
DOCUMENTS: Final = [
    one for one in examples() if one.schema != "json" and not (one.rule and rule(one.rule).keyword == "x-constraints")
]


class Lines:
    """A program of `tests/tools` that answers each line of JSON with one."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            ["node", *command], cwd=NPM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, question: Any) -> Any:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return self.next()

    def next(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()


@pytest.fixture(scope="module")
def javascript() -> Iterator[Lines]:
    with Lines("patterns.mjs") as lines:
        yield lines


@cache
def engines(pattern: str) -> Mapping[str, Callable[[str], bool]]:
    """What each engine but V8 makes of a pattern: a search. `$` is the end, as JSON Schema has it."""
    python = re.compile(re.sub(r"\$$", r"\\Z", pattern)).search
    rust = jsonschema_rs.validator_for(
        {"type": "string", "pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions()
    )
    # Go's `regexp` has the syntax of RE2, and the same 1,000 as the most repetitions.
    re2_ = re2.compile(pattern).search
    return {
        "Python": lambda text: python(text) is not None,
        "RE2": lambda text: re2_(text) is not None,
        "Rust": rust.is_valid,
    }


def answers(javascript: Lines, pattern: str, parts: Parts) -> dict[str, Any]:
    """Engine -> does the text fit?"""
    text = "".join(unit * times for unit, times in parts)
    without, unicode = javascript.ask([pattern, parts])
    return {"V8": without, "V8 with u": unicode, **{name: fits(text) for name, fits in engines(pattern).items()}}


def test_there_are_patterns_of_the_contract_and_of_the_config_file() -> None:
    assert len(PATTERNS) >= 10


@pytest.mark.needs("node")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_engine_says_the_same_of_a_text(pattern: str, javascript: Lines) -> None:
    near = st.from_regex(pattern, fullmatch=True) | st.sampled_from(BEGINNINGS)

    @given(near, st.integers(0), st.sampled_from(PUT))
    def says_the_same(text: str, at: int, put: str) -> None:
        place = at % (len(text) + 1)
        for each in (text, text[:place] + put + text[place + 1 :], text[:place] + put + text[place:]):
            said = answers(javascript, pattern, [(each, 1)])
            assert len(set(said.values())) == 1, said

    says_the_same()


@pytest.mark.needs("node")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_engine_stops_at_a_long_text(pattern: str, javascript: Lines) -> None:
    """A search that goes back for each character takes so long that the run is ended."""
    for beginning, unit, end in product(BEGINNINGS, UNITS, ("", "!")):
        said = answers(javascript, pattern, [(beginning, 1), (unit, SOME // len(unit)), (end, 1)])
        assert len(set(said.values())) == 1, said


#: Asks whether a document keeps a schema.
Asks = Callable[[str, Any], bool]


def rust(options: Any) -> Asks:
    """The validator of Rust, over one of its two engines."""
    files = {f"{name}.json": json.loads(text) for name, text in texts().items()}
    registry = jsonschema_rs.Registry(list(files.items()))

    @cache
    def validator(name: str) -> jsonschema_rs.Validator:
        return jsonschema_rs.validator_for(files[f"{name}.json"], registry=registry, pattern_options=options)

    return lambda name, document: validator(name).is_valid(document)


def python() -> Asks:
    """The validator of Python."""
    files = {f"{name}.json": json.loads(text) for name, text in texts().items()}
    registry = Registry[Any]().with_contents(files.items(), default_specification=DRAFT202012)
    return lambda name, document: Draft202012Validator({"$ref": f"{name}.json"}, registry=registry).is_valid(document)


VALIDATORS: Final[Mapping[str, Callable[[], Asks]]] = {
    "jsonschema-rs": lambda: rust(jsonschema_rs.RegexOptions()),
    "jsonschema-rs, with going back": lambda: rust(jsonschema_rs.FancyRegexOptions()),
    "jsonschema": python,
}


def is_kept(example: Example) -> bool:
    return example.rule is None


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas")
    CliRunner().invoke(main, ["schema", "export", str(folder)], catch_exceptions=False)
    return folder


@pytest.mark.parametrize("name", VALIDATORS)
def test_every_validator_says_the_same_of_the_golden_examples(name: str) -> None:
    is_valid = VALIDATORS[name]()
    assert [one for one in DOCUMENTS if is_valid(one.schema, one.document) != is_kept(one)] == []


@pytest.mark.needs("node", "tsc")
@pytest.mark.parametrize("unicode", ["true", "false"])
def test_ajv_says_the_same_of_the_golden_examples_and_nothing_else(unicode: str, exported: Path) -> None:
    with Lines("ajv.mjs", str(exported), unicode) as ajv:
        assert ajv.next() == [], "what it complains of"
        assert [one for one in DOCUMENTS if ajv.ask([one.schema, one.document]) != is_kept(one)] == []


@pytest.mark.needs("node", "tsc")
def test_the_program_of_the_page_prints_what_the_page_says(exported: Path, tmp_path: Path) -> None:
    page = (DOCS / "validate.md").read_text("utf-8")
    program, printed = re.findall(r"```js\n(.*?)```\n\n```text\n(.*?)```", page, re.DOTALL)[0]
    (tmp_path / "node_modules").symlink_to(NPM / "node_modules")
    (tmp_path / "schemas").symlink_to(exported)
    (tmp_path / "program.mjs").write_text(program, "utf-8")
    ended = subprocess.run(["node", "program.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == (printed, "")


@pytest.mark.needs("node")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_v8_has_room_for_a_search_through_many_characters(pattern: str, javascript: Lines) -> None:
    for beginning, end in product(BEGINNINGS, ("", "!")):
        without, unicode = javascript.ask([pattern, [(beginning, 1), ("1", MANY), (end, 1)]])
        assert without is unicode


@pytest.mark.needs("node")
def test_a_large_picture_is_judged_everywhere(javascript: Lines) -> None:
    """RE2 is left out, as it takes seconds: it goes back nowhere."""
    pattern = json.loads(texts()["image_editing.request"])["properties"]["image"]["pattern"]
    assert javascript.ask([pattern, [("A", PICTURE)]]) == [True, True]
    assert engines(pattern)["Python"]("A" * PICTURE)
    assert engines(pattern)["Rust"]("A" * PICTURE)
