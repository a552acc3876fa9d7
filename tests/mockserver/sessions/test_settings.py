"""The table of settings: each surface has its rows, each reader agrees with its schema, each mistake is a sentence.

`python tests/write.py` writes the sentences and the tables of the docs anew.
"""

import json
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from parts import Part, Whole, check_fresh, table
from safelight.cli._config import named
from safelight.contracts import Axis, Timeline
from safelight.mockserver.faults.rules import read_rule
from safelight.mockserver.model.delays import Fixed, Uniform
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task_profile import TaskProfile
from safelight.mockserver.sessions import keywords
from safelight.mockserver.sessions.opening import OF_TESTS, over, settings, settings_of, task_profile
from safelight.mockserver.sessions.schemas import config_schema, session_schema, written
from safelight.mockserver.sessions.setting import Setting, WrongSetting, read
from safelight.mockserver.sessions.table import CONFLICTS, CONTROL, EXEC, HEADINGS, MARKER, SERVE, SESSION

SURFACES: Final[Mapping[str, Mapping[str, Setting]]] = {
    "serve": SERVE,
    "exec": EXEC,
    "marker": MARKER,
    "Python": SESSION,
    "control": CONTROL,
}

#: Values of all kinds: what is wrong for a setting is among them.
VALUES: Final[tuple[Any, ...]] = (
    *(True, 0, -1, 2, 1.5, 10**400, "", "2", "soon", "3..1", "true"),
    *(
        [],
        [1],
        [1, -2],
        [0],
        ["rr4"],
        ["poll"],
        ["running", 5],
        [["asleep", 3], "done"],
        [["running", "never"], "done"],
        ["x"] * 1_001,
    ),
    *({}, {"rr3": 3}, {"r3": {}}, {"rr3": {"quued": 1}}, {"rr3": {"polls": [1, 1], "queued": 1}}),
    *({"image_editing": -1}, {"alice": {}}, {"sk-secretsecret": {"key": "k"}}, {"alice": {"key": "a b"}}),
    {"alice": {"key": "k"}, "bob": {"key": "k"}},
)

#: Settings that contradict each other.
CONTRADICTIONS: Final[tuple[Mapping[str, Any], ...]] = (
    {"queued": 1, "polls": [1, 1]},
    {"polls": [1, 1], "ticks": [1, 1]},
    {"timeline": ["done"], "running": 1},
    {"timeline": ["done"], "fail": "no ink"},
    {"slots": 1, "polls": [1, 1]},
    {"any_key": True, "users": {"alice": {"key": "k"}}},
    {"control": False, "control_port": 0},
)

SENTENCES: Final = Path(__file__).with_name("sentences.txt")


def refusal(given: Mapping[str, Any], rows: Mapping[str, Setting]) -> str:
    """The sentence with which these settings are refused, or nothing."""
    try:
        read(given, rows, CONFLICTS)
    except WrongSetting as wrong:
        return str(wrong)
    return ""


def sentences() -> str:
    """What is said of each wrong value of each setting."""
    everything, said = SERVE | MARKER | CONTROL, {"": ""}
    for given_ in (*({name: value} for name in everything for value in VALUES), *CONTRADICTIONS):
        sentence = refusal(given_, everything)
        reason = sentence.partition(" is no ")[2] or sentence  # once, whatever the value
        said.setdefault(f"{next(iter(given_))} {reason}" if reason else "", f"{_seen(given_)}\n    {sentence}\n")
    return "".join(said.values())


def _seen(given: Mapping[str, Any]) -> str:
    text = ", ".join(
        f"{name} = {json.dumps(value) if value != 10**400 else '10**400'}" for name, value in given.items()
    )
    return text if len(text) < 100 else f"{text[:100]} ..."


def test_the_sentences_are_those_that_were_read_by_people() -> None:
    check_fresh([Whole(SENTENCES, sentences)])


