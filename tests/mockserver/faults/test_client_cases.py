"""All that a client has to survive can be said in options and a plan: what each case of clients asks of the fake."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from fake import PNG, SUBMIT, Fake, status_of
from safelight.mockserver.model.messages import Reply
from safelight.mockserver.sessions.opening import settings

POLLS: Final = {"polls": (1, 1)}
DONE: Final = {"polls": (0, 0)}


@dataclass(frozen=True)
class Story:
    """What a client sees that submits once, polls each second, and fetches the picture three times."""

    submit: Reply
    polls: Sequence[Reply]
    pictures: Sequence[Reply]

    @property
    def words(self) -> list[Any]:
        """The status words of the polls; in the place of one the HTTP status of an error, or what became of it."""
        return [_word(reply) for reply in self.polls]

    def last(self, name: str) -> Any:
        """A field of the last poll's data."""
        return document(self.polls[-1])["data"].get(name, "absent")

    @property
    def url(self) -> Any:
        """The URL of the picture."""
        return self.last("result")["image_url"]


def document(reply: Reply) -> Any:
    return json.loads(reply.body)


def _word(reply: Reply) -> Any:
    if reply.wire and not reply.wire.whole:
        return reply.wire.name
    return document(reply)["data"]["status"] if reply.status == 200 else reply.status


def played(options: Mapping[str, Any], plan: Sequence[str], polls: int) -> Story:
    fake = Fake(settings({**options, "faults": plan}), checked=False)
    submit = fake.send("POST", SUBMIT, b'{"prompt": "a lamp", "width": 8, "height": 8}')
    task_id = fake.tasks[0].id if fake.tasks else "none"
    replies, pictures = [], []
    for _ in range(polls):
        replies.append(fake.send("GET", status_of(task_id)))
        fake.clock.advance(1)
    if fake.tasks:
        pictures = [fake.picture(task_id) for _ in range(3)]
    return Story(submit, replies, pictures)


def _is(word: str, **data: Any) -> Callable[[Story], bool]:
    return lambda story: (story.words[-1], *map(story.last, data)) == (word, *data.values())


def _reads(*words: Any) -> Callable[[Story], bool]:
    return lambda story: story.words == list(words)


def _answers(status: int, error: Any) -> Callable[[Story], bool]:
    return lambda story: (story.submit.status, document(story.submit).get("error")) == (status, error)


def _fetched(*statuses: int) -> Callable[[Story], bool]:
    return lambda story: [reply.status for reply in story.pictures] == list(statuses)


def _id(task_id: str) -> tuple[Mapping[str, Any], Sequence[str], int, Callable[[Story], bool]]:
    return {**DONE, "ids": [task_id]}, [], 1, _is("completed", id=task_id)


def _progress(fault: str, progress: Any) -> tuple[Mapping[str, Any], Sequence[str], int, Callable[[Story], bool]]:
    return {"polls": (0, 9)}, [f"poll: {fault}"], 1, _is("processing", progress=progress)


