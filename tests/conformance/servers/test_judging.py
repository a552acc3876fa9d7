"""The verdict of a check, and what a hostile server cannot do to a run."""

import json
import socket
from io import BytesIO
from struct import pack
from typing import Any
from zlib import compress, crc32

import pytest
from PIL import Image

from checking import ENOUGH, checked
from raw_server import Saying, answer, envelope, raw_server
from run_bad_server import bad_server
from safelight.conformance.servers.judging import MAX_FINDINGS
from safelight.conformance.verdicts import Verdict


@pytest.mark.parametrize(
    ("name", "check", "options", "verdict"),
    [
        ("good", "S33", {}, Verdict.PASS),
        ("accepts-51-steps", "S33", {}, Verdict.FAIL),
        ("accepts-a-seed-of-minus-2", "S33", {}, Verdict.PASS),
        ("accepts-a-seed-of-minus-2", "S33", {"is_strict": True}, Verdict.FAIL),
        ("the-balance-never-falls", "S60", {}, Verdict.NON_STRICT),
        ("the-same-request-is-one-task", "S63", {}, Verdict.INFO),
        ("good", "S50", {"max_paid": 0}, Verdict.NOT_ASKED),
        ("good", "S63", {"max_paid": 1}, Verdict.NOT_ASKED),
        ("good", "S42", {"max_paid": 0}, Verdict.NOT_ASKED),
        ("good", "S43", {"other_key": ""}, Verdict.NOT_ASKED),
        ("good", "S33", {"max_surprise": 0}, Verdict.NOT_ASKED),
        ("loses-the-answer-to-a-submit", "S50", {}, Verdict.INCOMPLETE),
        ("loses-the-answer-to-a-submit", "S53", {}, Verdict.INCOMPLETE),
    ],
)
def test_the_verdict_says_what_was_seen(name: str, check: str, options: dict[str, Any], verdict: Verdict) -> None:
    with bad_server(name) as server:
        found = checked(server.url, [check], **options)
    assert found.verdicts()[check] is verdict


def test_findings_beyond_a_bound_are_counted_and_have_no_rule_that_a_waiver_could_name() -> None:
    with bad_server("malformed-is-422") as server:
        (one,) = checked(server.url, ["S30"], is_strict=True).results
    assert len(one.findings) == MAX_FINDINGS
    assert one.findings[-1].sentence.endswith(" more of this check")
    assert one.findings[-1].rule == "more"


@pytest.mark.parametrize(
    ("name", "check"),
    [("errors-show-sql", "S13"), ("crashes-on-an-empty-body", "S14"), ("echoes-the-key-in-errors", "S15")],
)
def test_what_rides_along_can_be_sent_again_with_the_key_of_the_shell(name: str, check: str) -> None:
    with bad_server(name) as server:
        found = checked(server.url, [check, "S34", "S40"], max_paid=0, max_surprise=ENOUGH)
    lines = [one.curl for result in found.results if result.id == check for one in result.findings if one.curl]
    assert lines
    assert all("$SAFELIGHT_API_KEY" in line for line in lines)


def test_an_amount_is_told_to_the_credit() -> None:
    with bad_server("tasks-are-paid-twice") as server:
        (one,) = checked(server.url, ["S60"]).results
    assert {finding.got for finding in one.findings} == {"1000000000, then 999999980"}


def _submits_and(poll: Any, picture: bytes = b"") -> Saying:
    """A server whose polls say this."""

    def say(connection: socket.socket, head: bytes, body: bytes) -> None:
        if b"picture" in head:
            connection.sendall(answer(picture))
        elif b"task_status&task_id=7" in head:
            where = f"http://{head.split(b'ost: ')[1].split(chr(13).encode())[0].decode()}/picture"
            said = poll if isinstance(poll, bytes) else json.dumps(envelope(poll)).encode()
            connection.sendall(answer(said.replace(b"WHERE", where.encode())))
        elif head.startswith(b"POST") and json.loads(body).get("prompt"):
            connection.sendall(answer(envelope({"id": "7", "status": "queued"})))
        else:
            connection.sendall(answer(envelope({"balance": 1}) if b"balance" in head else envelope(error="no")))

    return say


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))


def _bomb(side: int) -> bytes:
    """A PNG that says that it is large, and whose pixels are missing."""
    head = _chunk(b"IHDR", pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + _chunk(b"IDAT", compress(bytes(400_000))) + _chunk(b"IEND", b"")


def _cut() -> bytes:
    file = BytesIO()
    Image.new("RGB", (512, 512)).save(file, "PNG")
    return file.getvalue()[:-40]


#: Characters that a URL has at most.
MAX_URL = 60_000

DONE = {"id": "7", "status": "completed", "created_at": None, "result": {"image_url": "WHERE"}}


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (_bomb(512), "no picture that can be decoded"),
        (_bomb(12_000), "no picture that can be decoded"),
        (_bomb(60_000), "no picture that can be decoded"),
        (_bomb(1_000), "another size"),
        (_cut(), "no picture that can be decoded"),
        (b"", "no picture that can be decoded"),
        (b"<html>", "no picture that can be decoded"),
    ],
)
def test_a_picture_that_is_none_is_a_finding(picture: bytes, sentence: str) -> None:
    with raw_server(_submits_and(DONE, picture)) as server:
        found = checked(server.url, ["S56"], max_paid=1)
    assert sentence in found.results[0].findings[0].sentence


