"""The dialects: what is said in each, and the examples of examples/dialects, a request and its answer in each.

`python tests/write.py` writes the examples.
"""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from fake import SUBMIT, Fake, status_of
from parts import DOCS, Whole, check_fresh
from safelight.cli.exec import command as exec_command
from safelight.cli.serve import command as serve_command
from safelight.contracts import Dialect, dialects, names, problems
from safelight.contracts.dialects import ERRORS, PATHS
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.sessions.opening import task_profile
from safelight.testing.safelight import Safelight

FOLDER: Final = Path(__file__).parents[3] / "examples" / "dialects"

ALL: Final = [dialect for known in dialects().values() for dialect in known.values()]

TOO_WIDE: Final = {"prompt": "a lighthouse", "width": 4096}

#: Dialect of requests -> what shows it.
REQUESTED: Final[Mapping[str, Mapping[str, Any]]] = {
    "published": {"prompt": "a lighthouse", "workflow": "flux"},
    "lenient": {"prompt": "a lighthouse", "workflow": "flux"},
    "linux-do": {"prompt": {"prompt": "a lighthouse"}, "settings": {"workflow": "flux", "width": 1024}},
}


def label(dialect: Dialect) -> str:
    return f"{dialect.setting}-{dialect.name}"


def speaking(dialect: Dialect) -> Fake:
    """A fake that speaks it; what it says of paths is for servers to say."""
    own = {} if dialect.setting == "path" else {dialect.setting: dialect.name}
    return Fake(Settings(task_profile(running=10), **own))  # type: ignore[arg-type]  # the names are those of its fields


def example(dialect: Dialect) -> dict[str, Any]:
    """A request and its answer."""
    fake = speaking(dialect)
    body: Mapping[str, Any] | None
    match dialect.setting:
        case "vocabulary":
            method, target, body = "GET", status_of(fake.submit()), None
        case "errors":
            method, target, body = "GET", status_of("1"), None
        case "limits":
            method, target, body = "POST", SUBMIT, TOO_WIDE
        case "requests":
            method, target, body = "POST", SUBMIT, REQUESTED[dialect.name]
        case _:
            method, target, body = "GET", f"{dialect.says}?endpoint=user_balance", None
    reply = fake.send(method, target, json.dumps(body).encode() if body else b"")
    request = {"method": method, "target": target, "headers": {"x-api-key": FAKE_KEY}, "body": body}
    answer = {"status": reply.status, "body": json.loads(reply.body)}
    return {"setting": dialect.setting, "dialect": dialect.name, "request": request, "answer": answer}


def written(dialect: Dialect) -> str:
    return json.dumps(example(dialect), indent=2) + "\n"


def part(dialect: Dialect) -> Whole:
    return Whole(FOLDER / f"{label(dialect)}.json", partial(written, dialect))


def parts() -> list[Whole]:
    return [part(dialect) for dialect in ALL]


@pytest.mark.parametrize("dialect", ALL, ids=label)
def test_the_example_of_a_dialect_is_what_the_fake_says(dialect: Dialect) -> None:
    check_fresh([part(dialect)])


def test_there_is_an_example_for_each_dialect_and_no_other() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == {label(dialect) for dialect in ALL}


@pytest.mark.parametrize("command", [serve_command, exec_command], ids=["serve", "exec"])
def test_the_command_has_every_dialect_and_its_help_names_it(command: Any) -> None:
    options = {param.name: param for param in command.params}
    for setting, known in dialects().items():
        assert f"[default: {next(iter(known))}]" in options[setting].help
        assert [name for name in known if name not in options[setting].help] == []


def test_the_page_has_every_dialect() -> None:
    page = (DOCS / "dialects.md").read_text("utf-8")
    assert [setting for setting in dialects() if f"| `--{setting}` |" not in page] == []
    assert [dialect for dialect in ALL if f"| `{dialect.name}` |" not in page] == []


def test_a_form_of_errors_has_a_schema() -> None:
    assert list(dialects()["errors"]) == list(ERRORS)
    assert set(ERRORS.values()) <= set(names())


#: What is refused for each reason there is: method, target, key, body, status.
Refusal = tuple[str, str, str | None, bytes | None, int]
REFUSALS: Final[list[Refusal]] = [
    ("GET", "/?endpoint=tea", None, b"", 404),
    ("GET", "/tea", None, b"", 404),
    ("GET", "/?endpoint=user_balance", "", b"", 401),
    ("POST", SUBMIT, None, b"{", 400),
    ("POST", SUBMIT, None, b'{"prompt": "a", "steps": 51, "workflow": "x"}', 400),
    ("POST", SUBMIT, None, None, 413),
    ("POST", SUBMIT, None, b'{"prompt": "a"}', 402),
    ("PUT", SUBMIT, None, b"", 405),
    ("GET", "/uploads/1/2.png", None, b"", 404),
]


