"""HTTP archives: ours are read back as they were, and those of browsers and proxies are exchanges too."""

import io
import json
import subprocess
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from exchanges import exchanges
from fake import SUBMIT, Fake, status_of
from har_schema import HAR
from safelight import Safelight
from safelight.contracts import Phase
from safelight.mockserver.model.settings import Settings
from safelight.traffic import ndjson
from safelight.traffic.elements import CUT, elements
from safelight.traffic.exchange import Exchange
from safelight.traffic.expectations import contract_kept, key_only_where_read, submitted_once
from safelight.traffic.har import har, read
from safelight.traffic.ndjson import Unreadable
from safelight.traffic.redaction import without_keys
from safelight.traffic.transcript import transcript

VALIDATOR: Final = Draft202012Validator(HAR)
KEY: Final = "sk-0123456789abcdef"
URL: Final = "https://api.example/v1/index.php?endpoint="


def read_back(archive: Any) -> list[Exchange]:
    return list(read(io.StringIO(archive if isinstance(archive, str) else json.dumps(archive))))


@given(st.lists(exchanges(), max_size=3))
def test_our_own_archive_is_one_and_is_read_back(written: list[Exchange]) -> None:
    archive = har(written)
    assert [error.message for error in VALIDATOR.iter_errors(archive)] == []
    assert read_back(archive) == [without_keys(exchange) for exchange in written]


def test_a_journal_is_read_back_and_each_entry_has_its_page() -> None:
    fake = Fake()
    task_id = fake.submit(width=24)
    fake.poll(task_id)
    fake.send("POST", SUBMIT, b'{"prompt": ""}')
    archive = har(fake.journal)
    assert read_back(archive) == list(fake.journal)
    assert {entry["pageref"] for entry in archive["log"]["entries"]} == {page["id"] for page in archive["log"]["pages"]}


#: What Firefox does with an archive before it shows one entry: it walks the pages, and looks for that of each entry.
FIREFOX: Final = """
const { log } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const pages = new Map();
log.pages.forEach((page) => pages.set(page.id, page));
console.log(log.entries.filter((entry) => pages.get(entry.pageref).title).length);
"""


@pytest.mark.needs("node")
@pytest.mark.parametrize("number", [0, 2])
def test_firefox_takes_it_in(number: int) -> None:
    fake = Fake()
    for _ in range(number):
        fake.submit()
    archive = json.dumps(har(fake.journal))
    shown = subprocess.run(["node", "-e", FIREFOX], input=archive, capture_output=True, text=True, check=True)
    assert shown.stdout == f"{number}\n"


def entry(method: str, url: str, status: int, answer: Any = None, **more: Any) -> dict[str, Any]:
    """As a browser writes it, with nothing that the format lets it leave out."""
    content = {"mimeType": "application/json", **({} if answer is None else {"text": json.dumps(answer)})}
    request = {"method": method, "url": url, "headers": [], **more.pop("request", {})}
    response = {"status": status, "headers": [], "content": content, **more.pop("response", {})}
    return {
        "startedDateTime": "2026-07-01T12:00:00.000Z",
        "time": 12.5,
        "request": request,
        "response": response,
        **more,
    }


def archived(*entries: Any, **log: Any) -> str:
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "a", "version": "1"}, **log, "entries": entries}})


def success(**data: Any) -> dict[str, Any]:
    return {"success": True, "data": data, "error": None}


def prompt(**parameters: Any) -> dict[str, Any]:
    return {"postData": {"mimeType": "application/json", "text": json.dumps({"prompt": "a lamp", **parameters})}}


def chat() -> Iterator[dict[str, Any]]:
    yield entry("POST", f"{URL}image_generation", 200, success(id="7", status="queued"), request=prompt(cfg=3))
    yield entry("GET", f"{URL}task_status&task_id=7", 200, success(id="7", status="processing", progress=40))
    later = "2026-07-01T14:00:05.250+02:00"
    yield entry("GET", f"{URL}task_status&task_id=7", 200, success(status="done"), startedDateTime=later)
    yield entry(
        "GET", "https://cdn.example/7.png", 200, response={"content": {"mimeType": "image/png", "text": "iVBO"}}
    )


