"""The Linux DO edition: its documented requests are answered, and an unknown workflow passes where it may."""

import json
from typing import Any, Final

import pytest

from fake import SUBMIT, Fake, message_of, status_of
from safelight.contracts import problems
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.settings import Settings

PICTURE: Final = {"workflow": "default", "width": 1024, "height": 1024, "steps": 20}
VIDEO: Final = {"workflow": "wan-t2v", "width": 832, "height": 480}
GENERATE: Final = "/api.php?action=generate"


def fake_of(requests: str = "linux-do", *, checked: bool = True, **options: Any) -> Fake:
    """Not checked where the target does not say what the answer is of, or the id is odd on purpose."""
    return Fake(Settings(requests=requests, **options), checked=checked)


def posted(fake: Fake, target: str, body: Any, **how: Any) -> Any:
    return fake.send("POST", target, json.dumps(body).encode(), **how)


#: The requests of its pages, and which parameters a task has of each.
DOCUMENTED: Final = [
    ("image_generation", {"prompt": "a portrait", "settings": PICTURE}, PICTURE),
    ("video_generation", {"prompt": "a girl", "settings": VIDEO}, {"mode": "t2v", "width": 832, "height": 480}),
    ("image_editing", {"prompt": "more light", "settings": {"workflow": "flux-edit"}}, {}),
]


@pytest.mark.parametrize(("operation", "body", "kept"), DOCUMENTED, ids=[row[0] for row in DOCUMENTED])
def test_a_documented_request_is_accepted_at_either_entry(
    operation: str, body: dict[str, Any], kept: dict[str, Any]
) -> None:
    fake = fake_of(checked=False)
    for target in (f"/v1/index.php?endpoint={operation}", GENERATE):
        reply = posted(fake, target, body)
        assert (reply.status, problems(f"{operation}.response", reply.body)) == (200, [])
    for task in fake.tasks:
        assert task.operation == operation
        assert task.request.items() >= {"prompt": body["prompt"], **kept}.items()
    assert fake.journal[0].outcome == "ok"


def test_the_documented_request_of_its_own_entry_brings_the_key_as_token() -> None:
    fake = fake_of(checked=False)
    body = {"token": FAKE_KEY, "settings": {**PICTURE, "prompt": "a"}, "prompt": {"prompt": "a"}}
    reply = posted(fake, GENERATE, body, key="", headers={"content-type": "application/json"})
    assert reply.status == 200
    assert fake.tasks[0].request == {"prompt": "a", **PICTURE}
    assert fake.journal[0].advice == []
    assert FAKE_KEY.encode() not in fake.journal[0].body
    task = fake.send("GET", f"/api.php?action=task_status&task_id={fake.tasks[0].id}")
    assert (task.status, json.loads(task.body)["data"]["status"]) == (200, "completed")
    assert fake.journal[1].advice == []


def test_a_wrong_token_is_refused_and_a_token_counts_at_its_own_entry_alone() -> None:
    fake = fake_of()
    for target, token in ((GENERATE, "sk-nope"), (GENERATE, ""), (SUBMIT, FAKE_KEY)):
        assert posted(fake, target, {"token": token, "prompt": "a"}, key="", headers={}).status == 401
    assert fake.tasks == []


@pytest.mark.parametrize("action", ["history", "recharge", "get_user_info", "image_generation", "", "generat"])
def test_an_action_that_is_not_served_is_404_and_says_which_are(action: str) -> None:
    reply = posted(fake_of(), f"/api.php?action={action}", {"prompt": "a"})
    assert reply.status == 404
    assert message_of(reply).endswith("/api.php answers to generate and task_status here")


def test_its_entry_is_unknown_in_the_other_dialects_and_the_answer_names_the_option() -> None:
    for requests in ("published", "lenient"):
        reply = posted(fake_of(requests), GENERATE, {"prompt": "a"})
        assert reply.status == 404
        assert "requests = linux-do" in message_of(reply)


def test_a_submit_by_get_is_405_at_its_entry_too() -> None:
    assert fake_of().send("GET", GENERATE).status == 405


@pytest.mark.parametrize("requests", ["lenient", "linux-do"])
@pytest.mark.parametrize("workflow", ["flux", "wan", "", "Grok"])
def test_an_unknown_workflow_is_carried_out_as_the_default_one(requests: str, workflow: str) -> None:
    fake = fake_of(requests)
    task_id = fake.submit(workflow=workflow, width=64, height=32)
    assert "the dialect" in fake.journal[0].advice[0].message
    fake.clock.advance(60)
    assert fake.word(task_id) == "completed"
    assert fake.result(task_id).status == 200
    assert fake_of("published").ask("image_generation", prompt="a", workflow=workflow).status == 400


def test_a_directive_in_a_nested_prompt_counts_and_so_does_a_clamp() -> None:
    fake = fake_of(limits="clamp", checked=False)
    body = {"prompt": {"prompt": "a [[safelight id=42]]"}, "settings": {"width": 4096}}
    assert json.loads(posted(fake, SUBMIT, body).body)["data"]["id"] == "42"
    assert [advice.pointer for advice in fake.journal[0].advice] == ["/settings/width"]


def test_a_violation_names_where_the_parameter_was_sent() -> None:
    reply = posted(fake_of(), SUBMIT, {"prompt": "a", "settings": {"width": 4096}})
    assert (reply.status, message_of(reply)) == (400, "Invalid request: settings.width is 4096; the most is 2048")


def test_the_published_dialect_says_how_a_request_of_the_edition_is_taken() -> None:
    fake = fake_of("published")
    assert posted(fake, SUBMIT, {"prompt": "a", "settings": PICTURE}).status == 200
    assert "requests = linux-do" in fake.journal[0].advice[0].message
    assert "requests = linux-do" in message_of(posted(fake, SUBMIT, {"prompt": {"prompt": "a"}}))


def test_a_poll_of_the_published_entry_is_the_same() -> None:
    fake = fake_of()
    assert fake.send("GET", status_of(fake.submit())).status == 200
