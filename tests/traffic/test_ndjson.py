"""Exchanges are written as lines of JSON, and read back as they were."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges import exchanges
from fake import SUBMIT, Fake, status_of
from safelight.traffic.exchange import Exchange
from safelight.traffic.ndjson import Unreadable, line, read
from safelight.traffic.redaction import without_keys


@given(st.lists(exchanges(), max_size=4))
def test_what_is_written_is_read_back(written: list[Exchange]) -> None:
    lines = [line(exchange) for exchange in written]
    assert list(read(lines)) == [without_keys(exchange) for exchange in written]
    assert all(text.count("\n") == len(text.splitlines()) == 1 and text.isascii() for text in lines)


def test_a_journal_is_read_back_with_all_it_says() -> None:
    fake = Fake(queued=1)
    task_id = fake.submit(workflow="z-image", cfg=3)
    fake.clock.advance(1)
    fake.poll(task_id)
    fake.send("POST", SUBMIT, b'{"prompt": "", "width": 1e999}')
    fake.send("POST", SUBMIT, b"\xff")
    fake.send("GET", status_of("1"))
    found = list(read(line(exchange).encode() for exchange in fake.journal))
    assert found == list(fake.journal)
    assert [exchange.outcome for exchange in found] == [exchange.outcome for exchange in fake.journal]
    assert {violation.pointer for exchange in found for violation in exchange.violations} == {"/prompt", "/width", ""}


def test_the_time_is_that_of_the_clock_and_the_line_says_when_the_session_began() -> None:
    exchange = Exchange(1_000_012.5, "GET", "/", {}, b"", 200, "", b"")
    form = json.loads(line(exchange, began=1_000_000))
    assert (form["at"], form["began"]) == (12.5, 1_000_000)
    assert next(read([json.dumps(form)])) == without_keys(exchange)


def test_four_members_are_enough() -> None:
    [found] = read(['{"at": 1, "method": "GET", "target": "/", "status": 200}', "", "\n"])
    assert found == without_keys(Exchange(1, "GET", "/", {}, b"", 200, "", b""))


def test_lines_are_read_as_they_come() -> None:
    def lines() -> Iterator[str]:
        yield line(Exchange(0, "GET", "/", {}, b"", 200, "", b""))
        raise AssertionError("nobody asked for a second one")

    assert next(read(lines())).status == 200


def test_keys_are_taken_out_on_reading() -> None:
    key = "sk-0123456789abcdef"
    form = {"at": 0, "method": "GET", "status": 200, "target": f"/?api_key={key}", "headers": {"x-api-key": key}}
    texts = dict.fromkeys(("operation", "wire", "fault", "task_id", "media_type"), f"a {key} b")
    violation = {"rule": key, "pointer": key, "message": key, "provenance": "seed"}
    form |= {**texts, "violations": [violation]}
    [found] = read([json.dumps({**form, "body": f'{{"api_key": "{key}"}}', "answer": {"echo": key}})])
    assert key not in repr(found)
    assert found.headers == {"x-api-key": "..."}


GOOD: Final = {"at": 0, "method": "GET", "target": "/", "status": 200}

#: What is wrong with the second line, and the sentence.
WRONG: Final[dict[str, tuple[Any, str]]] = {
    "something else": ("{]", "line 2: it is no JSON: Expecting property name enclosed in double quotes at column 2"),
    "cut": ('{"at": 0, "meth', "line 2: it is cut: it ends in the middle; record or export it again"),
    "no JSON": ('{"at":\n', "line 2: it is no JSON: Expecting value at column 1"),
    "NaN": ('{"at": NaN}', "line 2: NaN is no JSON; a number must be finite"),
    "deep": ("[" * 100_000, "line 2: arrays and objects are nested too deep"),
    "no object": ("3", "line 2: 3 is no exchange; it must be an object"),
    "missing": ({**GOOD, "status": None}, "line 2: status is missing; it must be a whole number of 0 to 999"),
    "text": ({**GOOD, "status": "200"}, 'line 2: status is "200"; it must be a whole number of 0 to 999'),
    "flag": ({**GOOD, "at": True}, "line 2: at is true; it must be a number of seconds"),
    "phase": ({**GOOD, "phase": "asleep"}, 'line 2: phase is "asleep"; it must be queued, running, done or failed'),
    "headers": (
        {**GOOD, "headers": {"a": 1}},
        "line 2: headers is an object of 1 member; it must be an object of texts",
    ),
    "base64": ({**GOOD, "body_base64": "*"}, 'line 2: body_base64 is "*", which is no Base64'),
    "violation": (
        {**GOOD, "violations": [{"rule": "a"}]},
        "line 2: an object of 1 member is no violation: it must have rule, pointer, message and provenance, as texts",
    ),
    "advice": (
        {**GOOD, "advice": ["a"]},
        'line 2: "a" is no advice: it must have pointer, message and provenance, as texts',
    ),
    "members of advice": (
        {**GOOD, "advice": [{"pointer": 5, "message": [], "provenance": "seed"}]},
        "line 2: an object of 3 members is no advice: it must have pointer, message and provenance, as texts",
    ),
    "infinite": (
        '{"at": 1e999, "method": "GET", "target": "/", "status": 200}',
        "line 2: at is inf; it must be a number of seconds",
    ),
    "huge": (
        {**GOOD, "began": 10**30},
        "line 2: began is an integer of about 30 digits; it must be a number of seconds",
    ),
    "status": ({**GOOD, "status": -1}, "line 2: status is -1; it must be a whole number of 0 to 999"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_line_is_named_in_a_sentence(name: str) -> None:
    wrong, sentence = WRONG[name]
    with pytest.raises(Unreadable) as raised:
        list(read([json.dumps(GOOD), wrong if isinstance(wrong, str) else json.dumps(wrong)]))
    assert str(raised.value) == sentence