#: Case -> options, plan, polls, and what a client sees then.
CASES: Final[Mapping[str, tuple[Mapping[str, Any], Sequence[str], int, Callable[[Story], bool]]]] = {
    "1.3": _id("9007199254740993"),
    "1.4": _id("0001234567"),
    "1.5": _id("a b&c=d#é"),
    "2.1": (DONE, [], 1, _reads("completed")),
    "2.3": (
        {"timeline": [["running", 1], ["queued", 1], ["running", 1], "done"]},
        [],
        4,
        _reads("processing", "pending", "processing", "completed"),
    ),
    "2.4": ({**DONE, "fail": "no ink"}, [], 1, _is("failed", error="no ink")),
    "2.5 absent": ({**DONE, "fail": True}, ["poll: remove data.error"], 1, _is("failed", error="absent")),
    "2.5 null": ({**DONE, "fail": True}, ["poll: set data.error null"], 1, _is("failed", error=None)),
    "2.5 object": (
        {**POLLS, "fail": True},
        ['poll: set data.error {"message": "no ink"}'],
        3,
        _is("failed", error={"message": "no ink"}),
    ),
    "2.6": (
        {"timeline": [["running", 2, "warming_up"], "done"]},
        [],
        3,
        _reads("warming_up", "warming_up", "completed"),
    ),
    "2.7": (
        {"timeline": [["queued", 1], ["running", "never", "cancelled"]]},
        [],
        3,
        _reads("pending", *2 * ["cancelled"]),
    ),
    "2.8": ({"queued": "never"}, [], 3, _reads(*3 * ["pending"])),
    "2.9": ({"timeline": [["done", 1], "running"]}, [], 3, _reads("completed", "processing", "processing")),
    "2.10": ({"timeline": [["unseen", 2], ["running", 1], "done"]}, [], 4, _reads(404, 404, "processing", "completed")),
    "2.11": ({"timeline": ["unseen"]}, [], 2, _reads(404, 404)),
    "2.12": (POLLS, ["poll#3: id other"], 3, lambda story: story.last("id") != document(story.submit)["data"]["id"]),
    "2.13 absent": _progress("progress absent", "absent"),
    "2.13 null": _progress("progress null", None),
    "2.13 100": _progress("progress 100", 100),
    "2.13 250": _progress("set data.progress 250", 250),
    "2.13 -1": _progress("set data.progress -1", -1),
    "2.13 text": _progress('set data.progress "45%"', "45%"),
    "2.14": (DONE, ["poll: shout"], 1, _reads("COMPLETED")),
    "3.1": (POLLS, ["poll: result null"], 3, _is("completed", result=None)),
    "3.2 empty": (POLLS, ["poll: result empty"], 3, _is("completed", result={})),
    "3.2 null": (POLLS, ["poll: set data.result.image_url null"], 3, _is("completed", result={"image_url": None})),
    "3.2 blank": (POLLS, ["poll: set data.result.image_url ''"], 3, _is("completed", result={"image_url": ""})),
    "3.3": (DONE, ["poll: extra"], 1, lambda story: "x_unknown" in story.last("result")),
    "3.4": (DONE, ["poll: result relative"], 1, lambda story: story.url.startswith("/uploads/")),
    "3.4 as written": (
        DONE,
        ["poll: set data.result.image_url uploads/x.png"],
        1,
        lambda story: story.url == "uploads/x.png",
    ),
    "3.5": (DONE, ["image#1-2: http 404"], 1, _fetched(404, 404, 200)),
    "3.6": (DONE, ["image: http 410"], 1, _fetched(410, 410, 410)),
    "3.7": (DONE, ["image: truncate 100"], 1, lambda story: story.pictures[0].wire is not None),
    "3.8": (DONE, ["image: html 200"], 1, lambda story: story.pictures[0].media_type == "text/html"),
    "3.9": (DONE, ["poll: result elsewhere"], 1, lambda story: "/elsewhere/uploads/" in story.url),
    "4.1": ({}, ["submit: refuse 400 no such model"], 1, _answers(400, {"message": "no such model"})),
    "4.5 date": (
        {},
        ["submit#1: throttle Wed, 21 Oct 2065 07:28:00 GMT"],
        0,
        lambda story: story.submit.headers["retry-after"].endswith("GMT"),
    ),
    "4.7": (
        {},
        ["submit#1: reset after"],
        1,
        lambda story: _word(story.submit) == "reset" and len(story.pictures) == 3,
    ),
    "4.8": ({}, ["submit#1: hang after"], 1, lambda story: _word(story.submit) == "hang" and len(story.pictures) == 3),
    "4.9": ({}, ["submit#1: html 502 after"], 1, lambda story: story.submit.status == 502 and len(story.pictures) == 3),
    "4.10": ({}, ["submit: unsuccessful no ink"], 0, _answers(200, {"message": "no ink"})),
    "4.11": ({}, ["submit: id null"], 0, lambda story: document(story.submit)["data"]["id"] is None),
    "4.11 as written": ({}, ["submit: set data.id 1e+19"], 0, lambda story: b'"id":1e+19' in story.submit.body),
    "4.12": ({}, ["submit: warning"], 0, lambda story: story.submit.body.startswith(b"<br />")),
    "4.13 text": ({"errors": "string"}, ["submit: refuse 400 no ink"], 0, _answers(400, "no ink")),
    "4.13 absent": ({"errors": "message"}, ["submit: refuse 400 no ink"], 0, _answers(400, None)),
    "4.13 on a poll": (DONE, ["poll: refuse 500 no ink"], 1, _reads(500)),
    "5.1": (POLLS, ["poll#2: html 502"], 3, _reads("pending", 502, "completed")),
    "5.2": (POLLS, ["poll#2-4: http 503"], 5, _reads("pending", 503, 503, 503, "completed")),
    "5.3": (POLLS, ["poll#1: reset", "poll#2: idle"], 3, _reads("reset", "processing", "completed")),
    "5.4": (POLLS, ["poll#2: hang"], 3, _reads("pending", "hang", "completed")),
    "5.7": ({"polls": (9, 9)}, ["poll#3-: http 401"], 4, _reads("pending", "pending", 401, 401)),
    "5.8": ({"polls": (9, 9)}, ["poll#2: throttle 2"], 3, _reads("pending", 429, "pending")),
    "5.9": (POLLS, ["poll#3: cut"], 4, _reads("pending", "processing", "cut", "completed")),
    "5.10": (POLLS, ["poll#1: http 500"], 3, _reads(500, "processing", "completed")),
    "7.1": ({}, ["submit: redirect 307 elsewhere"], 0, lambda story: "/elsewhere/" in story.submit.headers["location"]),
    "7.2": (DONE, ["poll: filename ../../x"], 1, lambda story: story.url.endswith(".png/..%2F..%2Fx")),
    "7.2 in a header": (DONE, ["image: filename /etc/x"], 1, lambda story: "/etc/x" in str(story.pictures[0].headers)),
    "7.3": ({}, ["submit: deep 10000"], 0, lambda story: story.submit.body.count(b"[") == 10_000),
    "7.4": ({}, ["submit: refuse 400 \x1b[31mred"], 0, _answers(400, {"message": "\x1b[31mred"})),
    "201": ({}, ["submit: status 201"], 1, lambda story: (story.submit.status, len(story.pictures)) == (201, 3)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_case_can_be_said(case: str) -> None:
    options, plan, polls, holds = CASES[case]
    assert holds(played(options, plan, polls))


def test_a_hostile_name_leads_to_the_picture() -> None:
    fake = Fake(settings({**DONE, "faults": ["poll: filename ../../x"]}), checked=False)
    assert fake.result(fake.submit(width=8, height=8)).body.startswith(PNG)


@pytest.mark.parametrize(
    ("plan", "fields"),
    [
        ([], {"video_url", "image_url"}),
        (["poll: remove data.result.image_url"], {"video_url"}),
        (["poll: remove data.result.video_url"], {"image_url"}),
    ],
)
def test_a_video_can_be_under_either_field(plan: list[str], fields: set[str]) -> None:
    fake = Fake(settings({**DONE, "faults": plan}), checked=False)
    result = fake.poll(fake.data("video_generation", prompt="it turns", mode="t2v")["id"])["result"]
    assert result.keys() == fields
    assert {urlsplit(url).path.rpartition(".")[2] for url in result.values()} == {"webm"}
