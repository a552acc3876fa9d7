"""The core decides: what is asked for, by whom, with what, in this order; and answers as the contract says."""

import json
import re
from typing import Any, Final

import pytest

from fake import SUBMIT, Fake, message_of, status_of
from safelight.contracts import Example, examples, problems, workflows
from safelight.mockserver.model.chance import Chance
from safelight.mockserver.model.engines import ENGINES
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task import Task
from safelight.mockserver.service.dispatch import BASE_PATHS

PROMPT: Final = b'{"prompt": "a lamp"}'
NO_TASK: Final = "Task not found: this id was never issued to this key"
NO_KEY: Final = "Unauthorized: Invalid API Key"
ALL: Final = "image_editing, image_generation, task_status, user_balance, video_generation"

#: More members and items than a body may have.
MANY_VALUES: Final = json.dumps({"prompt": "a, lamp", "seed": 1, "more": [0] * 49_999}).encode()

#: Method, target, key, body, status, message.
Refusal = tuple[str, str, str, bytes | None, int, str]
REFUSALS: Final[list[Refusal]] = [
    ("GET", "/", FAKE_KEY, b"", 404, f"Missing endpoint: add ?endpoint= with one of {ALL}"),
    ("GET", "/?endpoint=", FAKE_KEY, b"", 404, f"Missing endpoint: add ?endpoint= with one of {ALL}"),
    ("GET", "/?task_id=1", FAKE_KEY, b"", 404, f"Missing endpoint: add ?endpoint= with one of {ALL}"),
    ("GET", "/?endpoint=tea", FAKE_KEY, b"", 404, 'Unknown endpoint "tea"'),
    ("GET", "/?endpoint=taskstatus", FAKE_KEY, b"", 404, 'Unknown endpoint "taskstatus"; did you mean task_status?'),
    ("GET", "/v1", FAKE_KEY, b"", 404, 'Unknown path "/v1": the API answers under /v1/index.php?endpoint=NAME'),
    ("GET", SUBMIT, FAKE_KEY, b"", 405, 'Method not allowed: image_generation takes POST, not "GET"'),
    ("POST", status_of("1"), FAKE_KEY, b"", 405, 'Method not allowed: task_status takes GET, not "POST"'),
    ("HEAD", status_of("1"), FAKE_KEY, b"", 405, 'Method not allowed: task_status takes GET, not "HEAD"'),
    ("OPTIONS", SUBMIT, FAKE_KEY, b"", 405, 'Method not allowed: image_generation takes POST, not "OPTIONS"'),
    ("POST", SUBMIT, "", PROMPT, 401, NO_KEY),
    ("POST", SUBMIT, "sk-" + 48 * "0", PROMPT, 401, NO_KEY),
    ("POST", SUBMIT, FAKE_KEY.upper(), PROMPT, 401, NO_KEY),
    ("GET", status_of("1"), "nobody", b"", 401, NO_KEY),
    ("POST", SUBMIT, FAKE_KEY, None, 413, "Request body too large: it is over the limit of this server"),
    ("POST", SUBMIT, FAKE_KEY, MANY_VALUES, 413, "Request body too large: it has more than 50,000 values"),
    ("GET", status_of("1"), FAKE_KEY, b"", 404, NO_TASK),
    ("GET", status_of("../../etc/passwd"), FAKE_KEY, b"", 404, NO_TASK),
    ("GET", status_of("7" * 10_000), FAKE_KEY, b"", 404, NO_TASK),
    ("GET", status_of(""), FAKE_KEY, b"", 400, "Invalid request: task_id is empty; the least is 1 character"),
    ("GET", "/?endpoint=task_status", FAKE_KEY, b"", 400, "Invalid request: task_id is missing"),
    (
        "GET",
        "/?endpoint=task_status&taskid=1",
        FAKE_KEY,
        b"",
        400,
        "Invalid request: task_id is missing; taskid was sent",
    ),
]


def test_a_comma_in_a_text_is_no_value() -> None:
    fake = Fake()
    body = json.dumps({"prompt": 'a "lamp",' * 60_000, "more": [0] * 40_000}).encode()
    assert fake.send("POST", SUBMIT, body).status == 200
    assert fake.send("POST", SUBMIT, MANY_VALUES.replace(b", 0]", b"]")).status == 200


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_says_why(refusal: Refusal) -> None:
    method, target, key, body, status, message = refusal
    reply = Fake().send(method, target, body, key=key)
    assert (reply.status, message_of(reply)) == (status, message)


def node(**inputs: Any) -> dict[str, Any]:
    return {"class_type": "KSampler", "inputs": inputs}


