"""A request that fits nothing gets a near miss: in the answer where the service may say it, else in the journal."""

import gzip
import zlib
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


GZIP: Final = gzip.compress(PROMPT, mtime=0)
STATUS: Final = "/?endpoint=task_status"
SEEN: Final = ": send the JSON itself, uncompressed and without Content-Encoding"

SAID: Final = ": send the JSON itself, without this header"

#: Target, content encoding, body -> how the answer's message ends.
CAUSES: Final[list[tuple[str, str, bytes, str]]] = [
    (SUBMIT, "gzip", GZIP, f"character; it is compressed with gzip{SEEN}"),
    (SUBMIT, "", GZIP, f"character; it is compressed with gzip{SEEN}"),
    (SUBMIT, "deflate", zlib.compress(PROMPT), f"; it is compressed with deflate{SEEN}"),
    (SUBMIT, "zstd", b"\x28\xb5\x2f\xfd\x04\x00", f"; it is compressed with zstd{SEEN}"),
    *(
        (
            SUBMIT,
            coding,
            b"\x0b\x08\x80\xfe\xff{}\x03",
            f'; it is compressed with "{coding}", as its Content-Encoding says{SAID}',
        )
        for coding in ("br", "deflate", "x-{}")
    ),
    (f"{SUBMIT}&prompt=a+lamp", "", b"", "; the query has parameters: send them as a JSON object in the body"),
    (f'{SUBMIT}&{{"prompt":"a"}}', "", b"", "; the query has JSON: send it as the body"),
    (SUBMIT, "", b"", "the document is empty; a JSON object is expected"),
    (f'{STATUS}&{{"task_id":"1"}}', "", b"", "; the query has JSON, and takes NAME=VALUE"),
    (STATUS, "", b'{"task_id": "1"}', "; there is a body, and the parameters of a GET belong in the query"),
    (STATUS, "", b"", "task_id is missing"),
]


@pytest.mark.parametrize(("target", "coding", "body", "end"), CAUSES)
def test_a_refusal_says_what_the_request_shows_of_its_cause(target: str, coding: str, body: bytes, end: str) -> None:
    headers = {"content-encoding": coding} if coding else {}
    method = "GET" if target.startswith(STATUS) else "POST"
    reply = Fake().send(method, target, body, headers)
    assert reply.status == 400
    assert message_of(reply).endswith(end)


def test_a_body_is_read_whatever_its_content_encoding_says_and_there_is_advice() -> None:
    fake = Fake()
    for coding in ("gzip", "identity"):
        assert fake.send("POST", SUBMIT, PROMPT, {"content-encoding": coding}).status == 200
    said = [[advice.message for advice in exchange.advice] for exchange in fake.journal]
    assert said == [['the header Content-Encoding says "gzip", and the body is plain JSON'], []]


def test_what_is_recognised_is_said_once_however_many_rules_it_breaks() -> None:
    body = b'{"prompt": {"nodes": [], "links": [], "version": 1}}'
    message = message_of(Fake().send("POST", SUBMIT, body))
    assert message.startswith("Invalid request: prompt is an object of 3 members, a graph as ComfyUI's editor saves it")
    assert "also broken" not in message


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
