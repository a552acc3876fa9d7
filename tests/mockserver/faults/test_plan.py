"""Plans are lines that read aloud, are stored as they read, and strike the requests that they say."""

import json
from contextlib import suppress
from math import inf
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake import SUBMIT, Fake, message_of, status_of
from safelight.mockserver.faults.catalogue import faults, name_of, written
from safelight.mockserver.faults.catalogue.answers import Body, Garbled, Http, Refuse
from safelight.mockserver.faults.catalogue.connections import Reset
from safelight.mockserver.faults.catalogue.contents import Set, Word
from safelight.mockserver.faults.catalogue.settings import Json
from safelight.mockserver.faults.rules import FaultRule, WrongRule, read_rule, read_rules, reread_rule
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.sessions.opening import task_profile
from safelight.strategies import fault_plans
from safelight.traffic.request_kinds import WORDS

#: A rule as it is written, what it means, and how it reads where that is shorter.
RULES: Final[list[tuple[str, FaultRule, str]]] = [
    ("submit#1: reset after", FaultRule("submit", Reset(), True, 1, 1), ""),
    ("submit#1: reset", FaultRule("submit", Reset(), False, 1, 1), ""),
    ("submit#1: reset before", FaultRule("submit", Reset(), False, 1, 1), "submit#1: reset"),
    ("submit: http 503", FaultRule("submit", Http(503), False), ""),
    ("poll#2-4: http 502", FaultRule("poll", Http(502), True, 2, 4), ""),
    ("poll#2-: http 401", FaultRule("poll", Http(401), True, 2, inf), ""),
    ("poll#2: http 502 before", FaultRule("poll", Http(502), False, 2, 2), ""),
    ("poll: http", FaultRule("poll", Http(500), True), "poll: http 500"),
    ("poll#3-3: garbled after", FaultRule("poll", Garbled(), True, 3, 3), "poll#3: garbled"),
    ("  image #1 :  garbled  ", FaultRule("image", Garbled(), True, 1, 1), "image#1: garbled"),
    ("image: garbled", FaultRule("image", Garbled(), True), ""),
    ("submit every 3: http 503", FaultRule("submit", Http(503), False, every=3), ""),
    ("poll#2-9 every 2: http 502", FaultRule("poll", Http(502), True, 2, 9, every=2), ""),
    ("poll 20%: http 502", FaultRule("poll", Http(502), True, percent=20), ""),
    ("poll 0.5%: http 502", FaultRule("poll", Http(502), True, percent=0.5), ""),
    ("submit workflow=rr3: http 503", FaultRule("submit", Http(503), False, where=(("workflow", "rr3"),)), ""),
    (
        "submit prompt='a: lamp' width=64: http 503",
        FaultRule("submit", Http(503), False, where=(("prompt", "a: lamp"), ("width", "64"))),
        'submit prompt="a: lamp" width=64: http 503',
    ),
    ("poll 10-60s: http 502", FaultRule("poll", Http(502), True, since=10, until=60), ""),
    ("poll 10-s: http 502", FaultRule("poll", Http(502), True, since=10), ""),
    ("submit over 2/s: http 429", FaultRule("submit", Http(429), False, quota=2), ""),
    ("video_generation#1: reset after", FaultRule("video_generation", Reset(), True, 1, 1), ""),
    ("poll 0.00001%: reset", FaultRule("poll", Reset(), True, percent=0.00001), ""),
    ("poll 0.00001-0.5s: reset", FaultRule("poll", Reset(), True, since=0.00001, until=0.5), ""),
    (r"""poll task_id="a\"b'c:d\\": reset""", FaultRule("poll", Reset(), True, where=(("task_id", "a\"b'c:d\\"),)), ""),
    ("poll: word 'after'", FaultRule("poll", Word("after"), True), ""),
    ("poll: word after", FaultRule("poll", Word(), True), "poll: word warming_up"),
    ("task_status#1: reset", FaultRule("task_status", Reset(), True, 1, 1), ""),
    (
        "  poll#2-  workflow=rr3   20%  every 3 : http 502 before ",
        FaultRule("poll", Http(502), False, 2, inf, every=3, percent=20, where=(("workflow", "rr3"),)),
        "poll#2- every 3 20% workflow=rr3: http 502 before",
    ),
]

