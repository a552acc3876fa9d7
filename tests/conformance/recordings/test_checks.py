"""What a server in a record breaks is found by the check for it, and what it may do is not."""

import json
from collections.abc import Sequence
from typing import Any, Final

import pytest

from fake import SUBMIT, Fake, status_of
from histories import LOST, UUID, balance, done, error, exchange, failed, poll, running, submit, success, unknown
from parts import Part, check_fresh, table
from safelight.conformance.recordings.judging import MAX_TOLD, Judging, asked_of_records
from safelight.conformance.recordings.speech import Speech
from safelight.conformance.results import Result
from safelight.conformance.verdicts import Severity, Verdict
from safelight.contracts.dialects import dialects
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.sessions.opening import task_profile
from safelight.traffic.exchange import Exchange


def parts() -> list[Part]:
    return [Part("recordings.md", "checks", _table)]


def _table() -> str:
    return table(("check", "what holds", "level"), [(one.id, one.fact, one.severity) for one in asked_of_records()])


def test_the_table_of_the_page_is_that_of_the_checks() -> None:
    check_fresh(parts())


def judged(history: Sequence[Exchange], speech: Speech | None = None, *, strict: bool = False) -> dict[str, Result]:
    judging = Judging(speech or Speech(), strict)
    judging.all(history)
    return {result.id: result for result in judging.results()}


def broken(history: Sequence[Exchange], **options: Any) -> dict[str, Verdict]:
    """The checks that did not pass."""
    return {
        name: result.verdict for name, result in judged(history, **options).items() if result.verdict != Verdict.PASS
    }


def asked(**parameters: Any) -> bytes:
    return json.dumps({"prompt": "a lamp", **parameters}).encode()


def refused(at: float, status: int, answer: bytes, **more: Any) -> Exchange:
    return submit(at, status=status, answer=answer, **{"body": b"{}", **more})


PUBLIC: Final[dict[str, Any]] = {"answer_headers": {"cache-control": "public, max-age=60"}}