def test_a_browsers_archive_is_recognized() -> None:
    found = read_back(archived(*chat()))
    assert [(one.operation, one.task_id, one.phase, one.gap) for one in found] == [
        ("image_generation", "7", Phase.QUEUED, None),
        ("task_status", "7", Phase.RUNNING, 0),
        ("task_status", "7", Phase.DONE, 5.25),
        (None, None, None, None),
    ]
    assert [one.pointer for one in found[0].advice] == ["/cfg"]
    assert (found[0].took, found[0].target, found[3].answer) == (0.0125, "/v1/index.php?endpoint=image_generation", b"")
    assert submitted_once(found) is None
    assert "2 polls" not in transcript(found)
    assert "1     200 processing, 40 %  running" in transcript(found, began=found[0].at)


def test_what_a_client_did_wrong_is_seen_in_a_recording() -> None:
    found = read_back(archived(entry("POST", f"{URL}image_generation", 400, request=prompt(width=4096))))
    assert found[0].outcome == "image_generation.width.maximum"
    assert contract_kept(found) is not None


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", f"{URL}image_generation"),
        ("GET", f"{URL}nothing"),
        ("POST", "https://api.example/v2?endpoint=image_generation"),
        ("GET", "https://api.example"),
    ],
)
def test_what_is_no_request_of_the_api_is_not_taken_for_one(method: str, url: str) -> None:
    [found] = read_back(archived(entry(method, url, 200)))
    assert (found.operation, found.task_id, found.violations) == (None, None, [])


def test_a_body_that_was_not_recorded_is_not_judged() -> None:
    [found] = read_back(archived(entry("POST", f"{URL}image_generation", 200, success(id="1", status="queued"))))
    assert (found.operation, found.task_id, found.outcome) == ("image_generation", "1", "ok")


def test_pseudo_headers_are_left_out_and_names_are_in_lower_case() -> None:
    names = [(":authority", "api.example"), (":path", "/"), ("Accept", "a"), ("accept", "b"), ("X-Api-Key", KEY)]
    headers = [{"name": name, "value": value} for name, value in names]
    answered = [{"name": "Retry-After", "value": "2"}, {"name": "Set-Cookie", "value": KEY}]
    [found] = read_back(archived(entry("GET", URL, 429, request={"headers": headers}, response={"headers": answered})))
    assert found.headers == {"host": "api.example", "accept": "a, b", "x-api-key": "..."}
    assert found.answer_headers == {"retry-after": "2", "set-cookie": "..."}


def test_base64_and_forms_are_decoded() -> None:
    answer = {"content": {"mimeType": "application/json", "text": "eyJhIjogMX0=", "encoding": "base64"}}
    form = {"postData": {"mimeType": "a", "params": [{"name": "a b", "value": "c"}, {"name": "d", "value": "&"}]}}
    [found] = read_back(archived(entry("POST", URL, 200, request=form, response=answer)))
    assert (found.answer, found.body) == (b'{"a": 1}', b"a+b=c&d=%26")


def test_keys_are_taken_out_on_reading() -> None:
    asked = {"headers": [{"name": "Authorization", "value": f"Bearer {KEY}"}], **prompt(api_key=KEY)}
    found = read_back(
        archived(entry("POST", f"{URL}image_generation&api_key={KEY}", 200, {"echo": KEY}, request=asked))
    )
    assert KEY not in repr(found)


def test_a_key_in_base64_in_a_cookie_is_seen_in_a_recording() -> None:
    spelled = b64encode(KEY.encode()).decode()
    asked = {"headers": [{"name": "X-Api-Key", "value": KEY}, {"name": "Cookie", "value": f"session={spelled}"}]}
    found = read_back(archived(entry("GET", f"{URL}user_balance", 200, request=asked)))
    assert found[0].leaks == ("the header cookie (in Base64)",)
    assert key_only_where_read(found) is not None