#: What is no rule, where reading stops, and why.
MISTAKES: Final[list[tuple[Any, int, str]]] = [
    ("", 0, "nothing is no kind of request; there are submit, poll, image and balance"),
    ("pol#2: http 502", 0, "pol is no kind of request; did you mean poll?"),
    ("tasks: reset", 0, "tasks is no kind of request; there are submit, poll, image and balance"),
    ("poll", 4, "a colon is missing: write poll#2: http 502"),
    ("poll#2 http 502", 7, "a colon is missing: write poll#2: http 502"),
    ("poll#2x: reset", 4, "#2x is no count: write #2, #2-4 or #2-"),
    ("poll#x: reset", 4, "#x is no count: write #2, #2-4 or #2-"),
    ("poll#0: reset", 4, "requests are counted from 1"),
    ("poll#4-2: reset", 4, "2 comes before 4"),
    ("poll#2:", 7, "a fault is missing: write poll#2: http 502"),
    ("poll#2: after", 8, "a fault is missing: write poll#2: http 502"),
    ("poll#2: htp 502", 8, "htp is no fault; did you mean http?"),
    ("poll#2: explode", 8, "explode is no fault; `safelight faults` lists those there are"),
    ("poll#2: timeout", 8, "timeout is no fault; did you mean hang?"),
    ("poll#2: Delay 3", 8, "Delay is no fault; did you mean hang 3?"),
    ("poll#2: 429", 8, "429 is no fault; did you mean http 429?"),
    ("poll#2: http often", 8, "often cannot be the status of http: give a whole number"),
    ("poll#2: http 200", 8, "200 is no HTTP status of an error: give 400 to 599"),
    ("poll#2: http 502 503", 8, "http takes 1 setting, not 502 503"),
    ("poll#2: reset 5", 8, "reset takes no settings, not 5"),
    (502, 0, "a rule is a text"),
    ("poll twice: reset", 5, "twice is no condition: write every 3, 20%, workflow=rr3, 10-60s or over 2/s"),
    ("poll 20% 30%: reset", 9, "30% is said twice"),
    ("poll 0%: reset", 5, "a share is above 0% and at most 100%"),
    ("poll 101%: reset", 5, "a share is above 0% and at most 100%"),
    ("poll every 0: reset", 5, "every is no condition: write every 3, 20%, workflow=rr3, 10-60s or over 2/s"),
    ("poll 60-10s: reset", 5, "a time ends after it begins: write 10-60s"),
    ("poll over 0/s: reset", 5, "a quota is above 0: write over 2/s"),
    ("poll: http '502", 6, "'502 cannot be the status of http: give a whole number"),
    ("poll: refuse 400 'no ink' left", 6, "refuse takes 2 settings, not 400 'no ink' left"),
    ('poll: set data.error {"a":1', 6, '{"a":1 cannot be the value of set: give JSON'),
    ("poll: set data..error 1", 6, '"data..error" is no path: write data.status'),
    ("poll: set '' 1", 6, '"" is no path: write data.status'),
]


@pytest.mark.parametrize(("text", "rule", "short"), RULES)
def test_a_rule_is_what_it_reads(text: str, rule: FaultRule, short: str) -> None:
    assert read_rule(text) == rule
    assert str(rule) == (short or text)


@pytest.mark.parametrize(("text", "at", "reason"), MISTAKES)
def test_a_mistake_is_pointed_at(text: Any, at: int, reason: str) -> None:
    with pytest.raises(WrongRule) as raised:
        read_rule(text)
    sentence, shown, mark = str(raised.value).split("\n")
    assert sentence == reason
    assert shown == f"  {text}"
    assert mark == f"  {' ' * at}^ column {at + 1}"


@given(st.text() | st.text("submitpoll#0123-: http502garbledreset before", max_size=30))
def test_any_text_is_a_rule_or_a_wrong_one(text: str) -> None:
    with suppress(WrongRule):
        rule = read_rule(text)
        assert read_rule(str(rule)) == rule


