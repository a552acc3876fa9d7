"""What each fault makes of the answers that there are: of a submit, of a poll in each phase, and of a picture."""

import gzip
import json
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from fake import PNG, SUBMIT, Fake, status_of
from safelight.mockserver.faults.catalogue import faults, read_fault
from safelight.mockserver.faults.catalogue.bytes import PHP_WARNING
from safelight.mockserver.faults.rules import FaultRule, read_rule
from safelight.mockserver.model.messages import Reply, Request, failure, success
from safelight.mockserver.model.second_origin import at_second_origin
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.wire import Send, Wait
from safelight.mockserver.sessions.opening import task_profile
from safelight.testing.safelight import Safelight
from safelight.traffic.transcript import transcript

ID: Final = "0190"
HOME: Final = "http://127.0.0.1:8000"
URL: Final = f"{HOME}/uploads/5afe/{ID}.png"
POLL: Final = Request("GET", "/v1/index.php", f"endpoint=task_status&task_id={ID}", origin=HOME)


def _polled(status: str, **more: Any) -> Reply:
    return success({"id": ID, "status": status, "result": None, **more})._replace(request=POLL)


#: The replies that faults are for, by what they are.
REPLIES: Final[Mapping[str, Reply]] = {
    "submit": success({"id": ID, "status": "queued"})._replace(request=Request("POST", "/v1/index.php", SUBMIT)),
    "queued": _polled("pending"),
    "running": _polled("processing", progress=30),
    "done": _polled("completed", result={"image_url": URL}),
    "failed": _polled("failed", error="out of memory"),
    "refused": failure(404, "No such task")._replace(request=POLL),
    "picture": Reply(200, PNG + bytes(range(200)), "image/png", request=Request("GET", f"/uploads/5afe/{ID}.png")),
}


def struck(fault: str, reply: Reply) -> Reply:
    found: Reply = read_rule(f"poll: {fault}").fault.strike(reply)
    return found


def document(reply: Reply) -> Any:
    return json.loads(reply.body)


def data(reply: Reply) -> Any:
    return document(reply)["data"]


def _is_error(status: int, message: str) -> Callable[[Reply, Reply], bool]:
    error = {"success": False, "data": None, "error": {"message": message}}
    return lambda after, _: (after.status, document(after)) == (status, error)


def _is_text(status: int, text: str, media_type: str) -> Callable[[Reply, Reply], bool]:
    return lambda after, _: (after.status, after.body.decode(), after.media_type) == (status, text, media_type)


def _begins(beginning: bytes, instead: bytes = b"") -> Callable[[Reply, Reply], bool]:
    return lambda after, before: after == before._replace(body=beginning + before.body.removeprefix(instead))


def _has(**changed: Any) -> Callable[[Reply, Reply], bool]:
    """These fields of the data are others, and all the rest is as it was."""
    return lambda after, before: after == before._replace(body=success({**data(before), **changed}).body)


def _lacks(name: str) -> Callable[[Reply, Reply], bool]:
    return lambda after, before: data(after) == {at: held for at, held in data(before).items() if at != name}


def _is_done_at(url: Any) -> Callable[[Reply, Reply], bool]:
    return _has(result={"image_url": url})


def _retries(after: str | None) -> Callable[[Reply, Reply], bool]:
    return lambda reply, _: (reply.status, reply.headers.get("retry-after")) == (429, after)


def _sends(name: str, sent: Callable[[Reply], bytes], length: int = 0) -> Callable[[Reply, Reply], bool]:
    """On the wire there is this body, and a length that is off by so much."""

    def holds(after: Reply, before: Reply) -> bool:
        assert after.wire is not None
        head, _, body = b"".join(step.data for step in after.wire.steps if isinstance(step, Send)).partition(
            b"\r\n\r\n"
        )
        stated = f"content-length: {len(before.body) + length}".encode()
        return after.wire.name == name and body == sent(before) and stated in head.split(b"\r\n")

    return holds


