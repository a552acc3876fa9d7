"""A request that fits nothing gets a near miss: in the answer where the service may say it, else in the journal."""

from typing import Final

import pytest

from fake import SUBMIT, Fake, message_of

PROMPT: Final = b'{"prompt": "a lamp"}'

#: Method, target, body -> how the answer's message ends, or what it has.
ANSWERS: Final[list[tuple[str, str, bytes, str]]] = [
    ("GET", "/?endpoint=task-status&task_id=1", b"", "; did you mean task_status?"),
    ("GET", "/?endpoint=task_status&taskId=1", b"", "task_id is missing; taskId was sent"),
    ("POST", SUBMIT, b'{"Prompt": "a"}', "prompt is missing; Prompt was sent"),
    ("GET", "/v1/task_status?task_id=1", b"", "; did you mean /v1/index.php?endpoint=task_status?"),
    ("POST", "/v1/image-generation", PROMPT, "; did you mean /v1/index.php?endpoint=image_generation?"),
    ("POST", "/v1/images/generations", PROMPT, "; did you mean /v1/index.php?endpoint=image_generation?"),
    ("POST", "/sdapi/v1/txt2img", PROMPT, "under /v1/index.php?endpoint=NAME"),
    ("GET", "/?Endpoint=task_status&task_id=1", b"", '; "Endpoint" was sent'),
    ("GET", "/?action=task_status&task_id=1", b"", '; "action" was sent'),
    ("POST", "/", b'{"endpoint": "image_generation", "prompt": "a"}', "; it is in the body, and belongs in the query"),
]


@pytest.mark.parametrize(("method", "target", "body", "end"), ANSWERS)
def test_an_answer_says_what_was_near(method: str, target: str, body: bytes, end: str) -> None:
    reply = Fake().send(method, target, body)
    assert message_of(reply).endswith(end)
    assert reply.status in (400, 404)


#: Headers of a request with no key that is known -> what is noticed beside that.
STRANGERS: Final[list[tuple[dict[str, str], list[str]]]] = [
    ({}, []),
    ({"authorization": "sk-1"}, ["the header Authorization is there, and does not begin with Bearer"]),
    ({"apikey": "sk-1"}, ["the header apikey is there; did you mean x-api-key?"]),
    ({"api-key": "sk-1"}, ["the header api-key is there; did you mean x-api-key?"]),
    ({"x-api-key": "Bearer sk-1"}, ["it begins with Bearer, which belongs into the header Authorization"]),
    ({"x-api-key": '"sk-1"'}, ["it is in quotation marks"]),
]


@pytest.mark.parametrize(("headers", "said"), STRANGERS, ids=str)
def test_a_key_that_is_almost_one_is_noticed(headers: dict[str, str], said: list[str]) -> None:
    fake = Fake()
    fake.send("GET", "/?endpoint=user_balance", headers=headers, key="")
    assert [advice.message for advice in fake.store.orphans[0].advice[1:]] == said


def test_a_key_in_a_place_that_ends_up_in_logs_is_noticed() -> None:
    fake = Fake()
    fake.send("GET", f"/?endpoint=user_balance&api_key={fake.key}", key="", headers={})
    fake.send("POST", SUBMIT, f'{{"prompt": "a", "api_key": "{fake.key}"}}'.encode(), key="", headers={})
    fake.send("GET", "/?endpoint=user_balance")
    said = [[advice.message for advice in exchange.advice if "prefers" in advice.message] for exchange in fake.journal]
    assert said == [
        ["the key came as api_key in the query; the service prefers the header x-api-key"],
        ["the key came as api_key in the body; the service prefers the header x-api-key"],
        [],
    ]