#: A fault with a text, as it is written, and the setting that is that text.
TEXTS: Final[list[tuple[str, str, str]]] = [
    ('body 200 {"a":1}', "text", '{"a":1}'),
    ('body 200 {"a": 1, "b": "c d"}', "text", '{"a": 1, "b": "c d"}'),
    ('body 200 {"a": 1} text/plain', "text", '{"a": 1}'),
    ("body 200 '{\"a\":1}' text/plain", "text", '{"a":1}'),
    (r'body 200 "{\"a\": \"C:\\dir\"}"', "text", r'{"a": "C:\dir"}'),
    ("body 200 'text/plain'", "text", "text/plain"),
    ("body 200 [1,\n2]", "text", "[1,\n2]"),
    (r"filename ..\..\x", "name", r"..\..\x"),
    (r"filename a\ b", "name", r"a\ b"),
    ("refuse 400 it's broken", "message", "it's broken"),
    ("refuse 400 no   ink left", "message", "no   ink left"),
    ('refuse 400 width is "512", not 512', "message", 'width is "512", not 512'),
    ("refuse 400 'come back after'", "message", "come back after"),
    ("throttle Wed, 21 Oct 2065 07:28:00 GMT", "after", "Wed, 21 Oct 2065 07:28:00 GMT"),
    ("mediatype text/html; charset=utf-8", "type", "text/html; charset=utf-8"),
    ('set data.error {"message": "no ink"}', "value", '{"message": "no ink"}'),
    ('set data.progress "45"', "value", '"45"'),
    ("set data.progress 45%", "value", '"45%"'),
    ("set data.progress '45'", "value", "45"),
    ("set data.result.image_url ''", "value", '""'),
]


@pytest.mark.parametrize("when", ["", " after", " before"])
@pytest.mark.parametrize(("fault", "setting", "text"), TEXTS)
def test_a_text_is_what_stands_there(fault: str, setting: str, text: str, when: str) -> None:
    rule = read_rule(f"poll: {fault}{when}")
    assert getattr(rule.fault, setting) == text
    assert rule.after is (when != " before")
    assert read_rule(str(rule)) == rule


ANY_TEXT: Final = st.text(st.characters(exclude_categories=["Cs"])) | st.text(" \n'\"\\:a/é{}[]", max_size=9)


@given(
    fault=st.one_of(
        st.builds(Body, st.just(200), ANY_TEXT, st.sampled_from(["text/plain", 'text/x; a="b c"'])),
        st.builds(Refuse, st.just(400), ANY_TEXT | st.sampled_from(["after", "go before"])),
        st.builds(Word, ANY_TEXT),
        st.builds(Set, st.just("data.error"), st.recursive(ANY_TEXT, st.lists).map(json.dumps).map(Json)),
        st.builds(Set, st.just("data.error"), ANY_TEXT.filter(lambda text: text[:1] not in ("{", "[", '"')).map(Json)),
    ),
    where=st.lists(st.tuples(st.sampled_from(["prompt", "seed"]), ANY_TEXT), max_size=2).map(tuple),
    after=st.booleans(),
)
def test_any_text_can_be_said_in_a_rule_and_none_loses_a_letter(
    fault: Any, where: tuple[tuple[str, str], ...], *, after: bool
) -> None:
    rule = FaultRule("poll", fault, after, where=where)
    assert reread_rule(str(rule)) == rule


def test_a_rule_that_no_text_says_is_refused() -> None:
    with pytest.raises(ValueError, match="half a surrogate pair is no character"):
        Word("\ud800")
    with pytest.raises(ValueError, match="cannot be written as a rule"):
        read_rules([FaultRule("poll", Reset(), after=True, percent=1 / 3)])


FAULTS: Final = st.one_of(st.builds(Http, st.integers(400, 599)), st.just(Garbled()), st.just(Reset()))


@given(
    kind=st.sampled_from(WORDS),
    fault=FAULTS,
    after=st.booleans(),
    first=st.integers(1, 10**9 - 1),
    more=st.none() | st.integers(0, 9),
)
def test_whatever_can_be_planned_can_be_written_and_read(
    kind: str, fault: Any, first: int, more: int | None, *, after: bool
) -> None:
    rule = FaultRule(kind, fault, after, first, inf if more is None else min(first + more, 10**9 - 1))
    assert read_rules([str(rule), rule]) == (rule, rule)


@given(fault_plans())
def test_a_plan_of_any_kind_is_stored_as_json_and_compares_equal(plan: list[FaultRule]) -> None:
    stored = json.dumps([str(rule) for rule in plan])
    assert list(read_rules(json.loads(stored))) == plan


def test_a_fault_goes_by_the_name_of_its_class() -> None:
    assert {name: name_of(made) for name, made in faults().items()} == {name: name for name in faults()}
    assert {written(made()).partition(" ")[0] for made in faults().values()} == set(faults())


def planned(*rules: str, **told: Any) -> Fake:
    return Fake(Settings(task_profile(**told), plan=tuple(rules)), checked=False)