@pytest.mark.parametrize(
    ("response", "wire"),
    [
        ({"_error": "net::ERR_CONNECTION_RESET", "statusText": ""}, "net::ERR_CONNECTION_RESET"),
        ({"statusText": "reset"}, "reset"),
        ({}, "no answer"),
        ({"status": None}, "no answer"),
        ({"status": -1, "_failureText": "net::ERR_ABORTED"}, "net::ERR_ABORTED"),
    ],
)
def test_a_request_without_an_answer_says_what_became_of_it(response: dict[str, Any], wire: str) -> None:
    [found] = read_back(archived(entry("GET", f"{URL}task_status&task_id=7", 0, response=response)))
    assert (found.status, found.wire, found.phase) == (0, wire, None)


def test_a_byte_order_mark_and_members_in_any_order_do_no_harm() -> None:
    text = '\ufeff {"a": [1, {"entries": 3}], "log": {"entries": [%s], "version": "1.2"}}'
    assert len(read_back(text % json.dumps(entry("GET", URL, 200)))) == 1
    assert read_back(text % "") == []


#: An archive, and what is said of it.
WRONG: Final = {
    "": f"the archive: {CUT}",
    "5": "the archive: there is no log: a JSON object is expected",
    "[]": "the archive: there is no log: a JSON object is expected",
    "{}": "the archive: there is no log",
    '{"log": {}}': "the archive: there is no entries",
    '{"log": {"entries": {}}}': "the archive: log.entries is no array",
    archived(entry("GET", URL, 200)).removesuffix("]}}"): f"the archive: {CUT}",
    '{"log": {"entries": [': f"the archive: {CUT}",
    '{"log": {"entries": [{"a": "b': f"the archive: {CUT}",
    archived(entry("GET", URL, 200)).replace("]}}", " 3]}}"): "the archive: log.entries is no array",
    '{"log": {"entries": [{"a": }': "the archive: it is no JSON: Expecting value",
    '{"log" {': "the archive: no value stands after the name log",
    '{"log": {"entries": [' + "[" * 100_000: "the archive: arrays and objects are nested too deep",
    archived(3): "entry 1: it is 3; an entry is an object",
    archived({"startedDateTime": "2026-07-01", "request": []}): "entry 1: request is []; it must be an object",
    archived({}): "entry 1: startedDateTime is null; it must be a date, as 2026-07-01T12:00:00.000Z",
    archived({**entry("GET", URL, 200), "request": {"headers": 5}}): "entry 1: headers is 5; it must be an array",
    archived({**entry("GET", URL, 200), "response": {"headers": {}}}): "entry 1: headers is {}; it must be an array",
    archived({**entry("GET", URL, 200), "request": {"postData": {"params": 5}}}): (
        "entry 1: params is 5; it must be an array"
    ),
    archived({"startedDateTime": "2026-07-01"}): "entry 1: method is missing; it must be a text",
}


