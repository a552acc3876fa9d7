"""Expectations: each sees a client that does not meet it, and nothing in one that does, whatever its habits."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_by_hand import ENTRY, ID, OTHER, PICTURE, dead, ended, evidence, fetch, paid, poll, sent, submit, task
from safelight.conformance.clients.evidence import Evidence
from safelight.conformance.clients.expectations import expectations
from safelight.contracts import Phase

ODD: Final = "a b&c=d#é"
DONE: Final = Phase.DONE


def found(name: str, seen: Evidence, **told: Any) -> list[str]:
    """What an expectation has to say."""
    return list(expectations()[name].look(seen, **told))


def says(stdout: str = "", stderr: str = "", code: int | None = 1, **more: Any) -> Evidence:
    """A client that has printed this."""
    return evidence(submit(), ended=[ended(code, stdout, stderr)], **more)


def saves(*, code: int = 0, **files: bytes) -> Evidence:
    """A client that has left these files; `_` stands for a dot in their names."""
    named = {name.replace("__", "/").replace("_", "."): contents for name, contents in files.items()}
    return evidence(submit(), poll(1, DONE), fetch(), ended=[ended(code)], files=[named])


def told(error: str) -> Any:
    """A poll that was told this error."""
    answer = json.dumps({"success": True, "data": {"status": "failed", "error": error}})
    return poll(1, Phase.FAILED, answer=answer.encode())


RED: Final = "\x1b[31mred\x1b[0m \x1b]0;owned\x07"
THREE: Final = [task(str(number), f"a lamp, picture {number}") for number in (1, 2, 3)]
PICTURES: Final = {str(number): f"picture {number}".encode() for number in (1, 2, 3)}


def saved_by_three(*numbers: int) -> Evidence:
    """Three processes, each with the picture of this number."""
    files = [{"x.png": PICTURES.get(str(number), b"none")} for number in numbers]
    return evidence(submit(), tasks=THREE, pictures=PICTURES, files=files)


Row = tuple[str, Evidence, dict[str, Any], str]

#: Expectation, evidence, what the expectation is given, and a part of what it says.
UNMET: Final[list[Row]] = [
    # How it ends
    ("exits", says(code=1), {"codes": [0]}, "ended with exit code 1; 0 was due"),
    ("exits", says(code=-11), {"codes": [1, 3]}, "ended with signal 11; 1 or 3 was due"),
    ("fails", says(code=0), {}, "ended with exit code 0; it was to say that it failed"),
    ("names_the_task", says("a task"), {}, f'does not name the task "{ID}"'),
    ("names_the_task", says(ID.upper()), {}, f'does not name the task "{ID}"'),
    ("says", says("it failed"), {"text": "out of memory"}, 'does not say "out of memory"'),
    ("has_no_trace", says("", "Traceback (most recent call last):\n  File"), {}, "the output has a traceback"),
    ("has_no_trace", says("", "TypeError: x\n    at poll (/app/client.mjs:3:14)"), {}, "has a stack trace"),
    ("has_no_trace", says("", "node:internal/process: triggerUncaughtException("), {}, "has a stack trace"),
    ("has_no_trace", says("", "panic: runtime error\n\ngoroutine 1 [running]:"), {}, "has a panic"),
    ("has_no_trace", says("", "thread 'main' panicked at src/main.rs:3"), {}, "has a panic"),
    ("has_no_trace", says("", 'Exception in thread "main" java.lang.X'), {}, "has a stack trace"),
    ("has_no_trace", says("", "Segmentation fault (core dumped)"), {}, "has a crash"),
    ("is_readable", says(" \n"), {}, "the client says nothing"),
    ("is_readable", says("failed: [object Object]"), {}, "the client says [object Object]"),
    ("is_readable", says("", "the task failed: undefined\n"), {}, "the client says undefined"),
    ("is_readable", says("progress NaN"), {}, "the client says NaN"),
    ("is_readable", says('{"outcome": "failed", "reason": "undefined"}'), {}, "the client says undefined"),
    ("takes_memory", evidence(ended=[ended(memory=401_000_000)]), {"at_most_megabytes": 400}, "took 401 MB"),
    ("falls_silent", evidence(submit(), poll(1), interrupted=None), {}, "never interrupted: it sent no poll"),
    ("falls_silent", evidence(submit(), poll(1), poll(3.1), interrupted=1.0), {}, "1 request came more than 2 s"),
    ("passes_no_escapes", evidence(told(RED), ended=[ended(1, f"failed: {RED}")]), {}, "escape sequences"),
    ("passes_no_escapes", evidence(told(RED), ended=[ended(1, "\x1b[31mred")]), {}, "escape sequences"),
    # What it saves
    ("saves_picture", saves(), {}, "no picture was saved"),
    ("saves_picture", saves(x_png=b"<html>"), {}, 'not the picture of the task: "x.png" of 6 bytes'),
    ("saves_picture", saves(x_png=PICTURE[:-1]), {}, "is not the picture of the task"),
    ("saves_nothing", saves(x_png=b""), {}, '"x.png" of 0 bytes was left'),
    ("saves_nothing", saves(x=b"Gone"), {}, '"x" of 4 bytes was left'),
    ("saves_only_pictures", saves(a_png=PICTURE, b_png=b"<html>"), {}, '"b.png" of 6 bytes is not the picture'),
    ("does_not_use_the_first_answer", evidence(submit(), poll(1, DONE)), {}, "took the first answer"),
    ("is_honest", saves(), {}, "ended with 0, and no picture was saved"),
    ("stays_in_its_folder", evidence(stray=["1/2/3/escaped.png"]), {}, '"1/2/3/escaped.png" was written outside'),
    ("saves_own_pictures", saved_by_three(1, 3), {}, 'process 2 has the picture of "a lamp, picture 3"'),
    ("saves_own_pictures", saved_by_three(1, 2, 9), {}, "process 3 has no picture of this run"),
    # What it sends
    ("sends", evidence(submit(), submit(1)), {"at_most": 1}, "2 submits came in; 1 was the most"),
    ("asks", evidence(submit()), {"at_least": 3}, "0 polls came in; 3 or more were due"),
    ("asks", evidence(poll(1), poll(2)), {"at_most": 1}, "2 polls came in; 1 at most were due"),
    ("is_bounded", evidence(*(poll(at) for at in range(21))), {}, "21 requests came in; 20 is the bound"),
    (
        "waits",
        evidence(submit(), submit(1.5)),
        {"kind": "submit", "number": 1, "seconds": 2},
        "the submit after submit 1 came 1.50 s later; 2 s were asked for",
    ),
    (
        "gaps_grow",
        evidence(dead(poll(1)), dead(poll(2)), poll(3)),
        {"kind": "poll"},
        "the gaps after failed polls do not grow: 1.00, 1.00 s",
    ),
    ("is_paced", evidence(poll(1), poll(1.1), poll(1.2)), {}, "median gap of polls is 0.100 s; the interval is 0.2 s"),
    ("is_no_burst", evidence(poll(1), poll(1.05), poll(1.1)), {}, "is 0.050 s: that is no pace, it is a burst"),
    ("returns_the_id", evidence(submit()), {}, "no poll came in"),
    ("returns_the_id", evidence(poll(1, task_id="a b"), **paid(ODD)), {}, 'and the client polled "a b"'),
    ("returns_the_id", evidence(poll(1, task_id="1234567"), **paid("0001234567")), {}, 'polled "1234567"'),
    ("submits_well", evidence(poll(1)), {}, "no submit came in"),
    ("submits_well", evidence(submit(body=b"prompt=x")), {}, "the body of the submit is no JSON object"),
    ("submits_well", evidence(submit(headers={"content-type": "application/json"})), {}, "has the key in no header"),
    (
        "submits_well",
        evidence(submit(headers={"content-type": "text/plain", "x-api-key": "sk-..."})),
        {},
        'the content type of the submit is "text/plain"; the body is JSON',
    ),
    ("keeps_the_prefix", evidence(submit(), url=f"http://a/s{ENTRY}"), {}, f'and "{ENTRY}?endpoint=image_generation'),
    ("sends_parameters", evidence(submit(body=b"{}"), request={"cfg": 7.5}), {}, "cfg was not sent; it was to be 7.5"),
    ("sends_parameters", evidence(submit(body=b'{"seed": "0"}'), request={"seed": 0}), {}, 'seed arrived as "0"'),
    ("sends_parameters", evidence(submit(body=b'{"seed": false}'), request={"seed": 0}), {}, "seed arrived as false"),
    (
        "sends_parameters",
        evidence(submit(body=b'{"prompt": "a\\\\n"}'), request={"prompt": "a\n"}),
        {},
        "prompt arrived",
    ),
    ("fetches_again", evidence(fetch(1)), {}, "the picture was asked for 1 time"),
]


@pytest.mark.parametrize(("name", "seen", "given_", "part"), UNMET, ids=[f"{row[0]}: {row[3]}" for row in UNMET])
def test_what_is_not_met_is_said(name: str, seen: Evidence, given_: dict[str, Any], part: str) -> None:
    (sentence,) = found(name, seen, **given_)
    assert part in sentence


def test_every_expectation_has_a_row() -> None:
    assert {name for name, *_ in UNMET} == set(expectations())


LOG: Final = "debug: progress NaN\ndebug: last_error undefined\ndebug: options [object Object]\n"

#: Habit -> expectation, evidence of it, and what the expectation is given.
MET: Final[dict[str, tuple[str, Evidence, dict[str, Any]]]] = {
    # How it ends
    "one of several codes": ("exits", says(code=3), {"codes": [1, 3]}),
    "a process that was ended is U5's": ("exits", says(code=None), {"codes": [0]}),
    "a signal is no success": ("fails", says(code=-15), {}),
    "names the task on standard error": ("names_the_task", says("", f"task {ID} is unknown"), {}),
    "names the task in JSON": ("names_the_task", says(json.dumps({"task_id": ODD}), **paid(ODD)), {}),
    "names the task in a URL": ("names_the_task", says("?task_id=a%20b%26c%3Dd%23%C3%A9", **paid(ODD)), {}),
    "has no task to name": ("names_the_task", says("refused", **paid()), {}),
    "says it in capitals": ("says", says("ERROR: OUT OF MEMORY"), {"text": "out of memory"}),
    "says it on two lines": ("says", says("failed: out of\n  memory"), {"text": "out of memory"}),
    "says it in JSON": ("says", says(json.dumps({"reason": "plus de mémoire"})), {"text": "plus de mémoire"}),
    "says it within JSON": ("says", says(json.dumps({"error": {"reason": 'a "b"'}})), {"text": 'a "b"'}),
    "speaks of tracing": ("has_no_trace", says("no trace of the task; panic is no help, at 12:30:05"), {}),
    "logs what is none": ("is_readable", says(f"{LOG}the task failed: out of memory"), {}),
    "logs what is none on standard error": ("is_readable", says("the task failed", f"{LOG}giving up\n"), {}),
    "ends with JSON": ("is_readable", says('{"progress": NaN, "reason": "out of memory"}'), {}),
    "ends with JSON without a reason": ("is_readable", says('undefined\n{"outcome": "failed", "file": null}'), {}),
    "uses a longer word": ("is_readable", says("the state is undefinedness; NaNcy"), {}),
    "is quiet where all is well": ("is_readable", says("", code=0), {}),
    "takes memory nobody measured": ("takes_memory", says(), {"at_most_megabytes": 400}),
    "sends what was under way": ("falls_silent", evidence(poll(1), poll(2.9), interrupted=1.0), {}),
    "has colours of its own": (
        "passes_no_escapes",
        evidence(told(RED), ended=[ended(1, "\x1b[31mfailed\x1b[0m: red owned\x07")]),
        {},
    ),
    # What it saves
    "another name": ("saves_picture", saves(the_result_bin=PICTURE), {}),
    "a folder of its own": ("saves_picture", saves(a__b__x_png=PICTURE), {}),
    "two copies and a log": ("saves_only_pictures", saves(a_png=PICTURE, b_png=PICTURE, x_log=b"log"), {}),
    "a sidecar": ("saves_only_pictures", saves(x_png=PICTURE, x_png_json=b"{}"), {}),
    "half a picture under a name for halves": ("saves_nothing", saves(x_png_part=PICTURE[:9]), {}),
    "a page that is called one": ("saves_nothing", saves(error_html=b"<html>"), {}),
    "fails, and saves nothing": ("is_honest", saves(code=1), {}),
    "asks again": ("does_not_use_the_first_answer", evidence(poll(1), poll(2, DONE)), {}),
    "gives up after the first answer": (
        "does_not_use_the_first_answer",
        evidence(poll(1, DONE), ended=[ended(1)]),
        {},
    ),
    "stays": ("stays_in_its_folder", evidence(), {}),
    "its own pictures": ("saves_own_pictures", saved_by_three(1, 2, 3), {}),
    # What it sends
    "a submit and a question": ("sends", evidence(submit(), sent(1, "OPTIONS", ENTRY)), {"at_most": 1}),
    "polls enough": ("asks", evidence(poll(1), poll(2), poll(3)), {"at_least": 3}),
    "at the bound": ("is_bounded", evidence(*(poll(at) for at in range(20))), {}),
    "a throttled submit that is not repeated": (
        "waits",
        evidence(submit(), poll(1)),
        {"kind": "submit", "number": 1, "seconds": 2},
    ),
    "waits a moment less": (
        "waits",
        evidence(submit(), submit(1.99)),
        {"kind": "submit", "number": 1, "seconds": 2},
    ),
    "gaps of good polls are alike": ("gaps_grow", evidence(poll(1), poll(2), poll(3)), {"kind": "poll"}),
    "gaps that grow": ("gaps_grow", evidence(dead(poll(1)), dead(poll(1.2)), poll(1.6)), {"kind": "poll"}),
    "one failed poll": ("gaps_grow", evidence(poll(1), dead(poll(2)), poll(3)), {"kind": "poll"}),
    "one short gap": ("is_paced", evidence(poll(1), poll(1.05), poll(1.25), poll(1.45)), {}),
    "two tasks in turn": (
        "is_no_burst",
        evidence(poll(1), poll(1.01, task_id=OTHER), poll(1.2), poll(1.21, task_id=OTHER)),
        {},
    ),
    "encodes the id": ("returns_the_id", evidence(poll(1, task_id=ODD), **paid(ODD)), {}),
    "says the alphabet": (
        "submits_well",
        evidence(submit(headers={"content-type": "Application/JSON; charset=UTF-8", "authorization": "Bearer sk-..."})),
        {},
    ),
    "keeps the prefix, and fetches elsewhere": ("keeps_the_prefix", evidence(submit(), fetch(1)), {}),
    "writes a number its own way": ("sends_parameters", evidence(submit(body=b'{"cfg": 0.0}'), request={"cfg": 0}), {}),
    "sends more than it was given": (
        "sends_parameters",
        evidence(submit(body=b'{"a": 1, "b": 2}'), request={"a": 1}),
        {},
    ),
    "fetches twice": ("fetches_again", evidence(fetch(1), fetch(2)), {}),
}


@pytest.mark.parametrize("habit", MET)
def test_a_good_client_meets_it_whatever_its_habits(habit: str) -> None:
    name, seen, given_ = MET[habit]
    assert found(name, seen, **given_) == []


def test_every_expectation_can_be_met() -> None:
    met = {name for name, *_ in MET.values()}
    assert set(expectations()) - met == set()


@given(st.text(min_size=1).filter(str.strip), st.booleans())
def test_a_reason_is_heard_in_whatever_way_a_client_writes_json(reason: str, ascii_: bool) -> None:  # noqa: FBT001 - drawn
    assert found("says", says(json.dumps({"reason": reason}, ensure_ascii=ascii_)), text=reason) == []


@given(st.recursive(st.none() | st.text(max_size=3), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_output_is_judged(value: Any) -> None:
    for name, known in expectations().items():
        if name in ("is_readable", "has_no_trace", "names_the_task", "passes_no_escapes"):
            list(known.look(says(json.dumps(value), json.dumps(value, indent=1))))


def test_an_answer_of_any_depth_is_judged() -> None:
    deep = b'{"a":' * 900 + b'"x"' + b"}" * 900
    assert found("passes_no_escapes", evidence(poll(1, answer=deep))) == []
    assert found("says", says(deep.decode()), text="nothing like it") == ['the output does not say "nothing like it"']