#: What is sent beside or in place of the prompt, and what the message says about it.
BROKEN: Final[list[tuple[dict[str, Any], str]]] = [
    ({"width": 2049}, "width is 2049; the most is 2048"),
    ({"height": 0}, "height is 0; the least is 1"),
    ({"steps": 51}, "steps is 51; the most is 50"),
    ({"seed": -2}, "seed is -2; the least is -1"),
    ({"width": "512"}, 'width is "512", a string; it must be an integer'),
    ({"width": True}, "width is true, a boolean; it must be an integer"),
    ({"prompt": ""}, "prompt is empty; the least is 1 character"),
    ({"prompt": {}}, "prompt is empty; the least is 1 member"),
    ({"prompt": {"1": node(model=["2", 0])}}, 'prompt.1.inputs.model links to node "2", which does not exist'),
    (
        {"prompt": {"1": node(model=["2", 0]), "2": node(model=["1", 0])}},
        "prompt.1 depends on itself through its links: the graph has a cycle",
    ),
    (
        {"workflow": "animé"},
        'workflow is "animé"; it must be default, anime, z-image, rr3 or grok; did you mean anime?',
    ),
    ({"width": 4096, "steps": 0}, "width is 4096; the most is 2048 (and also broken: image_generation.steps.minimum)"),
]


@pytest.mark.parametrize(("parameters", "message"), BROKEN)
def test_a_broken_request_is_told_parameter_value_and_bound(parameters: dict[str, Any], message: str) -> None:
    fake = Fake()
    reply = fake.send("POST", SUBMIT, json.dumps({"prompt": "a lamp", **parameters}).encode())
    assert (reply.status, message_of(reply)) == (400, f"Invalid request: {message}")
    assert fake.tasks == []


@pytest.mark.parametrize("example", [*examples("image_generation.request"), *examples("json")], ids=lambda it: it.name)
def test_the_golden_examples_are_judged_as_the_contract_judges_them(example: Example) -> None:
    reply = Fake().send("POST", SUBMIT, example.text)
    found = problems("image_generation.request", example.text)
    assert reply.status == (400 if found else 200)
    assert not found or message_of(reply).startswith(f"Invalid request: {found[0].message}")


def test_the_checks_have_an_order() -> None:
    fake = Fake()
    steps: list[tuple[str, str, str, bytes | None, int]] = [
        ("PUT", "/x?endpoint=tea", "nobody", None, 404),
        ("PUT", "/?endpoint=tea", "nobody", None, 404),
        ("PUT", SUBMIT, "nobody", None, 405),
        ("POST", SUBMIT, "nobody", None, 413),
        ("POST", SUBMIT, "nobody", b"{", 401),
        ("POST", SUBMIT, FAKE_KEY, b"{", 400),
        ("POST", SUBMIT, FAKE_KEY, b"{}", 400),
        ("POST", SUBMIT, FAKE_KEY, PROMPT, 200),
    ]
    for method, target, key, body, status in steps:
        assert fake.send(method, target, body, key=key).status == status, (method, target, key, body)
    assert len(fake.tasks) == 1, "nothing has happened before the last"


@pytest.mark.parametrize(("target", "allow"), [(SUBMIT, "POST"), (status_of("1"), "GET")])
def test_a_wrong_method_is_told_the_right_one(target: str, allow: str) -> None:
    assert Fake().send("DELETE", target).headers["allow"] == allow


@pytest.mark.parametrize("path", sorted(BASE_PATHS))
def test_the_entry_points_are_all_alike(path: str) -> None:
    fake = Fake()
    reply = fake.send("POST", f"{path}?endpoint=image_generation", PROMPT)
    task_id = json.loads(reply.body)["data"]["id"]
    assert fake.send("GET", f"{path}?endpoint=task_status&task_id={task_id}").status == 200


def test_there_are_three_entry_points() -> None:
    assert {"/v1/index.php", "/TS-AI-API/v1/index.php", "/"} == BASE_PATHS


UUID4: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
QUEUED: Final = {"status": "queued", "message": "Request queued. Webhook support coming soon."}

#: Workflow, the form of its ids, what else the data says; `check_status` is tested apart.
VARIANTS: Final[list[tuple[str, str, dict[str, str]]]] = [
    ("default", UUID4, QUEUED),
    ("anime", UUID4, QUEUED),
    ("z-image", UUID4, QUEUED),
    ("rr3", r"[0-9]{10}", {"status": "queued", "provider": "rr3"}),
    ("grok", r"grok_[0-9a-f]+", {"status": "queued", "provider": "grok"}),
]