@pytest.mark.parametrize(
    "url", ["/picture", "http://[::1", "http://127.0.0.1:99999/", "file:///etc/passwd", "", 1, None, ["x"], "\ud800"]
)
def test_a_url_that_is_none_is_a_finding(url: object) -> None:
    with raw_server(_submits_and({**DONE, "result": {"image_url": url}})) as server:
        found = checked(server.url, ["S56"], max_paid=1)
    assert "the result's URL is" in found.results[0].findings[0].sentence


def test_a_picture_elsewhere_is_not_fetched_and_the_check_is_incomplete() -> None:
    with raw_server(_submits_and({**DONE, "result": {"image_url": "http://elsewhere.example/"}})) as server:
        found = checked(server.url, ["S56"], max_paid=1)
    assert found.verdicts() == {"S56": Verdict.INCOMPLETE}
    assert "--allow-host" in found.results[0].trials[0].remark


@pytest.mark.parametrize(
    "said",
    [
        b"[" * 100_000,
        b'{"success":true,"data":' + b'{"a":' * 90_000 + b"1" + b"}" * 90_000 + b"}",
        b'{"success":true,"data":{"id":' + b"9" * 5_000 + b',"status":"completed"},"error":null}',
        b'{"success":true,"data":{"id":"\\ud800","status":"completed","progress":NaN,"result":[]},"error":null}',
        b'{"success":true,"data":{"id":"7","status":["completed"],"progress":1e400},"error":null}',
        b'{"success":true,"data":{"id":"7","status":"failed","error":"\\u001b[31m\\u202e"},"error":null}',
    ],
)
def test_what_a_poll_says_cannot_break_a_run(said: bytes) -> None:
    with raw_server(_submits_and(said)) as server:
        found = checked(server.url, ["S5*"], max_paid=1, deadline=0.2)
    assert len(found.run.followed) == 1
    assert Verdict.FAIL in found.verdicts().values() or b"failed" in said
    assert found.verdicts()["S56"] in (Verdict.INCOMPLETE, Verdict.FAIL)


@pytest.mark.parametrize("balance", ["1e400", "NaN", "9" * 400, '"100"', "null", "[]", "-1"])
def test_a_balance_that_is_none_cannot_break_a_run(balance: str) -> None:
    def say(connection: socket.socket, head: bytes, body: bytes) -> None:
        if b"user_balance" in head:
            connection.sendall(answer(f'{{"success":true,"data":{{"balance":{balance}}},"error":null}}'.encode()))
        else:
            _submits_and(DONE)(connection, head, body)

    with raw_server(say) as server:
        found = checked(server.url, ["S60"], max_paid=1)
    assert found.verdicts() == {"S60": Verdict.NON_STRICT}


@pytest.mark.parametrize("task_id", ["x" * 100_000, "'\"\r\n\u202e\0&endpoint=image_generation", "\ud800", "../..", 7])
def test_an_id_of_any_form_is_followed_and_named(task_id: object) -> None:
    def say(connection: socket.socket, head: bytes, _: bytes) -> None:
        if head.startswith(b"POST"):
            connection.sendall(answer(envelope({"id": task_id, "status": "queued"})))
        else:
            connection.sendall(answer(envelope({"balance": 1})))

    with raw_server(say) as server:
        found = checked(server.url, ["S50"], max_paid=1, deadline=0.2)
        asked = [head for head, _ in server.requests if b"task_id=" in head]
    assert len(found.run.followed) == 1
    assert asked or len(str(task_id)) > MAX_URL
    assert all(str(found.run.followed[0]).isprintable() for _ in asked)


def test_an_account_without_credits_is_no_fault_of_the_server() -> None:
    def say(connection: socket.socket, head: bytes, body: bytes) -> None:
        if head.startswith(b"POST"):
            connection.sendall(answer(envelope(error="Insufficient balance"), "402 Payment Required"))
        else:
            _submits_and(DONE)(connection, head, body)

    with raw_server(say) as server:
        found = checked(server.url, ["S50", "S53"], max_paid=1)
    assert set(found.verdicts().values()) == {Verdict.INCOMPLETE}
    assert found.results[0].trials[0].remark == "the account has too few credits"
    assert found.run.followed == []
