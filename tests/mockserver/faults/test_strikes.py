"""A fault strikes before a request is carried out or after, and journal, ledger and expectations tell which."""

import json
import socket
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from asgi_call import Answered, body_in, call, scope_of
from fake import SUBMIT, Fake, status_of
from safelight.contracts import Phase
from safelight.mockserver.faults.catalogue.answers import Garbled, Http
from safelight.mockserver.faults.catalogue.connections import Reset
from safelight.mockserver.model.messages import Reply, Request, success
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.wire import RESET, AnswerLost
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.transports.asgi import create_app
from safelight.testing.safelight import Safelight

PROMPT: Final = b'{"prompt": "a lamp"}'
ANSWER: Final = success({"id": "1", "status": "pending"})


def planned(*rules: str, **told: Any) -> Fake:
    return Fake(Settings(task_profile(**told), plan=tuple(rules)), checked=False)


@pytest.mark.parametrize(
    ("status", "message"),
    [(400, "Bad Request"), (429, "Too Many Requests"), (502, "Bad Gateway"), (599, "HTTP status 599")],
)
def test_http_is_an_envelope_with_that_status(status: int, message: str) -> None:
    struck = Http(status).strike(ANSWER)
    assert struck.status == status
    assert json.loads(struck.body) == {"success": False, "data": None, "error": {"message": message}}