@pytest.mark.parametrize("errors", ERRORS)
@pytest.mark.parametrize("refusal", REFUSALS, ids=[f"{row[0]} {row[1]} {row[4]}" for row in REFUSALS])
def test_every_error_is_written_in_the_dialect(errors: str, refusal: Refusal) -> None:
    method, target, key, body, status = refusal
    fake = Fake(Settings(errors=errors, balance=0))
    assert fake.send(method, target, body, key=key).status == status  # which holds it against its schema


@pytest.mark.parametrize("errors", ERRORS)
def test_an_error_by_a_fault_is_written_in_the_dialect(errors: str) -> None:
    fake = Fake(Settings(errors=errors, plan=("poll: http 503",)), checked=False)
    reply = fake.send("GET", status_of(fake.submit()))
    assert (reply.status, problems(ERRORS[errors], reply.body)) == (503, [])


@pytest.mark.parametrize("errors", ERRORS)
def test_an_error_that_is_garbled_is_half_of_one_in_the_dialect(errors: str) -> None:
    whole = Fake(Settings(errors=errors)).send("GET", status_of("1")).body
    fake = Fake(Settings(errors=errors, plan=("poll: garbled",)), checked=False)
    assert fake.send("GET", status_of("1")).body == whole[: len(whole) // 2]


@pytest.mark.parametrize("errors", ERRORS)
def test_no_dialect_of_errors_keeps_another_ones_schema(errors: str) -> None:
    body = Fake(Settings(errors=errors)).send("GET", status_of("1")).body
    assert [form for form, schema in ERRORS.items() if problems(schema, body) == []] == [errors]


#: What is sent -> what it is brought down to.
CLAMPED: Final[list[tuple[str, Mapping[str, Any], Mapping[str, Any]]]] = [
    ("image_generation", TOO_WIDE, {"width": 2048}),
    ("image_generation", {"prompt": "a", "width": 10**30, "height": 2049, "steps": 51}, {"width": 2048, "steps": 50}),
    ("image_generation", {"prompt": "a", "width": 2048.5}, {"width": 2048}),
    ("video_generation", {"prompt": "a", "mode": "t2v", "height": 9999}, {"height": 2048}),
]


@pytest.mark.parametrize(("operation", "sent", "kept"), CLAMPED)
def test_what_is_over_a_maximum_is_brought_down_to_it_and_noted(
    operation: str, sent: Mapping[str, Any], kept: Mapping[str, Any]
) -> None:
    fake = Fake(Settings(limits="clamp"))
    fake.data(operation, **sent)
    assert fake.tasks[0].request.items() >= kept.items()
    over = [name for name in sent if name in {"width", "height", "steps"}]
    said = [f"{name} was over its maximum, and is brought down to it" for name in over]
    assert [advice.message for advice in fake.journal[0].advice] == said
    assert fake.journal[0].outcome == "ok"


@pytest.mark.parametrize(
    "parameters", [{"width": 0}, {"width": "4096"}, {"width": True}, {"seed": -2}, {"width": None}]
)
def test_what_is_wrong_otherwise_is_refused_all_the_same(parameters: Mapping[str, Any]) -> None:
    assert Fake(Settings(limits="clamp")).ask("image_generation", prompt="a", **parameters).status == 400


def test_all_entry_points_answer_whichever_is_told() -> None:
    fake = Fake()
    assert [fake.send("GET", f"{path}?endpoint=user_balance").status for path in PATHS.values()] == [200, 200, 200]


@pytest.mark.parametrize("setting", ["vocabulary", "errors", "limits", "requests"])
def test_a_dialect_that_is_none_is_a_sentence(setting: str) -> None:
    with pytest.raises(ValueError, match=f"{setting} cannot be 'x': there are "):
        Settings(**{setting: "x"})  # type: ignore[arg-type]  # a text for one of its fields


@pytest.mark.parametrize("errors", ERRORS)
def test_who_has_no_key_meets_the_dialect_of_the_only_session(errors: str) -> None:
    with Safelight(errors=errors) as api:
        answers = [
            httpx.get(api.url, params={"endpoint": "task_status"}, headers={"x-api-key": "sk-nope"}),
            httpx.get(api.url, params={"endpoint": "task_status"}),
            httpx.get(api.url.replace("/v1/index.php", "/uploads/1/2.png")),
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 404]
    assert [problems(ERRORS[errors], answer.content) for answer in answers] == [[], [], []]
