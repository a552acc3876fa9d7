"""A prompt says what becomes of its task; other brackets stay, and a mistake is one submit's."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake import SUBMIT, Fake, message_of, status_of
from safelight.mockserver.faults.directives import directive_in
from safelight.mockserver.faults.rules import read_rules
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.sessions.opening import task_profile


def words(fake: Fake, task_id: str, polls: int = 4) -> list[Any]:
    replies = [fake.send("GET", status_of(task_id)) for _ in range(polls)]
    return [json.loads(reply.body)["data"]["status"] if reply.status == 200 else reply.status for reply in replies]


#: Prompt -> what is drawn, and what four polls say where tasks are done at once.
PROMPTS: Final[list[tuple[str, str, list[Any]]]] = [
    ("a lamp", "a lamp", ["completed"] * 4),
    (
        "a lamp [[safelight queued=1 running=2 axis=polls]]",
        "a lamp",
        ["pending", "processing", "processing", "completed"],
    ),
    ("[[safelight running=never]] a lamp", "a lamp", ["processing"] * 4),
    ('a [[safelight fail="out of memory"]] lamp', "a  lamp", ["failed"] * 4),
    ("a lamp [[safelight fail=true]]", "a lamp", ["failed"] * 4),
    ("A lamp [[Safelight fail=true]]", "A lamp", ["failed"] * 4),
    ("a lamp [[safelight poll#2: http 502]]", "a lamp", ["completed", 502, "completed", "completed"]),
    (
        "[[safelight poll#1: http 502]][[safelight running=1 axis=polls]] a lamp [[safelight poll#3-: http 503]]",
        "a lamp",
        [502, "completed", 503, 503],
    ),
    ('a lamp [[safelight poll: refuse 503 {"a":[[1]]}]] [[x]]', "a lamp  [[x]]", [503] * 4),
    ("a lamp [[safelight poll: refuse 503 'x]]']] [[x]]", "a lamp  [[x]]", [503] * 4),
    ("a lamp [[safelight poll: refuse 503 [[]] [[x]]", "a lamp  [[x]]", [503] * 4),
    ("a lamp [[safelight fail=']]']] [[x]]", "a lamp  [[x]]", ["failed"] * 4),
    ("a [[cat:dog:0.5]] in [[(brackets)]]", "a [[cat:dog:0.5]] in [[(brackets)]]", ["completed"] * 4),
    ("a [[safelights]] lamp", "a [[safelights]] lamp", ["completed"] * 4),
    ("a [[safelight lamp", "a [[safelight lamp", ["completed"] * 4),
    ("a [[safelight-lora:0.5]] lamp", "a [[safelight-lora:0.5]] lamp", ["completed"] * 4),
    ("a [[safelight " + 100_000 * " ", "a [[safelight " + 100_000 * " ", ["completed"] * 4),
    (5_000 * "[[safelight ", 5_000 * "[[safelight ", ["completed"] * 4),
]


@pytest.mark.parametrize(("prompt", "drawn", "told"), PROMPTS)
def test_a_prompt_decides_one_tasks_life(prompt: str, drawn: str, told: list[Any]) -> None:
    fake = Fake()
    task_id = fake.submit(prompt=prompt)
    assert fake.tasks[0].request["prompt"] == drawn
    assert words(fake, task_id) == told
    assert words(fake, fake.submit()) == ["completed"] * 4, "it was about one task"


def test_a_failure_by_prompt_gives_its_reason_and_is_paid_back() -> None:
    fake = Fake()
    assert fake.poll(fake.submit(prompt='a lamp [[safelight fail="out of memory"]]'))["error"] == "out of memory"
    assert fake.ledger.total == 0


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        (r"C:\dir", r"C:\dir"),
        ("it's", "it's"),
        (r'"a \"b\" \c"', r'a "b" \c'),
        ("'true'", "true"),
        ("'[[a]] b'", "[[a]] b"),
    ],
)
def test_a_reason_is_what_stands_there(option: str, reason: str) -> None:
    fake = Fake()
    assert fake.poll(fake.submit(prompt=f"a lamp [[safelight fail={option}]]"))["error"] == reason


@pytest.mark.parametrize(
    ("text", "answer"),
    [('{"a":1}', '{"a":1}'), ('{"a": [[1]]}', '{"a": [[1]]}'), ("'1]] x'", "1]] x"), (r"C:\ \d", r"C:\ \d")],
)
def test_a_fault_of_a_prompt_says_its_text_to_the_letter(text: str, answer: str) -> None:
    fake = Fake(checked=False)
    task_id = fake.submit(prompt=f"a lamp [[safelight poll: body 200 {text}]]")
    assert fake.send("GET", status_of(task_id)).body.decode() == answer


def test_a_prompt_comes_before_what_was_said_about_the_next_task() -> None:
    fake = Fake(checked=False)
    fake.next(id="next")
    assert fake.submit(prompt="a lamp [[safelight id=own]]") == "own"
    assert fake.submit() == "next"


@pytest.mark.parametrize(("when", "booked"), [("before", 0), ("after", -10), ("", 0)])
def test_a_rule_on_the_submit_strikes_the_submit_itself(when: str, booked: int) -> None:
    fake = Fake()
    prompt = f"a lamp [[safelight submit: http 503 {when}]]"
    assert fake.send("POST", SUBMIT, json.dumps({"prompt": prompt}).encode()).status == 503
    assert fake.ledger.total == booked
    assert fake.journal[0].fault.startswith("submit: http 503")
    fake.submit()


#: A directive with a mistake -> what the answer says.
MISTAKES: Final[dict[str, str]] = {
    "runing=5": "runing=5 says nothing about a task; did you mean running?",
    "running=soon": "'soon' is no delay: write 2, 1..3, ~5, ~5/0.8 or never",
    "queued=1 and more": "and says nothing about a task: there are queued, running, fail, id and axis",
    "axis=miles": "'miles' is no axis: there are seconds, polls, ticks",
    "fail=''": "fail says nothing: write fail=... without blanks around it",
    "fail='out of memory": "a quotation mark is missing its other half, in [[safelight fail='out of memory]]",
    "poll#2: htp 502": "htp is no fault; did you mean http?, in [[safelight poll#2: htp 502]] at column 9",
    "": '[[safelight ]] is neither a task override, such as running=5 fail="no ink", nor poll#2: http 502',
    "fail": '[[safelight fail]] is neither a task override, such as running=5 fail="no ink", nor poll#2: http 502',
    ": reset": "nothing is no kind of request; there are submit, poll, image and balance, in [[safelight : reset]] "
    "at column 1",
    "queued=1]] [[safelight running=1": "a prompt says one task override, in one directive, and one rule about its "
    "submit",
    "submit: reset]] [[safelight submit: close": "a prompt says one task override, in one directive, and one rule "
    "about its submit",
    "submit#2: reset": "submit#2 is not about this submit alone: write submit: reset",
    "submit workflow=rr3: reset": "submit workflow=rr3 is not about this submit alone: write submit: reset",
    "balance: reset": "a prompt can say what goes wrong with its submit, poll or image, and not with balance",
    "queued=1 queued=2": "queued is said twice",
    "queued = 3": "queued says nothing: write queued=... without blanks around it",
    "running=1" + 2000 * " " + "fail=true" + 2000 * "x": "a prompt says at most 2,000 characters in this way",
}


@pytest.mark.parametrize("said", MISTAKES)
def test_a_mistake_fails_that_one_submit_with_the_sentence(said: str) -> None:
    fake = Fake()
    reply = fake.send("POST", SUBMIT, json.dumps({"prompt": f"a lamp [[safelight {said}]]"}).encode())
    assert (reply.status, message_of(reply)) == (400, f"Invalid directive: {MISTAKES[said]}")
    assert (fake.tasks, list(fake.ledger)) == ([], [])
    fake.submit()


def test_an_id_that_is_taken_is_a_mistake() -> None:
    fake = Fake(checked=False)
    body = json.dumps({"prompt": "a lamp [[safelight id=own]]"}).encode()
    assert [fake.send("POST", SUBMIT, body).status for _ in range(2)] == [200, 400]


def test_where_it_is_off_a_directive_is_text() -> None:
    fake = Fake(Settings(task_profile(), directives=False))
    prompt = "a lamp [[safelight fail=true]]"
    task_id = fake.submit(prompt=prompt)
    assert (fake.tasks[0].request["prompt"], fake.word(task_id)) == (prompt, "completed")


def test_videos_and_edits_are_told_as_well() -> None:
    fake = Fake()
    prompt = "it turns [[safelight fail=true]]"
    for operation, parameters in (
        ("video_generation", {"mode": "t2v"}),
        ("image_editing", {"image": "https://e.com/a"}),
    ):
        assert fake.word(fake.data(operation, prompt=prompt, **parameters)["id"]) == "failed"


def test_the_plan_comes_before_a_prompt() -> None:
    fake = Fake(Settings(task_profile(), plan=("submit#1: http 503",)), checked=False)
    body = json.dumps({"prompt": "a lamp [[safelight submit: http 502]]"}).encode()
    assert [fake.send("POST", SUBMIT, body).status for _ in range(2)] == [503, 502]


@given(st.text(max_size=40) | st.text("[]safelight =:#poll12 \"'", max_size=60).map("[[safelight {}]]".format))
def test_any_prompt_is_answered(prompt: str) -> None:
    fake = Fake(checked=False)
    body = json.dumps({"prompt": prompt or "a"}).encode()
    assert fake.send("POST", SUBMIT, body).status in range(200, 600)
    assert fake.journal[0].operation == "image_generation"


def test_rules_of_one_task_are_counted_and_met_by_it_alone() -> None:
    fake = Fake()
    ids = [fake.submit(prompt="a lamp [[safelight poll#1: http 502]]") for _ in range(3)]
    assert [words(fake, task_id, 2) for task_id in ids] == [[502, "completed"]] * 3
    assert [(struck, delivered) for _, struck, delivered in fake.session.plan.counts()] == [(1, 1)] * 3
    assert list(read_rules([str(rule) for rule in fake.session.plan])) == list(fake.session.plan)


class Searched(str):
    """A text that counts how often it was searched."""

    __slots__ = ("searches",)

    def find(self, *args: Any) -> int:
        self.searches = getattr(self, "searches", 0) + 1
        return super().find(*args)


def test_a_long_prompt_is_searched_once_for_each_directive() -> None:
    prompt = Searched(1_000 * "[[safelight " + "]] a lamp [[safelight ")
    with pytest.raises(ValueError, match="at most 2,000 characters"):
        directive_in({"prompt": prompt})
    assert prompt.searches == 2
