"""Wrong clients, each of which was green once, and right ones beside them that have to stay green."""

import time
from base64 import b64encode, urlsafe_b64encode
from codecs import encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from safelight.mockserver.sessions import keywords
from safelight.mockserver.sessions.opening import checked
from safelight.testing.backends.shared_server import SharedServer
from safelight.testing.factory import key_of, open_server, shared_backend
from safelight.testing.safelight import Safelight
from safelight.traffic.expectations import JUDGED, UnmetExpectation
from suites import run

Answer = Mapping[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[SharedServer]:
    with open_server() as server:
        yield server


def opened(server: SharedServer, **options: Any) -> Safelight:
    """A session as the plugin opens it."""
    return Safelight(backend=shared_backend(server, key_of("a mistake"), checked(options)))


class Client:
    """A client of `api` without a socket: it sends what it is told, with the key that it is told."""

    def __init__(self, api: Safelight, *, follow: bool = False) -> None:
        self.api = api
        self.http = httpx.Client(
            transport=api.transport(httpx), base_url="http://127.0.0.1:8000", follow_redirects=follow
        )

    def submit(self, key: str | None = None, query: str = "", headers: Mapping[str, str] = {}, **request: Any) -> Any:
        """The id of a task, as the answer has it; None where the answer is none."""
        own = {"x-api-key": self.api.api_key if key is None else key} if key != "" else {}
        url = f"/v1/index.php?endpoint=image_generation{query}"
        try:
            answer = self.http.post(url, headers={**own, **headers}, json={"prompt": "a lamp", **request})
            return (answer.json().get("data") or {}).get("id")
        except (httpx.HTTPError, ValueError):
            return None

    def poll(self, task_id: object, key: str = "") -> Answer:
        """The data of the answer."""
        url = f"/v1/index.php?endpoint=task_status&task_id={quote(str(task_id), safe='')}"
        answer = self.http.get(url, headers={"x-api-key": key or self.api.api_key})
        try:
            return answer.json()["data"] or {}
        except ValueError:
            return {}

    def end(self, task_id: object) -> str:
        """Poll to the end: the URL of the picture."""
        while (data := self.poll(task_id))["status"] not in ("completed", "failed"):
            time.sleep(2)
        return str((data["result"] or {}).get("image_url", ""))


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def spelled(text: str) -> list[str]:
    """A key in the encodings that can be undone."""
    return [
        text,
        "".join(f"%{ord(letter):02x}" for letter in text),
        "".join(f"%25{ord(letter):02x}" for letter in text),
        quote(base64(text)),
        quote(base64(f"user:{text}")),
        urlsafe_b64encode(f"k={text}".encode()).decode().rstrip("="),
        quote(base64(base64(text))),
        text.encode().hex(),
        text.encode().hex().upper(),
        text[::-1],
        encode(text, "rot13"),
        text.removeprefix("sk-"),
    ]


def sent(**options: Any) -> Callable[[Client], object]:
    """A client that submits so, and with its key where it belongs besides."""
    return lambda client: client.submit(
        query=options.get("query", lambda _: "")(client.api.api_key),
        headers=options.get("headers", lambda _: {})(client.api.api_key),
        **options.get("request", lambda _: {})(client.api.api_key),
    )


def in_parts(client: Client) -> None:
    """The key in a body of parts, as forms have it."""
    files = {"key": (None, client.api.api_key)}
    url, headers = "/v1/index.php?endpoint=image_generation", {"x-api-key": client.api.api_key}
    client.http.post(url, headers=headers, files=files)


def rounds(client: Client) -> None:
    """A client that takes an id for a number, as JavaScript has them."""
    client.api.next(id="9007199254740993")
    client.poll(int(float(client.submit())))


def writes_an_exponent(client: Client) -> None:
    client.poll(f"{float(client.submit()):.0e}")


def forgets_to_encode(client: Client) -> None:
    client.api.next(id="a&b")
    client.submit()
    client.http.get("/v1/index.php?endpoint=task_status&task_id=a&b", headers={"x-api-key": client.api.api_key})


def goes_on_after_401(client: Client) -> None:
    task_id = client.submit()
    for _ in range(5):
        client.poll(task_id)


def pays_again_with_another_key(client: Client) -> None:
    other = client.api.other_key()
    if not client.submit():
        client.submit(other)


def sleeps_too_little(client: Client) -> None:
    client.submit()
    time.sleep(2)
    client.submit()


#: What a client does wrong -> what it is called, the options of its session, and the switch of what it misses.
WRONG: Final[Mapping[str, tuple[Callable[[Client], object], Mapping[str, Any], str]]] = {
    "it has no key": (lambda client: client.submit(""), {}, "key_known"),
    "it has a wrong key": (lambda client: [client.submit("wrong-key-123") for _ in range(5)], {}, "key_known"),
    "its body is broken, and it has no key": (lambda client: client.submit("", prompt=5), {}, "contract"),
    "it sends the key in a cookie": (sent(headers=lambda key: {"cookie": f"s={key}"}), {}, "key_only_where_read"),
    "it sends the key by Basic": (
        sent(headers=lambda key: {"authorization": f"Basic {base64(key + ':')}"}),
        {},
        "key_only_where_read",
    ),
    "it sends the key in another header": (sent(headers=lambda key: {"x-trace": key}), {}, "key_only_where_read"),
    "it sends the key in the prompt": (sent(request=lambda key: {"prompt": f"{key}"}), {}, "key_only_where_read"),
    "it sends the key in Base64 in the body": (
        sent(request=lambda key: {"prompt": base64(key)}),
        {},
        "key_only_where_read",
    ),
    "it polls null": (
        lambda client: client.poll(client.submit()),
        {"faults": ["submit#1: id null"]},
        "only_issued_ids",
    ),
    "it polls undefined": (lambda client: client.poll("undefined"), {}, "only_issued_ids"),
    "it polls an object": (lambda client: client.poll("[object Object]"), {}, "only_issued_ids"),
    "it rounds an id": (rounds, {}, "only_issued_ids"),
    "it writes an id with an exponent": (
        writes_an_exponent,
        {"faults": ["submit#1: id number"]},
        "only_issued_ids",
    ),
    "it does not encode an id": (forgets_to_encode, {}, "only_issued_ids"),
    "it polls on after a 401": (goes_on_after_401, {"faults": ["poll#2: http 401"]}, "no_poll_after_401"),
    "it polls on after its key was revoked": (
        goes_on_after_401,
        {"faults": ["poll#2-: http 401"]},
        "no_poll_after_401",
    ),
    "it pays again with another key": (
        pays_again_with_another_key,
        {"faults": ["submit#1: reset after"]},
        "submitted_under_one_key",
    ),
    "it does not wait as long as it is told": (
        sleeps_too_little,
        {"faults": ["submit#1: throttle 3"], "virtual_time": True},
        "retry_after_kept",
    ),
    "it does not wait until the date": (
        lambda client: [client.submit(), client.submit()],
        {"faults": ["submit#1: throttle date"], "virtual_time": True},
        "retry_after_kept",
    ),
}

#: What is right, or no mistake of the client.
RIGHT: Final[Mapping[str, tuple[Callable[[Client], object], Mapping[str, Any]]]] = {
    "a picture is drawn": (lambda client: client.http.get(client.end(client.submit())), {}),
    "the key is in the query": (
        lambda client: client.submit("", query=f"&api_key={quote(client.api.api_key)}"),
        {},
    ),
    "the key is in the body": (lambda client: client.submit("", api_key=client.api.api_key), {}),
    "the key is in both headers": (sent(headers=lambda key: {"authorization": f"Bearer {key}"}), {}),
    "a spoiled id goes back as it came": (
        lambda client: client.poll(client.submit()),
        {"faults": ["submit#1: id number"]},
    ),
    "another id goes back as it came": (
        lambda client: client.poll(client.submit()),
        {"faults": ["submit#1: id other"]},
    ),
    "a lost id is known otherwise": (
        lambda client: [client.submit(), client.poll(client.api.tasks[0].id)],
        {"faults": ["submit#1: reset after"]},
    ),
    "two keys submit the same": (lambda client: [client.submit(), client.submit(client.api.other_key())], {}),
    "another key where the first was not accepted": (
        pays_again_with_another_key,
        {"faults": ["submit#1: http 503"]},
    ),
    "another key where the account is empty": (pays_again_with_another_key, {"prices": {"image_generation": 10}}),
    "one 401 and no more": (lambda client: client.poll(client.submit()), {"faults": ["poll#1: http 401"]}),
    "it waits as long as it is told": (
        sleeps_too_little,
        {"faults": ["submit#1: throttle 2"], "virtual_time": True},
    ),
    "it sends another request meanwhile": (
        lambda client: [client.submit(), client.submit(steps=3)],
        {"faults": ["submit#1: throttle 2"], "virtual_time": True},
    ),
    "nonsense is no time to wait": (
        lambda client: [client.submit(), client.submit()],
        {"faults": ["submit#1: throttle soon"], "virtual_time": True},
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_client_is_judged_where(server: SharedServer, wrong: str) -> None:
    act, options, switch = WRONG[wrong]
    with opened(server, **options) as api:
        act(Client(api))
        with pytest.raises(UnmetExpectation) as raised:
            api.assert_no_mistake()
        assert raised.value.switch == switch, str(raised.value)
        assert api.api_key not in str(raised.value)


@pytest.mark.parametrize("right", RIGHT)
def test_a_client_is_not_blamed_where(server: SharedServer, right: str) -> None:
    act, options = RIGHT[right]
    with opened(server, **options) as api:
        act(Client(api))
        api.assert_no_mistake()


@pytest.mark.parametrize("number", range(len(spelled("sk-"))))
def test_a_key_is_found_wherever_it_is_however_it_is_encoded(server: SharedServer, number: int) -> None:
    for where in ("query", "path", "header"):
        with opened(server) as api:
            text = spelled(api.api_key)[number]
            own = {"x-api-key": api.api_key}
            path = f"/{text}" if where == "path" else "/v1/index.php"
            query = f"endpoint=user_balance&x={text}" if where == "query" else "endpoint=user_balance"
            Client(api).http.get(f"{path}?{query}", headers={**own, "x-trace": text} if where == "header" else own)
            with pytest.raises(UnmetExpectation, match=f"a key stands in the {where}"):
                api.assert_key_only_where_read()
            with pytest.raises(UnmetExpectation, match=f"a key stands in the {where}"):
                api.assert_key_only_in_headers()


def test_a_key_is_found_in_a_body_of_parts(server: SharedServer) -> None:
    with opened(server) as api:
        in_parts(Client(api))
        with pytest.raises(UnmetExpectation, match="a key stands in the body of POST image_generation"):
            api.assert_key_only_where_read()


def test_a_key_that_comes_without_any_in_a_header_is_found_too(server: SharedServer) -> None:
    with opened(server) as api:
        Client(api).submit("", query=f"&auth={base64(api.api_key)}")
        with pytest.raises(UnmetExpectation, match=r"a key stands in the query \(in Base64\) of POST"):
            api.assert_key_only_where_read()


@pytest.mark.parametrize("rule", ["submit#1: redirect 307 elsewhere", "poll#1: redirect 302 elsewhere"])
def test_a_key_that_follows_a_redirect_to_another_origin_is_judged(server: SharedServer, rule: str) -> None:
    with opened(server, faults=[rule]) as api:
        client = Client(api, follow=True)
        client.poll(client.submit())
        with pytest.raises(UnmetExpectation, match="took its key to another origin, with") as raised:
            api.assert_no_mistake()
        assert raised.value.switch == "key_only_to_origin"


def test_a_client_that_leaves_its_key_behind_is_right_though_it_is_refused_there(server: SharedServer) -> None:
    with opened(server, faults=["poll#1: redirect 302 elsewhere"]) as api:
        client = Client(api)
        task_id = client.submit()
        url = f"/v1/index.php?endpoint=task_status&task_id={task_id}"
        there = client.http.get(url, headers={"x-api-key": api.api_key}).headers["location"]
        assert client.http.get(there).status_code == 401
        client.poll(task_id)
        api.assert_no_mistake()


def test_a_picture_elsewhere_is_fetched_without_the_key(server: SharedServer) -> None:
    with opened(server, polls=(0, 0), faults=["poll: result elsewhere"]) as api:
        client = Client(api)
        url = client.end(client.submit())
        assert client.http.get(url).status_code == 200
        api.assert_no_mistake()
        client.http.get(url, headers={"authorization": f"Bearer {api.api_key}"})
        with pytest.raises(UnmetExpectation, match="to another origin, with GET upload"):
            api.assert_key_only_to_origin()


def test_a_long_picture_that_is_not_kept_breaks_nothing(server: SharedServer) -> None:
    with opened(server) as api:
        query, headers = {"endpoint": "image_editing"}, {"x-api-key": "sk-wrong-wrong"}
        request = {"prompt": "make it night", "image": 10_000 * "abcd"}
        Client(api).http.post("/v1/index.php", params=query, headers=headers, json=request)
        api.assert_contract_kept()


def test_a_revoked_key_is_no_wrong_key(server: SharedServer) -> None:
    with opened(server) as api:
        api.revoke()
        assert Client(api).submit() is None
        api.assert_no_mistake()


def test_an_id_that_is_near_is_named(server: SharedServer) -> None:
    with opened(server) as api:
        rounds(Client(api))
        with pytest.raises(
            UnmetExpectation, match=r'"9007199254740992", an id that was never issued .*; "90.*993" was'
        ):
            api.assert_only_issued_ids()


def test_what_another_key_does_is_in_the_same_books(server: SharedServer) -> None:
    with opened(server) as api:
        other = api.other_key()
        client = Client(api)
        client.submit(), client.submit(other)
        assert (len({task.id for task in api.tasks}), api.ledger.total, len(api.journal)) == (2, -20, 2)
        assert len({other, api.other_key(), api.api_key}) == 3
        assert "submit   1 " in api.transcript
        assert "submit   2 " in api.transcript
        with pytest.raises(UnmetExpectation, match="submitted 2 times"):
            api.assert_submitted_once()
        assert client.poll(api.tasks[0].id, other) == {}, "a task belongs to the key that submitted it"


def test_of_seconds_nothing_is_said_while_the_clock_stands_still(server: SharedServer) -> None:
    with opened(server, virtual_time=False) as api:
        client = Client(api)
        client.poll(client.submit())
        for expect in (api.assert_retry_after_kept, lambda: api.assert_polls_apart(at_least=1)):
            with pytest.raises(UnmetExpectation, match="the clock of this session stands still"):
                expect()
        api.assert_no_mistake()


def test_the_pace_of_polls_is_that_of_the_nearest_two(server: SharedServer) -> None:
    with opened(server, virtual_time=True) as api:
        client = Client(api)
        client.end(client.submit())
        api.assert_polls_apart(at_least=2)
        with pytest.raises(UnmetExpectation, match="again after 2 s; expected were 3 s or more"):
            api.assert_polls_apart(at_least=3)


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (lambda client: client.submit(), "was never polled"),
        (lambda client: client.poll(client.submit()), "was polled 1 time, and not to its end"),
        (lambda client: client.end(client.submit()), "its file was never fetched"),
        (lambda client: client.http.head(client.end(client.submit())), "its file was never fetched"),
        (lambda client: client.http.get(client.end(client.submit())), ""),
    ],
)
def test_nothing_is_paid_for_and_not_fetched(server: SharedServer, act: Callable[[Client], object], what: str) -> None:
    with opened(server) as api:
        act(Client(api))
        if what:
            with pytest.raises(UnmetExpectation, match=f"is paid for, and {what}"):
                api.assert_results_fetched()
        else:
            api.assert_results_fetched()


@pytest.mark.parametrize("fault", ["extra", "progress absent", "word completed", "filename x"])
def test_an_end_that_a_fault_left_readable_is_an_end(server: SharedServer, fault: str) -> None:
    with opened(server, polls=(0, 0), faults=[f"poll: {fault}"]) as api:
        client = Client(api)
        task_id = client.submit()
        client.poll(task_id), client.poll(task_id)
        with pytest.raises(UnmetExpectation, match="is done, and polled it 1 time more"):
            api.assert_no_poll_after_end()


@pytest.mark.parametrize(
    "fault", ["result null", "result blank", "word warming_up", "id other", "garbled", "bom", "nan"]
)
def test_an_end_that_a_fault_has_hidden_is_none(server: SharedServer, fault: str) -> None:
    with opened(server, polls=(0, 0), faults=[f"poll#1: {fault}"]) as api:
        client = Client(api)
        task_id = client.submit()
        client.poll(task_id), client.poll(task_id)
        api.assert_no_poll_after_end()


#: What was sent, and what it is not.
UNEQUAL: Final = [
    *(
        (1, True),
        (True, 1),
        (0, False),
        (False, 0),
        (1.0, True),
        ("1", 1),
        (None, False),
        (0, None),
        ([], {}),
        ("", None),
    ),
    *(([1], [True]), ({"a": 1}, {"a": True}), ({"a": [{"b": 0}]}, {"a": [{"b": False}]}), ({"a": 1}, {"a": 1, "b": 2})),
    *(([1, 2], [1]), (2**53 + 1, float(2**53))),
]


@pytest.mark.parametrize(("sent_value", "wanted"), UNEQUAL)
def test_what_is_another_json_value_was_not_sent(server: SharedServer, sent_value: Any, wanted: Any) -> None:
    with opened(server) as api:
        Client(api).submit(x=sent_value)
        api.assert_submitted(x=sent_value)
        with pytest.raises(UnmetExpectation, match="in the submit, x was "):
            api.assert_submitted(x=wanted)


def test_each_switch_is_an_option_of_the_marker_and_named_as_its_assertion() -> None:
    assert keywords.MarkerKeywords.__annotations__.keys() >= JUDGED.keys()
    for switch, expected in JUDGED.items():
        name = f"assert_{expected.holds.__name__}"
        assert hasattr(Safelight, name)
        assert switch in (expected.holds.__name__, "contract")


def test_a_switch_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="no switch is called 'key_knwon'; did you mean key_known"):
        Safelight().assert_no_mistake(key_knwon=False)


def test_a_mistake_fails_a_test_that_passed_unless_its_marker_says_that_it_is_meant(pytester: pytest.Pytester) -> None:
    tests = """
        def test_polls_null(safelight):
            poll(safelight, "null")

        @pytest.mark.safelight(only_issued_ids=False)
        def test_means_it(safelight):
            poll(safelight, "null")

        def test_in_a_block(safelight_factory):
            with pytest.raises(AssertionError, match="never issued"):
                with safelight_factory() as api:
                    poll(api, "null")
            with safelight_factory(only_issued_ids=False) as api:
                poll(api, "null")
    """
    result = run(pytester, tests)
    result.assert_outcomes(passed=2, failed=1)
    hint = "(where that is meant to be: @pytest.mark.safelight(only_issued_ids=False))"
    assert hint in result.outlines