@pytest.mark.parametrize("reply", [ANSWER, success({"id": "é" * 99}), Reply(200, b"\x89PNG1234", "image/png")])
def test_garbled_is_half_of_the_body_and_nothing_a_parser_takes(reply: Reply) -> None:
    struck = Garbled().strike(reply)
    assert struck == reply._replace(body=reply.body[: len(reply.body) // 2])
    with pytest.raises(ValueError, match=r".") as raised:
        json.loads(struck.body)
    assert isinstance(raised.value, json.JSONDecodeError | UnicodeDecodeError)


def test_reset_is_the_answer_that_is_lost() -> None:
    assert Reset().strike(ANSWER) == ANSWER._replace(wire=RESET)


@pytest.mark.parametrize(
    ("rule", "status"),
    [("submit#1: http 503", 503), ("submit#1: garbled", 500), ("submit#1: reset", 500)],
)
def test_before_means_that_nothing_happened(rule: str, status: int) -> None:
    fake = planned(rule)
    assert fake.send("POST", SUBMIT, PROMPT).status == status
    assert (fake.tasks, list(fake.ledger)) == ([], [])
    (exchange,) = fake.journal
    assert (exchange.fault, exchange.task_id, exchange.phase, exchange.outcome) == (rule, None, None, "ok")


@pytest.mark.parametrize(
    ("rule", "status"),
    [("submit#1: http 502 after", 502), ("submit#1: garbled after", 200), ("submit#1: reset after", 200)],
)
def test_after_means_that_it_is_booked_and_the_answer_suffers(rule: str, status: int) -> None:
    fake = planned(rule)
    assert fake.send("POST", SUBMIT, PROMPT).status == status
    (task,) = fake.tasks
    assert [entry.credits for entry in fake.ledger] == [-10]
    (exchange,) = fake.journal
    assert (exchange.fault, exchange.task_id, exchange.phase, exchange.outcome) == (rule, task.id, "done", "ok")


def test_a_request_that_breaks_the_contract_is_found_out_whatever_strikes() -> None:
    fake = planned("submit#1: http 503", "submit#2: reset after")
    for _ in range(2):
        fake.send("POST", SUBMIT, b'{"prompt": "a", "width": 0}')
    assert [exchange.outcome for exchange in fake.journal] == ["image_generation.width.minimum"] * 2
    assert fake.tasks == []


@pytest.mark.parametrize(
    ("when", "words"),
    [("", ["pending", None, "completed"]), (" before", ["pending", None, "processing"])],
)
def test_a_poll_counts_for_its_tasks_life_unless_it_is_struck_before(when: str, words: list[str | None]) -> None:
    fake = planned(f"poll#2: http 502{when}", polls=(1, 1))
    task_id = fake.submit()
    answers = [json.loads(fake.send("GET", status_of(task_id)).body)["data"] for _ in range(3)]
    assert [data and data["status"] for data in answers] == words


def test_a_failure_whose_answer_is_lost_is_refunded_all_the_same() -> None:
    fake = planned("poll#1: reset", fail_rate=1)
    fake.send("GET", status_of(fake.submit()))
    assert [entry.credits for entry in fake.ledger] == [-10, 10]
    assert fake.journal[-1].phase is Phase.FAILED


def test_a_reset_on_a_socket_is_a_reset() -> None:
    with Safelight(faults=["submit#1: reset after"]) as api:
        address = urlsplit(api.url)
        head = f"POST /?endpoint=image_generation HTTP/1.1\r\nhost: a\r\nx-api-key: {api.api_key}\r\n"
        request = f"{head}content-length: {len(PROMPT)}\r\n\r\n".encode() + PROMPT
        for expected in (b"", b"HTTP/1.1 200 OK"):
            with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as connection:
                connection.sendall(request)
                if expected:
                    assert connection.recv(15) == expected
                else:
                    with pytest.raises(ConnectionResetError):
                        connection.recv(1)
        assert [entry.credits for entry in api.ledger] == [-10, -10]


def test_the_application_raises_what_was_lost() -> None:
    fake = planned("submit#1: reset after")
    headers = [(b"x-api-key", fake.key.encode())]
    scope = scope_of("POST", SUBMIT.encode(), headers)
    with pytest.raises(AnswerLost, match=r"^the answer was lost on its way: reset, as planned$") as raised:
        call(create_app(fake.api), scope, body_in(PROMPT))
    assert isinstance(raised.value, ConnectionResetError)
    assert len(fake.tasks) == 1


def test_a_garbled_answer_has_the_length_that_it_says() -> None:
    fake = planned("submit#1: garbled after")
    headers = [(b"x-api-key", fake.key.encode())]
    answered: Answered = call(create_app(fake.api), scope_of("POST", SUBMIT.encode(), headers), body_in(PROMPT))
    assert int(answered.headers["content-length"]) == len(answered.body) > 0


def test_a_balance_is_spent_and_not_overdrawn() -> None:
    fake = Fake(Settings(task_profile(), balance=25))
    assert [fake.send("POST", SUBMIT, PROMPT).status for _ in range(3)] == [200, 200, 402]
    assert fake.send("POST", SUBMIT, b'{"prompt": ""}').status == 400, "what is wrong is said first"
    assert [task.number for task in fake.tasks] == [1, 2]
    assert json.loads(fake.journal[2].answer)["error"] == {"message": "Insufficient balance"}


def test_a_refused_submit_uses_nothing_up() -> None:
    fake = Fake(Settings(task_profile(fail_rate=1), balance=10))
    fake.next(fail=False)
    fake.next(id="0001", fail="no ink")
    assert [fake.send("POST", SUBMIT, PROMPT).status for _ in range(2)] == [200, 402]
    fake.api.sessions.open("sk-other", Settings(task_profile(fail_rate=1), balance=10))
    for _ in range(5):  # each of them fails, and its price is back before the next
        assert fake.send("POST", SUBMIT, PROMPT, key="sk-other").status == 200
    assert len(fake.session.data.overrides) == 1


def test_a_fault_that_is_delivered_late_does_not_count_in_a_session_begun_anew() -> None:
    fake = Fake(Settings(plan=("poll#1: http 502",)))
    query = f"endpoint=task_status&task_id={fake.submit()}"
    late = fake.api.handle(Request("GET", "/v1/index.php", query, {"x-api-key": fake.key}))
    fake.api.sessions.open(fake.key)
    late.deliver()
    assert [counts[1:] for counts in fake.session.plan.counts()] == [(0, 0)]