def _half(reply: Reply) -> bytes:
    return reply.body[: len(reply.body) // 2]


#: A fault, the replies that it is for, and what holds of what it makes of them; the others stay as they are.
STRIKES: Final[list[tuple[str, str, Callable[[Reply, Reply], bool]]]] = [
    ("http 404", "*", _is_error(404, "Not Found")),
    ("refuse 402 'Insufficient balance'", "*", _is_error(402, "Insufficient balance")),
    ("refuse 400 '\x1b[31mred'", "*", _is_error(400, "\x1b[31mred")),
    ("unsuccessful 'out of memory'", "*", _is_error(200, "out of memory")),
    ("throttle", "*", _retries("2")),
    ("throttle 0.5", "*", _retries("0.5")),
    ("throttle soon", "*", _retries("soon")),
    ("throttle none", "*", _retries(None)),
    ("body 200 '[1, 2' text/plain", "*", _is_text(200, "[1, 2", "text/plain")),
    ("body 418 ''", "*", lambda after, before: after == before._replace(status=418, body=b"", media_type=JSON)),
    ("html", "*", lambda after, _: after.status == 502 and b"<h1>502 Bad Gateway</h1>" in after.body),
    ("html 200", "*", lambda after, _: (after.status, after.media_type) == (200, "text/html")),
    ("empty", "*", lambda after, before: after == before._replace(status=200, body=b"")),
    ("empty 204", "*", lambda after, before: after == before._replace(status=204, body=b"")),
    ("nodata", "json", lambda after, _: document(after) == {"success": True, "data": None, "error": None}),
    ("garbled", "*", lambda after, before: after == before._replace(body=_half(before))),
    ("id missing", "task", _lacks("id")),
    ("id null", "task", _has(id=None)),
    ("id number", "task", _has(id=190)),
    ("id object", "task", _has(id={"id": ID})),
    ("id other", "task", _has(id="0191")),
    ("word warming_up", "task", _has(status="warming_up")),
    ("shout", "task", lambda after, before: data(after)["status"] == data(before)["status"].upper()),
    ("progress absent", "running", _lacks("progress")),
    ("progress null", "running", _has(progress=None)),
    ("progress falling", "running", _has(progress=70)),
    ("progress 250", "running", _has(progress=250)),
    ("progress -1.5", "running", _has(progress=-1.5)),
    ("progress 45%", "running", _has(progress="45%")),
    ("progress nan", "running", _has(progress="nan")),
    ("result null", "done", _has(result=None)),
    ("result empty", "done", _has(result={})),
    ("result blank", "done", _is_done_at("")),
    ("result relative", "done", _is_done_at(f"/uploads/5afe/{ID}.png")),
    ("result elsewhere", "done", _is_done_at(f"http://localhost:8000/elsewhere/uploads/5afe/{ID}.png")),
    ("result gone", "done", _is_done_at(f"{HOME}/uploads/5afe/gone.png")),
    ("set data.result.image_url ../../x", "done", _is_done_at("../../x")),
    ("set data.result.image_url null", "done", _is_done_at(None)),
    ('set data.result {"image_url":1,"image_url":[ 2]}', "done", lambda after, _: b':1,"image_url":[ 2]' in after.body),
    ('set data.error {"message":"no ink"}', "failed", _has(error={"message": "no ink"})),
    ("set data.progress 1e400", "running", lambda after, _: b'"progress":1e400}' in after.body),
    (r'set data.error "\ud800"', "failed", lambda after, _: rb'"error":"\ud800"}' in after.body),
    ("set error.message no ink", "refused", _is_error(404, "no ink")),
    ("remove data.error", "failed", _lacks("error")),
    ("remove data.result", "done", _lacks("result")),
    ("remove data.result.image_url", "done", _has(result={})),
    ("remove data", "json", lambda after, before: document(after).keys() == document(before).keys() - {"data"}),
    ("status 201", "*", lambda after, before: after == before._replace(status=201)),
    ("filename ../x", "done", _is_done_at(f"{URL}/..%2Fx")),
    ("extra", "task", lambda after, _: "x_unknown" in document(after).keys() & data(after).keys()),
    ("extra", "refused", lambda after, _: "x_unknown" in document(after)["error"]),
    ("extra", "done", lambda after, _: "x_unknown" in data(after)["result"]),
    ("mistype data.status", "task", _has(status=7)),
    ("mistype data.progress", "running", _has(progress="30")),
    ("mistype data.result.image_url", "done", _is_done_at(7)),
    ("mistype data.result", "done", _has(result=[{"image_url": URL}])),
    ("mistype success", "refused", lambda after, _: document(after)["success"] == "false"),
    ("mistype", "queued", lambda after, _: data(after) == {"id": 7, "status": 7, "result": []}),
    ("mistype", "done", lambda after, _: data(after)["result"] == {"image_url": 7}),
    ("warning", "json", _begins(PHP_WARNING)),
    ("bom", "json", _begins(b"\xef\xbb\xbf")),
    ("nan", "json", _begins(b'{"seconds":NaN,', b"{")),
    ("twice", "json", _begins(b'{"success":false,"data":null,', b"{")),
    ("deep 3", "json", _begins(b'{"deep":[[[]]],', b"{")),
    ("huge 1", "json", lambda after, before: document(after) == {**document(before), "padding": "x" * 1_000_000}),
    ("huge 1", "picture", lambda after, before: after == before._replace(body=before.body + bytes(1_000_000))),
    ("mediatype text/plain", "*", lambda after, before: after == before._replace(media_type="text/plain")),
    ("charset utf-16", "json", lambda after, before: after.body.decode("utf-16") == before.body.decode()),
    ("length 10", "*", _sends("length", lambda before: before.body, 10)),
    ("length -10", "*", _sends("length", lambda before: before.body, -10)),
    ("length -10", "*", lambda after, before: after.body == before.body[:-10]),
    ("gzip", "*", lambda after, _: after.headers["content-encoding"] == "gzip"),
    ("bomb 2", "json", lambda after, before: gzip.decompress(after.body) == b" " * 2_000_000 + before.body),
    ("cut 0", "*", _sends("cut", lambda _: b"")),
    ("cut", "*", _sends("cut", _half)),
    ("cut 99", "*", _sends("cut", lambda before: before.body[: len(before.body) * 99 // 100])),
    ("stall", "*", _sends("stall", _half)),
    ("drip 5", "*", _sends("drip", lambda before: before.body)),
    ("idle", "*", _sends("idle", lambda before: before.body)),
    ("hang 2", "*", _sends("hang", lambda before: before.body)),
    ("hang", "*", lambda after, _: after.wire is not None and after.wire.steps == (Wait(),)),
    ("close", "*", lambda after, _: after.wire is not None and after.wire.steps == ()),
    ("truncate 10", "*", _sends("truncate", lambda before: before.body[:10])),
    ("truncate 9999", "*", _sends("truncate", lambda before: before.body[:-1])),
    ("corrupt", "*", lambda after, before: len(after.body) == len(before.body) and after.body != before.body),
    (
        "filename '/etc/\"x'",
        "picture",
        lambda after, _: after.headers["content-disposition"] == 'attachment; filename="/etc/\\"x"',
    ),
    (
        "filename é",
        "picture",
        lambda after, _: after.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A9",
    ),
    ("redirect 301 here", "queued", lambda after, _: after.headers["location"] == f"{_target(POLL)}&redirected=1"),
    (
        "redirect",
        "queued",
        lambda after, _: after.headers["location"] == at_second_origin(f"{_target(POLL)}&redirected=1"),
    ),
]

JSON: Final = "application/json"

#: Words for several replies.
SEVERAL: Final = {
    "*": set(REPLIES),
    "json": set(REPLIES) - {"picture"},
    "task": set(REPLIES) - {"picture", "refused"},
}


def _target(request: Request) -> str:
    return f"{request.origin}{request.path}?{request.query}"


@pytest.mark.parametrize(("fault", "which", "holds"), STRIKES, ids=[f"{fault} {at}" for fault, at, _ in STRIKES])
def test_a_fault_makes_of_an_answer_what_it_says(fault: str, which: str, holds: Callable[[Reply, Reply], bool]) -> None:
    for name in SEVERAL.get(which, {which}):
        assert holds(struck(fault, REPLIES[name]), REPLIES[name]), name


@pytest.mark.parametrize(
    ("fault", "spared"),
    [
        *(
            (fault, name)
            for fault in ("nodata", "warning", "bom", "nan", "twice", "deep", "bomb")
            for name in ["picture"]
        ),
        *((fault, name) for fault in ("id", "word", "shout") for name in ("picture", "refused")),
        *(("progress 250", name) for name in REPLIES if name != "running"),
        *(
            (fault, name)
            for fault in ("result gone", "filename x")
            for name in REPLIES
            if name not in ("done", "picture")
        ),
        ("set data.error null", "done"),
        ("set data.error.message null", "failed"),
        ("remove data.result.video_url", "done"),
        *((fault, "picture") for fault in ("extra", "mistype", "charset")),
        ("mistype data.nothing", "done"),
        ("mistype data.status.deeper", "done"),
    ],
)
def test_where_there_is_nothing_to_spoil_the_answer_stays(fault: str, spared: str) -> None:
    assert struck(fault, REPLIES[spared]) == REPLIES[spared]


def test_every_fault_stands_in_the_table() -> None:
    assert {fault.split()[0] for fault, _, _ in STRIKES} | {"chunk", "mixed", "reset"} == set(faults())


@pytest.mark.parametrize("name", faults())
def test_a_fault_is_written_as_it_is_read(name: str) -> None:
    rule = read_rule(f"poll#2: {name}")
    assert rule.fault == faults()[name]() == read_fault(name)
    assert read_rule(str(rule)) == rule


@pytest.mark.parametrize(
    "fault",
    [
        "drip 1234567.891",
        "hang inf",
        "hang 0.1",
        "refuse 400 after",
        "refuse 400 ''",
        'body 200 \'{"a": "b\'"\'"\'"}\'',
    ],
)
def test_settings_are_written_to_the_last_digit_and_letter(fault: str) -> None:
    rule = read_rule(f"poll: {fault} before")
    assert read_rule(str(rule)) == rule


#: A fault that cannot be, and why.
MISTAKES: Final[list[tuple[str, str]]] = [
    ("refuse 200", "200 is no HTTP status of an error: give 400 to 599"),
    ("html 199", "199 is no HTTP status of an answer: give 200 to 599"),
    ("html 204", "an answer with HTTP status 204 has no body: write empty 204"),
    ("body 304 x", "an answer with HTTP status 304 has no body: write empty 304"),
    ("empty 600", "600 is no HTTP status of an answer: give 200 to 599"),
    ("body 200 'x' text", '"text" is no media type: write text/plain'),
    ("mediatype 'text/html\r\nx-a: b'", '"text/html\\r\\nx-a: b" is no media type: write text/plain'),
    ("throttle ''", '"" cannot be the value of Retry-After: give 1 to 200 visible ASCII characters'),
    ("id nul", '"nul" is no kind of id; did you mean null?'),
    ("id 7", '"7" is no kind of id: give missing, null, number, object or other'),
    ("result elsewher", '"elsewher" is no kind of result; did you mean elsewhere?'),
    ("mistype data..id", '"data..id" is no path: write data.status'),
    ("charset utf16le", '"utf16le" is no charset that it can be in; did you mean utf-16?'),
    ("length 0", "a length that is off by 0 is right: give more, or fewer such as -10"),
    ("bomb 1001", "1001 cannot be the megabytes of bomb: give 1 to 1,000"),
    ("huge 257", "257 cannot be the megabytes of huge: give 1 to 256"),
    ("deep 0", "0 cannot be the depth of deep: give 1 to 1,000,000"),
    ("cut 100", "100 cannot be the percent of cut: give 0 to 99"),
    ("hang nan", "nan cannot be the seconds of hang: give 0 to inf"),
    ("hang -1", "-1 cannot be the seconds of hang: give 0 to inf"),
    ("drip 0", "0 cannot be the rate of drip: give 0.01 to 1,000,000,000,000"),
    ("truncate -1", "-1 cannot be the bytes of truncate: give 0 to 1,000,000,000,000"),
    ("filename 'a\nb'", "a header cannot carry this name: leave out what cannot be printed"),
    ("redirect 304", '"304" is no HTTP status of a redirect: give 301, 302, 303, 307 or 308'),
    ("redirect 302 away", '"away" is no place to redirect to: give here, elsewhere or loop'),
]


@pytest.mark.parametrize(("fault", "sentence"), MISTAKES)
def test_what_cannot_be_is_a_sentence(fault: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        read_rule(f"poll: {fault}")
    assert str(raised.value).split("\n")[0] == sentence


def test_a_date_to_come_back_at_is_one_of_http() -> None:
    date = struck("throttle date", REPLIES["queued"]).headers["retry-after"]
    assert date.endswith(" GMT")
    assert parsedate_to_datetime(date).tzname() == "UTC"


@pytest.mark.parametrize(
    ("task_id", "number", "other"),
    [("7" * 40, 10**19, "7" * 39 + "8"), ("abc-ef", 10**19, "abc-ea"), ("", 10**19, "0"), ("né", 10**19, "n0")],
)
def test_any_id_can_be_spoiled(task_id: str, number: int, other: str) -> None:
    reply = success({"id": task_id})
    assert [data(struck(f"id {kind}", reply))["id"] for kind in ("number", "other")] == [number, other]


@pytest.mark.parametrize(
    ("url", "there"),
    [
        ("http://127.0.0.1:8000/a?b=c", "http://localhost:8000/elsewhere/a?b=c"),
        ("http://localhost:8000/elsewhere/a", "http://127.0.0.1:8000/elsewhere/a"),
        ("https://[::1]:8000/a", "https://localhost:8000/elsewhere/a"),
        ("http://fake.example/a", "http://localhost/elsewhere/a"),
    ],
)
def test_elsewhere_is_the_other_name_of_this_machine(url: str, there: str) -> None:
    assert at_second_origin(url) == there


@pytest.mark.parametrize("begun", [99_990, 97_990, 50_000])
def test_of_an_answer_that_is_too_large_not_even_half_a_key_is_kept(begun: int) -> None:
    fake = planned()
    text = ("x" * (begun - 2) + fake.key).ljust(200_000)
    fake.session.plan.add(FaultRule("poll", faults()["body"](200, f'"{text}"'), after=True))
    fake.send("GET", status_of(fake.submit()))
    assert 90_000 < len(fake.journal[-1].answer) < 100_000
    assert fake.key[:6].encode() not in fake.journal[-1].answer


def planned(*rules: str, **told: Any) -> Fake:
    return Fake(Settings(task_profile(**told), plan=tuple(rules)), checked=False)


@pytest.mark.parametrize("way", ["header", "bearer", "query", "body"])
def test_a_key_that_is_brought_to_the_other_origin_is_noticed(way: str) -> None:
    fake = planned("submit#1: redirect 307 elsewhere")
    body = json.dumps({"prompt": "a", **({"api_key": fake.key} if way == "body" else {})}).encode()
    target = SUBMIT + (f"&api_key={fake.key}" if way == "query" else "")
    sent = {"header": {"x-api-key": fake.key}, "bearer": {"authorization": f"Bearer {fake.key}"}}.get(way, {})
    there = urlsplit(fake.send("POST", target, body, sent, key="").headers["location"])
    assert (there.netloc, there.path) == ("127.0.0.1", "/elsewhere/v1/index.php")
    assert fake.send("POST", f"{there.path}?{there.query}", body, sent, key="").status == 200
    assert [
        [advice.message for advice in exchange.advice if "origin" in advice.message] for exchange in fake.journal
    ] == [
        [],
        ["the key was sent to another origin, where a redirect had led"],
    ]
    assert len(fake.tasks) == 1


def test_a_picture_can_be_elsewhere_and_needs_no_key_there() -> None:
    fake = planned("poll: result elsewhere", polls=(0, 0))
    url = urlsplit(fake.poll(fake.submit(width=16, height=16))["result"]["image_url"])
    assert fake.send("GET", url.path, key="").body.startswith(PNG)
    assert fake.journal[-1].advice == []
    fake.send("GET", url.path)
    assert len(fake.journal[-1].advice) == 1


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [
        ("image#1-2: http 404", [404, 404, 200]),
        ("image: http 410", [410, 410, 410]),
        ("image: html 200", [200, 200, 200]),
        ("image: drip 1000", [200, 200, 200]),
        ("image: huge 1", [200, 200, 200]),
    ],
)
def test_pictures_go_wrong_by_other_faults_too(rule: str, statuses: list[int]) -> None:
    fake = planned(rule, polls=(0, 0))
    task_id = fake.submit(width=16, height=16)
    fake.poll(task_id)
    assert [fake.picture(task_id).status for _ in statuses] == statuses
    assert fake.journal[-1].operation == "upload"


#: Dialect -> what an error has beside `success` and `data`.
ERRORS: Final[Mapping[str, Mapping[str, Any]]] = {
    "object": {"error": {"message": "out of memory"}},
    "string": {"error": "out of memory"},
    "message": {"message": "out of memory"},
}


@pytest.mark.parametrize("errors", ERRORS)
@pytest.mark.parametrize("fault", ["unsuccessful 'out of memory'", "refuse 402 'out of memory'"])
def test_an_error_is_in_the_dialect_whatever_its_status(fault: str, errors: str) -> None:
    fake = Fake(Settings(task_profile(), plan=(f"submit: {fault}",), errors=errors), checked=False)
    answer = document(fake.send("POST", SUBMIT, b'{"prompt": "a"}'))
    assert answer == {"success": False, "data": None, **ERRORS[errors]}


@pytest.mark.parametrize(
    "fault",
    [*faults(), "body 200 [1]", "body 200 '{\"data\": [1]}'", "mistype data.error", "body 500 '{\"success\":false,'"],
)
def test_whatever_strikes_the_story_can_be_told_and_is_not_large(fault: str) -> None:
    fake = Fake(Settings(task_profile(fail_rate=1), plan=(f"poll: {fault}",), errors="string"), checked=False)
    task_id = fake.submit()
    for _ in range(2):
        fake.send("GET", status_of(task_id))
    told = transcript(fake.journal, {})
    assert (fault.split(maxsplit=1)[0] in told) is (fault not in NOTHING_TO_SPOIL)
    assert all(exchange.size < 110_000 for exchange in fake.journal)


#: What finds nothing in the answer about a failed task.
NOTHING_TO_SPOIL: Final = ("result", "progress", "set", "filename")

#: A rule -> a request in whose answer there is nothing for it to spoil.
IDLE: Final = {
    "poll: result null": "poll",
    "poll: progress falling": "poll",
    "poll: mistype data.stauts": "poll",
    "submit: progress 250": "submit",
    "image: bom": "image",
    "image: charset utf-16": "image",
}


@pytest.mark.parametrize("rule", IDLE)
def test_what_finds_nothing_to_spoil_has_not_struck(rule: str) -> None:
    fake = Fake(Settings(task_profile(polls=(9, 9)), plan=(rule,)))
    task_id = fake.submit(width=8, height=8)
    fake.word(task_id)
    fake.next(queued=0, running=0)
    fake.picture(fake.submit(width=8, height=8))
    assert {exchange.fault for exchange in fake.journal} == {""}
    [missed] = fake.session.plan.undelivered()
    assert missed.was_due
    times = {"submit": 2}.get(IDLE[rule], 1)
    assert missed.reason == f"it was due {times} time{'s' * (times > 1)}, and there was nothing for it to spoil"


@pytest.mark.parametrize("host", ["127.0.0.1:99999", "[::::]", "[1.2.3.4]", "a b", "localhost:0"])
@pytest.mark.parametrize("rule", ["poll: redirect", "poll: result elsewhere"])
def test_whatever_host_a_client_names_a_fault_is_carried_out(host: str, rule: str) -> None:
    with Safelight(faults=[rule]) as api:
        headers = {"x-api-key": api.api_key, "host": host}
        api.next(queued=0, running=0)
        submitted = httpx.post(f"{api.url}?endpoint=image_generation", headers=headers, json={"prompt": "a"})
        query = {"endpoint": "task_status", "task_id": submitted.json()["data"]["id"]}
        assert httpx.get(api.url, params=query, headers=headers).status_code in (200, 307)
        assert api.plan.undelivered() == []