@pytest.mark.parametrize(("workflow", "form", "rest"), VARIANTS)
def test_each_workflow_answers_in_its_variant(workflow: str, form: str, rest: dict[str, str]) -> None:
    fake = Fake()
    for _ in range(50):
        data = fake.submitted(workflow=workflow)
        task_id, check = data.pop("id"), data.pop("check_status", None)
        assert re.fullmatch(form, task_id)
        assert data == rest
        assert check == (f"?endpoint=task_status&task_id={task_id}" if "provider" in rest else None)
        assert fake.poll(task_id)["id"] == task_id


def test_the_table_of_variants_is_complete() -> None:
    assert [workflow for workflow, _, _ in VARIANTS] == list(workflows())


def test_ids_are_never_the_same() -> None:
    fake = Fake()
    ids = [fake.submit(workflow=workflow) for _ in range(300) for workflow in workflows()]
    assert len(set(ids)) == len(ids)


def ids_and_lives(seed: int, key: str = FAKE_KEY) -> list[object]:
    fake = Fake(seed=seed, key=key, queued="1..3", running="~5", fail_rate=0.5)
    for workflow in [*workflows()] * 2:
        fake.submit(workflow=workflow)
    return [(task.id, task.timeline, task.seed) for task in fake.tasks]


def test_the_same_seed_gives_the_same_ids_and_lives() -> None:
    assert ids_and_lives(7) == ids_and_lives(7)


def test_another_seed_or_key_gives_others() -> None:
    seen = ids_and_lives(7), ids_and_lives(8), ids_and_lives(7, "sk-another")
    assert all(len(set(at_place)) == 3 for at_place in zip(*seen, strict=True))


@pytest.mark.parametrize(("parameters", "seed"), [({"seed": 42}, 42), ({"seed": 0}, 0), ({"seed": 2**70}, 2**70)])
def test_the_seed_asked_for_is_the_seed_of_the_picture(parameters: dict[str, Any], seed: int) -> None:
    fake = Fake()
    fake.submit(**parameters)
    assert fake.tasks[0].seed == seed


def test_minus_one_and_no_seed_draw_one() -> None:
    fake = Fake()
    fake.submit()
    for seed in (-1, -1.0):
        fake.submit(seed=seed)
    seeds = [task.seed for task in fake.tasks]
    assert len(set(seeds)) == 3
    assert min(seeds) >= 0


def test_ten_digits_never_repeat_however_many_tasks_were_forgotten() -> None:
    """Drawn by chance, 100,000 of the 9,000,000,000 ids repeat one nearly every other time."""
    new_id = ENGINES["rr3"].new_id
    drawn = {new_id(Chance("0"), serial) for serial in range(7, 100_007)}
    assert len(drawn) == 100_000
    assert all(re.fullmatch("[1-9][0-9]{9}", task_id) for task_id in drawn)


def test_what_nobody_foresaw_is_an_answer_too(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(dict[str, Task]):
        def get(self, *_: object) -> Any:
            raise ZeroDivisionError

    fake = Fake()
    fake.session.data.tasks = Broken()
    reply = fake.send("GET", status_of("x"))
    assert (reply.status, message_of(reply)) == (500, "Internal error")
    assert fake.journal[-1].status == 500
    fake.send("GET", f"/uploads/{fingerprint(FAKE_KEY)}/{FAKE_KEY}.png")
    assert FAKE_KEY not in caplog.text
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


@pytest.mark.parametrize("body", [b"7", b"null", b'"a"', b"[]", b"true"])
def test_a_body_that_is_no_object_is_refused_whatever_is_planned(body: bytes) -> None:
    fake = Fake(Settings(plan=("poll#9: http 502", "submit workflow=rr3: http 503")))
    reply = fake.send("POST", SUBMIT, body)
    assert (reply.status, fake.journal[-1].outcome) == (400, "image_generation.type")


UNSENT: Final = (
    "no key was sent: neither in the header x-api-key, as Authorization: Bearer, as api_key in the query nor as "
    "api_key in the body"
)


@pytest.mark.parametrize(
    ("headers", "note"),
    [
        ({}, UNSENT),
        ({"authorization": "Bearer x"}, "the key as Authorization: Bearer is not one that is known here"),
        ({"x-api-key": "sk-other"}, "the key in the header x-api-key is not one that is known here"),
    ],
)
def test_the_journal_knows_what_a_401_does_not_say(headers: dict[str, str], note: str) -> None:
    fake = Fake()
    reply = fake.send("GET", status_of("x"), headers=headers, key="")
    assert (reply.status, message_of(reply)) == (401, "Unauthorized: Invalid API Key")
    assert [advice.message for advice in fake.store.orphans[-1].advice] == [note]