@pytest.mark.parametrize("archive", WRONG)
def test_what_is_wrong_is_a_sentence_with_its_place(archive: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read_back(archive)
    assert str(raised.value) == WRONG[archive]


#: An archive with everything in which a document can be cut.
WHOLE: Final = (
    '{"a": [true, {"x": -1.25e-3, "\\u00e9": "\\ud83d\\ude00 \\n \U0001f4a1", "z": [null, false]}], '
    '"log": {"c": 1.5, "entries": [{"a": 1E+5, "b": -0.5, "c": "\\ud83d\\ude00"}, 5]}}'
).encode()


@pytest.mark.parametrize("size", range(1, WHOLE.rindex(b"]")))
def test_a_document_that_is_cut_is_said_to_be_cut_wherever_that_is(size: int) -> None:
    cut = WHOLE[:size]
    with pytest.raises(ValueError, match=f"^{CUT}$"):
        list(elements(io.TextIOWrapper(io.BytesIO(cut), "utf-8"), "log", "entries"))
    with pytest.raises(Unreadable, match=f"^line 1: {CUT}$"):
        list(ndjson.read([cut]))


class Slow(io.StringIO):
    """A file that gives a few characters at a time, and counts them."""

    given = 0

    def read(self, size: int | None = -1) -> str:
        assert size is not None
        text = super().read(min(size, 3))
        self.given += len(text)
        return text


VALUES: Final = st.recursive(st.none() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists)


@given(st.lists(VALUES), st.dictionaries(st.text(), VALUES))
def test_elements_are_found_wherever_the_document_is_cut(found: list[Any], others: dict[str, Any]) -> None:
    document = json.dumps({**others, "log": {**others, "entries": found}})
    assert list(elements(Slow(document), "log", "entries")) == found


def test_an_archive_is_read_as_it_comes() -> None:
    file = Slow(archived(*[entry("GET", URL, 200)] * 100))
    assert next(read(file)).status == 200
    assert file.given < 1_000


def test_an_empty_archive_of_ours_has_its_page() -> None:
    assert len(har([])["log"]["pages"]) == 1


def test_unknown_tasks_and_refusals_are_told_alike() -> None:
    fake = Fake()
    fake.send("GET", status_of("1"))
    [ours] = fake.journal
    stripped = har([ours])
    del stripped["log"]["entries"][0]["_safelight"]
    [found] = read_back(stripped)
    assert (found.operation, found.outcome, found.phase) == (ours.operation, ours.outcome, ours.phase)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("balance: reset", (0, "reset", 0, 0)),
        ("balance: close", (0, "close", 0, 0)),
        ("balance: hang", (0, "hang", 0, 0)),
        ("balance: http 503", (503, "Service Unavailable", 71, 0)),
        ("balance: cut 0", (200, "OK", 0, 0)),
        ("balance: redirect 302 here", (302, "Found", 0, 0)),
    ],
)
def test_an_entry_says_what_was_sent(rule: str, told: tuple[int, str, int, int]) -> None:
    fake = Fake(Settings(plan=(rule,)), checked=False)
    fake.ask("user_balance")
    [entry] = har(fake.journal)["log"]["entries"]
    response = entry["response"]
    assert (response["status"], response["statusText"], response["bodySize"], entry["time"]) == told
    assert response["content"]["size"] == response["bodySize"]
    assert response.get("_error", "") == fake.journal[0].wire
    assert (response["redirectURL"] != "") is ("redirect" in rule)
    assert entry["time"] == sum(entry["timings"].values())
    assert read_back(har(fake.journal)) == list(fake.journal)


def test_sizes_are_those_on_the_wire_though_pictures_and_keys_are_not_kept() -> None:
    fake = Fake()
    body = b'{"prompt": "a lamp", "width": 8, "height": 8, "api_key": "a-key-that-is-redacted"}'
    task_id = json.loads(fake.send("POST", SUBMIT, body).body)["data"]["id"]
    picture = fake.picture(task_id)
    submit, fetch = har(fake.journal)["log"]["entries"]
    assert submit["request"]["bodySize"] == len(body)
    assert fetch["response"]["content"] == {"size": len(picture.body), "mimeType": "image/png"}


def test_a_time_is_what_it_took_by_the_clock_of_the_session() -> None:
    with Safelight(speed=100, faults=["balance: hang 0.2"]) as api:
        request = urllib.request.Request(f"{api.url}?endpoint=user_balance", headers={"x-api-key": api.api_key})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            assert answer.status == 200
        [entry] = har(api.journal)["log"]["entries"]
    assert 10_000 < entry["time"] == entry["timings"]["wait"], "the wall's are 200 ms"


def test_a_client_that_left_got_nothing() -> None:
    with Safelight(faults=["balance: hang 100"]) as api, httpx.Client(trust_env=False, timeout=0.2) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"{api.url}?endpoint=user_balance", headers={"x-api-key": api.api_key})
        seen = api.journal
    [exchange] = seen
    assert (exchange.status, exchange.wire, exchange.answer, exchange.answer_bytes) == (0, "hang", b"", 0)
    assert exchange.took is not None
    assert "hang" in api.transcript


@pytest.mark.parametrize("read_of", [read_back, lambda text: list(ndjson.read([text]))])
def test_an_integer_of_5000_digits_is_a_sentence_of_ours(read_of: Callable[[str], list[Exchange]]) -> None:
    with pytest.raises(Unreadable, match=r"an integer has 5,000 digits; the most is 1,000"):
        read_of(f'{{"log": {{"entries": [{{"at": {"9" * 5_000}}}]}}}}')