#: What a server did -> the check that finds it, what it comes to, and what is said.
WRONG: Final[dict[str, tuple[list[Exchange], str, Verdict, str]]] = {
    "an error that is HTML": ([refused(0, 400, b"<h1>no</h1>")], "S13", Verdict.FAIL, "is not JSON"),
    "an error without a message": ([refused(0, 400, error(""))], "S13", Verdict.INFO, "assumed"),
    "an error that is a text": (
        [refused(0, 400, b'{"success":false,"data":null,"error":"no"}')],
        "S13",
        Verdict.FAIL,
        "/error, type, published",
    ),
    "a stack trace": ([refused(0, 400, error("Traceback (most recent call last)"))], "S13", Verdict.FAIL, "a stack"),
    "SQL": ([refused(0, 400, error("SQLSTATE[42000]"))], "S13", Verdict.FAIL, "shows SQL"),
    "a path": ([refused(0, 400, error("/var/www/index.php"))], "S13", Verdict.FAIL, "shows a path of the server"),
    "a 500": ([refused(0, 500, error())], "S14", Verdict.FAIL, "the answer is 500"),
    "the key in an error": ([refused(0, 400, error("Invalid key sk-..."))], "S15", Verdict.FAIL, "holds a key"),
    "the key in a header": ([poll(0, answer_headers={"x-echo": "sk-..."})], "S15", Verdict.FAIL, "header x-echo"),
    "an endpoint that is none": (
        [exchange("GET", "task_statuses", 0, success())],
        "S20",
        Verdict.FAIL,
        "task_statuses",
    ),
    "a submit by GET": ([submit(0)._replace(method="GET")], "S23", Verdict.FAIL, "GET is not the method"),
    "a number that is a text": ([submit(0, body=asked(width="512"))], "S30", Verdict.FAIL, "width"),
    "no prompt": ([submit(0, body=b"{}")], "S31", Verdict.FAIL, "prompt is missing"),
    "an empty prompt": ([submit(0, body=asked(prompt=""))], "S31", Verdict.INFO, "assumed"),
    "a width beyond its bound": ([submit(0, body=asked(width=2049))], "S33", Verdict.FAIL, "2049"),
    "an unknown workflow": ([submit(0, body=asked(workflow="animee"))], "S33", Verdict.INFO, "animee"),
    "a body that is cut": ([submit(0, body=b'{"prompt": "a')], "S34", Verdict.NON_STRICT, "not JSON"),
    "a public answer": ([poll(0, **PUBLIC)], "S44", Verdict.NON_STRICT, "public"),
    "an answer that lasts": (
        [poll(0, answer_headers={"cache-control": "max-age=9"})],
        "S44",
        Verdict.NON_STRICT,
        "max",
    ),
    "a 201": ([submit(0, status=201)], "S50", Verdict.FAIL, "success is 200"),
    "an id that is a number": ([submit(0, 7)], "S50", Verdict.FAIL, "data.id"),
    "another status word": (
        [submit(0, answer=success(id=UUID, status="pending", message=""))],
        "S50",
        Verdict.FAIL,
        "",
    ),
    "an error with 200": ([submit(0, answer=error("no"))], "S50", Verdict.FAIL, "holds an error"),
    "a submit that is right, refused": ([submit(0, status=400, answer=error("no"))], "S50", Verdict.INFO, "refused"),
    "an answer that is HTML": ([submit(0, answer=b"<html>")], "S50", Verdict.FAIL, "is not JSON"),
    "an answer that is empty": (
        [submit(0, answer=b"", answer_headers={"content-length": "0"})],
        "S50",
        Verdict.FAIL,
        "the document is empty",
    ),
    "a result that is no URL": ([done(0, "/1.png")], "S55", Verdict.FAIL, "/data/result/image_url, pattern, observed"),
    "no progress": ([poll(0, "processing")], "S55", Verdict.FAIL, "data.progress is missing"),
    "too many requests": ([poll(0, status=429, answer=error())], "S58", Verdict.NON_STRICT, "no Retry-After"),
    "a balance that is a text": ([balance(0, "9")], "S70", Verdict.FAIL, "data.balance"),  # type: ignore[arg-type]
    "nothing of the API": ([poll(0)._replace(target="/a")], "S70", Verdict.INCOMPLETE, ""),
    "unknown long after the submit": ([submit(0), unknown(9)], "S51", Verdict.NON_STRICT, "submit 1"),
    "running after queued": ([running(0), poll(1)], "S52", Verdict.FAIL, "from running to queued"),
    "done, then running": ([done(0), poll(1)], "S54", Verdict.FAIL, "final is final"),
    "progress falls": ([running(0, 5), running(1, 4)], "S57", Verdict.NON_STRICT, "never falls"),
    "paid twice": ([balance(0, 9), submit(1), balance(2, -11)], "S60", Verdict.NON_STRICT, "it is 9 or -1"),
    "one id for two": ([submit(0), submit(1)], "S63", Verdict.INFO, "had been given too"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_breaks_the_contract_is_found(name: str) -> None:
    history, check, verdict, said = WRONG[name]
    result = judged(history)[check]
    assert result.verdict is verdict
    assert said in "\n".join([*(finding.sentence for finding in result.findings), result.trials[0].remark])


def test_each_check_has_a_record_that_breaks_it() -> None:
    assert {check for _, check, _, _ in WRONG.values()} == {check.id for check in asked_of_records()}


#: What a server may do, and what is the fault of its client.
RIGHT: Final[dict[str, list[Exchange]]] = {
    "a life": [submit(0), poll(1), running(2, 5), done(3), balance(4, 9.5)],
    "a task that failed": [failed(0)],
    "a request that was wrong, refused": [refused(0, 400, error("prompt is missing"))],
    "refused for other reasons": [refused(0, 402, error()), refused(1, 401, error()), unknown(2, status=404)],
    "an engine that failed": [refused(0, 502, error("Upstream error: ComfyUI does not answer"))],
    "a word that ends as a key begins": [done(0, "https://a.example/task-...png")],
    "a wrong method, refused": [submit(0, status=405, answer=error())._replace(method="GET")],
    "no operation, refused": [exchange("GET", "nothing", 0, error(), status=404)],
    "too many requests, with a time": [poll(0, status=429, answer=error(), answer_headers={"retry-after": "1"})],
    "private": [poll(0, answer_headers={"cache-control": "private, max-age=60"})],
    "no answer": [submit(0, **LOST), poll(1, **LOST)],
    "an answer that was not recorded": [submit(0, answer=b""), poll(1, answer=b"", status=404)],
    "an answer that was cut": [poll(0)._replace(answer=b'{"success": tr', answer_bytes=500)],
    "a body that was not recorded": [submit(0, body=b"")],
    "a question of the browser's": [
        exchange("OPTIONS", "image_generation", 0, b"", status=204)._replace(media_type="")
    ],
    "what a planned fault did": [done(0), poll(1, status=500, fault="poll#2: http 500", answer=b"<html>")],
    "another entry": [poll(0)._replace(target=f"/proxy/api?endpoint=task_status&task_id={UUID}")],
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_a_server_may_do_is_no_finding(name: str) -> None:
    assert {
        name: [finding.sentence for finding in result.findings] for name, result in judged(RIGHT[name]).items()
    } == {name: [] for name in judged(RIGHT[name])}


def test_what_is_assumed_counts_where_that_is_asked_for() -> None:
    assert broken([submit(0, body=asked(prompt=""))], strict=True) == {"S31": Verdict.FAIL}
    assert broken([submit(0, body=asked(prompt=""))]) == {"S31": Verdict.INFO}


def test_many_findings_are_bounded_and_counted() -> None:
    result = judged([done(0), *(poll(number) for number in range(1, 1_000))])["S54"]
    assert len(result.findings) == MAX_TOLD + 1
    assert result.findings[-1].sentence == f"and {999 - MAX_TOLD} more"
    assert {finding.severity for finding in result.findings} == {Severity.MUST}
    assert len(result.trials[0].timeline) == MAX_TOLD


def test_a_check_that_had_nothing_to_judge_is_left_out() -> None:
    assert set(judged([balance(0, 1)])) == {"S14", "S15", "S44", "S60", "S70"}


def test_a_record_of_something_else_says_where_it_went() -> None:
    foreign = [
        exchange("GET", "", 0, b"")._replace(target="/", headers={"host": host})
        for host in ("a.example", "b.example") * 2
    ]
    result = judged(foreign)["S70"]
    assert "none of 4 exchanges is of this API: they went to a.example (2) and b.example (2)" in result.trials[0].remark


@pytest.mark.parametrize("setting", ["vocabulary", "errors", "limits", "requests"])
def test_the_fake_keeps_the_contract_in_each_dialect(setting: str) -> None:
    for name in dialects()[setting]:
        spoken: dict[str, Any] = {setting: name}
        fake = Fake(Settings(task_profile(running=2), balance=1_000, **spoken), checked=False)
        task_id = fake.submit(width=5_000 if name == "clamp" else 512)
        fake.send("GET", status_of(task_id))
        fake.clock.advance(5)
        fake.send("GET", status_of(task_id))
        fake.send("POST", SUBMIT, b"{}")
        fake.send("POST", SUBMIT, asked(workflow="of a name"))
        fake.ask("user_balance")
        fake.ask("task_status", task_id="nothing")
        found = judged(list(fake.journal), Speech(**spoken), strict=True)
        assert [finding for result in found.values() for finding in result.findings] == []
