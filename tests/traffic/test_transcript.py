"""Exchanges become rows, and rows a table that people read."""

import re

from fake import SUBMIT, Fake, status_of
from safelight.traffic.transcript import rows, transcript


def told(fake: Fake) -> list[str]:
    return transcript(fake.journal, {task.id: task.number for task in fake.tasks}).splitlines()


def cells(line: str) -> list[str]:
    return re.split(r"  +", line)


def test_a_story_has_a_line_for_each_change() -> None:
    fake = Fake(queued=2, running=4)
    task_id = fake.submit()
    for _ in range(8):
        fake.poll(task_id)
        fake.clock.advance(1)
    assert [cells(line) for line in told(fake)] == [
        ["seconds", "request", "task", "answer", "phase", "outcome"],
        ["0.0", "submit", "1", "200 queued", "queued", "ok"],
        ["0.0 .. 1.0", "2 polls", "1", "200 pending", "queued", "ok"],
        ["2.0 .. 5.0", "4 polls", "1", "200 processing, 0 to 75 %", "running", "ok"],
        ["6.0 .. 7.0", "2 polls", "1", "200 completed", "done", "ok"],
    ]


def test_what_is_wrong_and_why_stands_below_its_line() -> None:
    fake = Fake(fail_rate=1, fail_reason="no paper")
    task_id = fake.submit(workflow="z-image", cfg=6)
    fake.poll(task_id)
    fake.send("POST", SUBMIT, b'{"prompt": "a", "width": 2049, "seed": "x"}')
    fake.send("GET", status_of("null"))
    fake.send("GET", "/v1/index.php?endpoint=image_generations")
    fake.send("GET", "/v1/index.php?endpoint=image_generations")
    assert [line.strip() for line in told(fake) if line.startswith(" ")] == [
        "advice: cfg has no effect with the workflow z-image: only with rr3 or anime",
        "no paper",
        "width is 2049; the most is 2048",
        'seed is "x", a string; it must be an integer',
        "Task not found: this id was never issued to this key",
        'Unknown endpoint "image_generations"; did you mean image_generation?',
    ]
    assert [cells(line)[1:] for line in told(fake) if not line.startswith(" ")][-2:] == [
        ["poll", '"null"', "404", "refused"],
        ["GET /v1/index.php?endpoint=image_generations, 2 times", "404", "refused"],
    ]


def test_tasks_are_told_apart() -> None:
    fake = Fake()
    for task_id in [fake.submit(), fake.submit()]:
        fake.poll(task_id)
    assert [cells(line)[2] for line in told(fake)[1:]] == ["1", "2", "1", "2"]
    assert [row.task_id for row in rows(fake.journal)] == 2 * [task.id for task in fake.tasks]


def test_a_long_story_is_cut_in_its_middle() -> None:
    fake = Fake()
    for _ in range(100):
        fake.poll(fake.submit())
    lines = told(fake)
    assert len(lines) == 1 + 15 + 1 + 25
    assert lines[16] == "  ... and 160 lines more ..."
    assert lines[-1].split() == ["0.0", "poll", "100", "200", "completed", "done", "ok"]


def test_a_cell_and_a_remark_are_one_line_and_not_long() -> None:
    fake = Fake(checked=False)
    fake.next(fail="no\x1b[31m paper\n" * 100)
    fake.poll(fake.submit())
    fake.send("GET", "/" + "x" * 5_000)
    lines = told(fake)
    assert max(map(len, lines)) < 700
    assert not [line for line in lines if not line.isprintable()]


def test_many_remarks_are_counted() -> None:
    fake = Fake()
    fake.submitted(a=1, b=2, c=3, d=4, e=5, f=6, g=7, h=8, i=9)
    assert told(fake)[-1] == "    ... and 4 remarks more ..."


def test_no_exchange_is_a_story_too() -> None:
    assert told(Fake()) == ["no request came in"]


def test_an_answer_that_lost_its_words_with_the_key_is_told_without_them() -> None:
    fake = Fake(key="s", checked=False)
    fake.submit()
    assert cells(told(fake)[1])[1] == "submit"