def statuses(fake: Fake, task_id: str, times: int) -> list[int]:
    return [fake.send("GET", status_of(task_id)).status for _ in range(times)]


def test_polls_are_counted_for_each_task() -> None:
    fake = planned("poll#2-3: http 502")
    first, second = fake.submit(), fake.submit()
    assert statuses(fake, first, 4) == [200, 502, 502, 200]
    assert statuses(fake, second, 4) == [200, 502, 502, 200]


def test_polls_of_unknown_tasks_are_counted_together_and_nothing_is_kept_of_them() -> None:
    fake = planned("poll#2: http 502")
    assert [fake.send("GET", status_of(f"unknown-{n}")).status for n in range(4)] == [404, 502, 404, 404]
    assert (fake.session.data.counts, set(fake.session.data.plan.numbers)) == ({}, {""})


def test_submits_are_counted_for_the_session_also_those_that_break_the_contract() -> None:
    fake = planned("submit#2: http 503")
    bodies = [b'{"prompt": "a"}', b'{"prompt": ""}', b'{"prompt": ""}', b'{"prompt": "a"}']
    assert [fake.send("POST", SUBMIT, body).status for body in bodies] == [200, 503, 400, 200]
    assert [exchange.outcome for exchange in fake.journal][1] == "image_generation.prompt.minLength"


def test_pictures_are_counted_for_each_task() -> None:
    fake = planned("image#1: http 404")
    ids = [fake.submit(width=16, height=16) for _ in range(2)]
    assert [fake.picture(task_id).status for task_id in ids for _ in range(2)] == [404, 200, 404, 200]


def test_the_first_rule_that_is_due_strikes_and_all_of_them_count() -> None:
    fake = planned("poll#2: http 502", "poll#1-3: http 503")
    assert statuses(fake, fake.submit(), 4) == [503, 502, 503, 200]
    assert str(fake.session.plan) == "poll#2: http 502  (struck 1 time)\npoll#1-3: http 503  (struck 2 times)"


def test_a_rule_that_comes_later_counts_from_then_on() -> None:
    fake = planned()
    task_id = fake.submit()
    assert statuses(fake, task_id, 2) == [200, 200]
    fake.session.plan.add("poll#1: http 502", "poll#2: http 503")
    assert statuses(fake, task_id, 3) == [502, 503, 200]
    fake.session.plan.clear()
    assert (len(fake.session.plan), list(fake.session.plan)) == (0, [])
    plan = fake.session.data.plan
    assert (plan.of_tasks, plan.counts, plan.numbers, plan.recent) == ({}, {}, {}, {})


def test_rules_that_never_struck_are_undelivered() -> None:
    fake = planned("poll#1: http 502", "poll#9: http 502", "image: garbled")
    assert statuses(fake, fake.submit(), 3) == [502, 200, 200]
    assert list(map(str, fake.session.plan.undelivered())) == [
        "poll#9: http 502 (3 such requests came, and none that it strikes)",
        "image: garbled (no such request came)",
    ]


def test_what_has_no_session_or_no_operation_is_not_struck() -> None:
    fake = planned("submit: http 503", "poll: http 503", "image: http 503")
    assert fake.send("GET", status_of("1"), key="sk-other").status == 401
    assert fake.send("GET", "/?endpoint=unknown").status == 404
    assert fake.send("PUT", SUBMIT).status == 405
    assert len(fake.session.plan.undelivered()) == 3


def test_sessions_have_plans_of_their_own() -> None:
    fake = planned("submit#1: http 503")
    fake.api.sessions.open("sk-other", Settings())
    assert fake.send("POST", SUBMIT, b'{"prompt": "a"}', key="sk-other").status == 200
    assert message_of(fake.send("POST", SUBMIT, b'{"prompt": "a"}')) == "Service Unavailable"


def test_every_third_from_the_first_is_struck() -> None:
    fake = planned("poll#2- every 3: http 502")
    assert statuses(fake, fake.submit(), 9) == [200, 502, 200, 200, 502, 200, 200, 502, 200]


def test_a_share_is_by_the_seed_and_about_as_large_as_it_says() -> None:
    told = []
    for seed in (0, 0, 1):
        fake = Fake(Settings(plan=("poll 20%: http 502",)), checked=False, seed=seed)
        told.append(statuses(fake, fake.submit(), 300))
    assert told[0] == told[1] != told[2]
    assert all(30 < found.count(502) < 90 for found in told)