def test_every_setting_has_a_wrong_value_whose_sentence_is_kept() -> None:
    kept = SENTENCES.read_text("utf-8")
    free = {"host", "fail_reason", "ready_file"}  # any text will do
    assert [name for name in SERVE | MARKER | CONTROL if f"\n{name} = " not in f"\n{kept}" and name not in free] == []


def test_no_sentence_shows_a_key() -> None:
    secret = "sk-secret secret"
    for row in ("api_key", "control_token"):
        assert secret not in refusal({row: secret}, SERVE)
    wrong: list[Any] = [
        {"a": {"key": secret}},
        {"a": {"key": [secret]}},
        {"sk-secretsecret": {}},
        {"a": {"kee": secret}},
    ]
    for users in wrong:
        assert "secret" not in refusal({"users": users}, SERVE)


@pytest.mark.parametrize("surface", SURFACES)
def test_the_example_of_a_row_is_one(surface: str) -> None:
    rows = SURFACES[surface]
    assert [name for name, row in rows.items() if refusal({name: row.example}, rows)] == []
    defaults = {name: row.default for name, row in rows.items() if row.default is not None}
    assert refusal(defaults, rows) == ""


def test_a_setting_of_a_session_stands_on_every_surface() -> None:
    assert [name for name, rows in SURFACES.items() if not SESSION.keys() <= rows.keys()] == []
    assert list(SERVE) == [name for rows in HEADINGS.values() for name in rows], "each under one heading"


def test_editors_know_the_keywords() -> None:
    assert list(keywords.SessionKeywords.__annotations__) == list(SESSION)
    assert keywords.MarkerKeywords.__annotations__.keys() == MARKER.keys()


@cache
def validator() -> Any:
    return Draft202012Validator(config_schema())