def test_a_parameter_is_that_of_the_request_or_of_its_task_and_only_such_requests_count() -> None:
    fake = planned("submit#2 workflow=rr3: http 503", "poll#1 workflow=rr3: http 502", "poll#1 width=64: http 501")
    flows = ["default", "rr3", "default", "rr3", "rr3"]
    bodies = [json.dumps({"prompt": "a", "workflow": flow, "width": 64 + n}).encode() for n, flow in enumerate(flows)]
    assert [fake.send("POST", SUBMIT, body).status for body in bodies] == [200, 200, 200, 503, 200]
    assert [statuses(fake, task.id, 2) for task in fake.tasks] == [[501, 200], [502, 200], [200, 200], [502, 200]]


def test_a_parameter_that_is_left_out_has_its_default() -> None:
    fake = planned("submit workflow=default: http 503", "submit width=1024: http 501", "submit mode=i2v: http 502")
    assert fake.send("POST", SUBMIT, b'{"prompt": "a"}').status == 503
    assert fake.ask("video_generation", prompt="a", image="https://example.com/a.png").status == 502


def test_an_operation_can_be_named_and_counts_for_itself() -> None:
    fake = planned("video_generation#1: http 503", "submit#3: http 502")
    video = {"prompt": "a", "mode": "t2v"}
    asked = [("image_generation", {"prompt": "a"}), ("video_generation", video), ("video_generation", video)]
    assert [fake.ask(name, **parameters).status for name, parameters in asked] == [200, 503, 502]


def test_a_time_is_that_of_the_sessions_clock_since_it_began() -> None:
    fake = planned("poll 10-20s: http 502")
    task_id, told = fake.submit(), []
    for _ in range(5):
        told += statuses(fake, task_id, 1)
        fake.clock.advance(5)
    assert told == [200, 200, 502, 502, 200]


def test_a_quota_lets_so_many_requests_through_in_a_second() -> None:
    fake = planned("poll over 2/s: http 429")
    task_id, told = fake.submit(), []
    for _ in range(3):
        told.append(statuses(fake, task_id, 4))
        fake.clock.advance(1)
    assert told == [[200, 200, 429, 429]] * 3


def test_a_fault_whose_client_is_gone_is_not_delivered() -> None:
    fake = planned("poll#1: http 502")
    request = Request("GET", "/", f"endpoint=task_status&task_id={fake.submit()}", {"x-api-key": fake.key})
    reply = fake.api.handle(request)
    [missed] = fake.session.plan.undelivered()
    assert (missed.reason, missed.was_due) == (
        "it struck, and the client was gone before its fault was delivered",
        True,
    )
    reply.deliver()
    assert fake.session.plan.undelivered() == []
    assert fake.session.plan.counts() == [(read_rule("poll#1: http 502"), 1, 1)]


#: A rule about a submit that does not say when -> does it strike after?
WHEN: Final = {
    "reset": False,
    "http 503": False,
    "hang": False,
    "close": False,
    "html": False,
    "redirect": False,
    "hang 3": True,
    "drip": True,
    "idle": True,
    "id null": True,
    "bom": True,
    "extra": True,
    "length 5": True,
}


@pytest.mark.parametrize("fault", WHEN)
def test_what_changes_the_answer_that_was_due_strikes_after_there_is_one(fault: str) -> None:
    rule = read_rule(f"submit#1: {fault}")
    assert rule.after is WHEN[fault]
    assert read_rule(f"poll#1: {fault}").after is (fault != "redirect"), "a redirect leads to where it is carried out"
    assert str(read_rule(f"submit#1: {fault} before")).endswith(" before") is WHEN[fault]
    fake = Fake(Settings(plan=(str(rule),)), checked=False)
    fake.send("POST", SUBMIT, b'{"prompt": "a"}')
    assert len(fake.tasks) == WHEN[fault]


@pytest.mark.parametrize(
    "text", ["poll: word " + 3000 * "x", "poll " + 3000 * "a=b " + ": reset", 3000 * "x" + ": reset"]
)
def test_a_rule_is_short(text: str) -> None:
    with pytest.raises(WrongRule, match=r"^a rule has at most 2,000 characters") as raised:
        read_rule(text)
    assert len(str(raised.value)) < 500


def test_half_a_surrogate_pair_is_in_no_rule() -> None:
    with pytest.raises(WrongRule, match=r"^half a surrogate pair is no character") as raised:
        read_rule("balance: refuse 400 \ud800")
    assert str(raised.value).isascii()