#: Values in JSON, and those of rows with what is beside them. Delays, lives and fault rules have a grammar of their own
#: and credits three decimals: there the schema allows more, and texts are taken from `VALUES` alone.
_LEAVES: Final = (
    st.booleans()
    | st.integers(-3, 70_000)
    | st.integers(-(2**65), 2**65)
    | st.sampled_from([0.5, 1.0, -0.5, 12.125, 1e9])
    | st.sampled_from(["", "2", "soon", "plain", "json", "root", "rr3", "true", "a b", "k"])
)
_JSON: Final = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["rr3", "alice", "key", "queued", "image_editing", "fail-rate"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
_GRAMMAR: Final = {"timeline", "faults"}
_OWN: Final = {written(name): st.just(row.example) for name, row in SERVE.items()}
_ANY: Final = {name: own if name in _GRAMMAR else own | _JSON for name, own in _OWN.items()}
_NAMES: Final = st.lists(st.sampled_from(list(_ANY)), max_size=3, unique=True)
_FILES: Final = _NAMES.flatmap(lambda names: st.fixed_dictionaries({name: _ANY[name] for name in names}))


@given(_FILES)
@example({"any-key": True, "users": {"alice": {"key": "k"}}})
@example({"any-key": False, "users": {"alice": {"key": "k"}}})
@example({"workflows": {"rr3": {"fail-rate": 0.5, "fail-nth": [1.0]}}})
@example({"workflows": {"rr3": {"polls": [1, 2], "queued": 1}}})
@example({"prices": {"image_editing": "2"}})
@example({"port": "8123"})
@example({"faults": "poll#2: http 502"})
@example({"fauls": []})
@example({"users": {"alice": {}}})
@example({"queued": 10**15})
def test_the_published_schema_and_the_reader_agree(file: dict[str, Any]) -> None:
    said = refusal(named(file), SERVE)
    if "each user needs one" not in said:  # a key of its own, which no schema can say
        assert validator().is_valid(file) is (said == ""), said


def test_the_published_schema_takes_underscores_too() -> None:
    assert validator().is_valid({"any_key": True, "workflows": {"rr3": {"fail_rate": 1}}})
    assert not validator().is_valid({"any_key": 1})
    assert not validator().is_valid({"workflows": {"rr3": {"fail_rate": 2}}})


def test_the_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(config_schema())
    Draft202012Validator.check_schema(session_schema())
    assert list(config_schema()["properties"]) == [written(name) for name in SERVE], "as people write them"


def test_one_name_has_one_meaning_wherever_it_is_given() -> None:
    given_ = {"queued": "1..3", "fail": "no ink", "down": {"rr3"}, "faults": ["poll#2: http 502"], "balance": 12.5}
    profile = TaskProfile(Uniform(1, 3), Fixed(0), fail_rate=1, fail_reason="no ink")
    made = settings(given_)
    assert (made.profile, list(made.down), made.plan) == (profile, ["rr3"], ("poll#2: http 502",))
    assert str(made.balance) == "12.5"


def test_python_has_values_of_its_own() -> None:
    life, rule = Timeline.read([("running", 5), "done"]), read_rule("poll#2: http 502")
    made = settings(
        {"timeline": life, "faults": (rule,), "workflows": {"rr3": task_profile(polls=(1, 2))}, "slots": None}
    )
    assert (made.profile.timeline, made.plan, made.workflows["rr3"].axis) == (life, (str(rule),), Axis.POLLS)


def test_what_is_left_out_is_as_usual() -> None:
    usual = Settings(task_profile(queued=2, running=8, fail_rate=0.5), workflows={"rr3": task_profile()}, balance=7)
    assert settings_of({}, usual) == usual
    made = settings_of(read({"running": 9}, SESSION), usual)
    assert (made.profile, made.balance) == (TaskProfile(Fixed(2), Fixed(9), fail_rate=0.5), 7)
    assert made.workflows == {}, "a life is that of all tasks"
    assert settings_of(read({"running": 9}, SESSION), OF_TESTS).profile == TaskProfile(Fixed(0), Fixed(9))
    assert settings_of(read({"fail": False}, SESSION), usual).profile.fail_rate == 0


def test_the_nearer_wins_also_along_another_axis() -> None:
    farther = {"queued": 5, "running": 6, "seed": 1}
    assert over({"queued": 7}, farther) == {"queued": 7, "running": 6, "seed": 1}
    assert over({"polls": [1, 2]}, farther) == {"polls": [1, 2], "seed": 1}
    assert over({"queued": 7}, {"polls": [1, 2]}) == {"queued": 7}
    assert over({"polls": [1, 2], "queued": 7}, {}) == {"polls": [1, 2], "queued": 7}, "and is refused for it"


def parts() -> list[Part | Whole]:
    """The settings that each surface has, and then those that it alone has, in its form."""
    forms: dict[str, tuple[Mapping[str, Setting], Any]] = {
        "settings": (SESSION, lambda name, value: f"{name}={value!r}"),
        "settings of tests": (_more(MARKER), lambda name, value: f"{name}={value!r}"),
        "settings of control": (_more(CONTROL), lambda name, value: f'"{name}": {json.dumps(value)}'),
        "settings of serve": (_more(SERVE), lambda name, value: f"{written(name)} = {_toml(value)}"),
    }
    tables = [Part("settings.md", name, partial(_table, rows, form)) for name, (rows, form) in forms.items()]
    return [*tables, Whole(SENTENCES, sentences)]


def _more(rows: Mapping[str, Setting]) -> dict[str, Setting]:
    return {name: row for name, row in rows.items() if name not in SESSION}


def _table(rows: Mapping[str, Setting], form: Any) -> str:
    return table(("setting", "what it is"), [_line(row, form) for row in rows.values()])


def _line(row: Setting, form: Any) -> tuple[str, str]:
    usual = f"; otherwise {row.usual}" if row.usual else ""
    return f"`{form(row.name, row.example)}`", f"{row.summary}{usual}"


def _toml(value: Any) -> str:
    match value:
        case dict():
            return f"{{ {', '.join(f'{name} = {_toml(part)}' for name, part in value.items())} }}"
    return json.dumps(value)


def test_the_page_has_every_setting() -> None:
    check_fresh(parts())
