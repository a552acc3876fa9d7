"""The log of `safelight serve`: one line an exchange, safe for a terminal, and without keys."""

import json
import os
import re
import signal
from contextlib import suppress
from typing import Final
from urllib.parse import quote

import httpx
import pytest

from safelight.mockserver.model.keys import FAKE_KEY
from serving import Served, serving

#: Clears the screen, rings, begins a line of its own, and turns text around.
HOSTILE: Final = "\x1b[2J\x07\r\n00:00:00  ok\x9b31m\u202e\u2028end"

OWN_KEY: Final = "a-key/of+my&own"


def everything(server: Served, key: str) -> int:
    """Send a text in every odd place; how many exchanges that was."""
    raw, text = quote(key, safe="/+&-"), quote(key, safe="")
    answers = [
        server.call("GET", "task_status", params={"task_id": key, "api_key": key}),
        server.call("GET", "task_status", params={"task_id": "x", "other": key}),
        server.call("GET", key),
        server.call("POST", "image_generation", json={"prompt": key, key: key, "workflow": key, "model": [key]}),
        server.call("POST", "image_generation", content=key),
        server.client.get(f"{server.url}/{raw}", headers={"x-api-key": server.key}),
        server.client.get(f"{server.url}?endpoint=task_status&task_id={text}&api_key={text}"),
        server.client.get(server.url.replace("/v1/", f"/uploads/{text}/")),
        server.client.get(server.url, headers={"authorization": f"Bearer {quote(key)}", "user-agent": quote(key)}),
    ]
    assert {answer.status_code for answer in answers} <= {400, 401, 404}
    return len(answers)


def test_a_line_says_time_operation_task_phase_status_and_verdict() -> None:
    with serving("--polls", "1,0") as server:
        task = server.submit()["id"]
        server.poll(task)
        server.poll(task)
        lines = [line.split() for line in server.log]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", line[0]) for line in lines)
    assert [line[1:] for line in lines] == [
        ["image_generation", task, "queued", "200", "ok"],
        ["task_status", task, "queued", "200", "ok"],
        ["task_status", task, "done", "200", "ok"],
    ]


def test_a_line_says_what_was_wrong_and_what_had_no_effect() -> None:
    with serving() as server:
        server.submit(cfg=3)
        server.call("POST", "image_generation", json={"prompt": "", "width": 2049})
        server.call("POST", "image_generation", "nobody's")
        noted, broken, refused = server.log
    assert noted.endswith("200  ok | note: cfg has no effect with the workflow default: only with rr3 or anime")
    rule, width = "image_generation.prompt.minLength", "width is 2049; the most is 2048"
    assert f"400  {rule}: prompt is empty; the least is 1 character | {width}" in broken
    assert "401  refused: Unauthorized: Invalid API Key" in refused


def test_columns_are_aligned_whatever_the_task_is_called() -> None:
    with serving() as server:
        server.submit(workflow="rr3")
        server.submit()
        server.call("GET", "task_status", params={"task_id": "x" * 5_000})
        starts = {re.search(r"  (200|404)  ", line).start() for line in server.log}  # type: ignore[union-attr]
    assert len(starts) == 1


def test_hostile_text_never_reaches_the_terminal_raw() -> None:
    with serving() as server:
        number = everything(server, HOSTILE)
        lines = server.log
    assert len(lines) == number
    assert [line for line in lines if not line.isprintable()] == []


def test_lines_of_json_parse_and_tell_the_exchange() -> None:
    with serving("--log", "json") as server:
        task = server.submit(steps=9, cfg=3)["id"]
        server.poll(task)
        number = everything(server, HOSTILE)
        submit, poll, *rest = [json.loads(line) for line in server.log]
    assert len(rest) == number
    assert (submit["method"], submit["operation"], submit["task_id"]) == ("POST", "image_generation", task)
    assert (poll["status"], poll["phase"], poll["outcome"], poll["violations"]) == (200, "queued", "ok", [])
    assert poll["target"] == f"/v1/index.php?endpoint=task_status&task_id={task}"
    assert submit["advice"] == ["cfg has no effect with the workflow default: only with rr3 or anime"]
    assert poll["gap"] >= 0 == (submit["gap"] or 0)


def test_a_line_of_json_cuts_what_a_client_made_long() -> None:
    with serving("--log", "json") as server:
        server.call("GET", "task_status", params={"task_id": "x" * 5_000})
        [line] = [json.loads(line) for line in server.log]
    assert line["task_id"] == "x" * 999 + "…"
    assert len(line["target"]) == 1_000
    assert line["target"].endswith("x…")


@pytest.mark.parametrize("form", ["readable", "json"])
@pytest.mark.parametrize("key", [FAKE_KEY, FAKE_KEY.replace("5afe", "beef"), OWN_KEY])
def test_no_key_is_logged_wherever_it_is_sent(form: str, key: str) -> None:
    with serving("--log", form, "--api-key", OWN_KEY if key == OWN_KEY else FAKE_KEY) as server:
        number = everything(server, key)
        log = "\n".join(server.log)
    assert len(log.splitlines()) == number
    assert key not in log
    assert key.removeprefix("sk-")[:12] not in log or key == OWN_KEY


@pytest.mark.parametrize("key", ["e", '"'])
def test_a_key_of_one_letter_spoils_nothing_but_the_log(key: str) -> None:
    with serving("--api-key", key) as server:
        assert server.call("GET", "task_status", params={"task_id": "x"}).status_code == 404
        assert len(server.log) == 1


def test_a_terminal_that_knows_ascii_alone_gets_escapes() -> None:
    with serving(PYTHONIOENCODING="ascii") as server:
        server.call("GET", "é…" * 100)
        assert r"\u2026" in server.log[0]
        assert server.submit()["status"] == "queued"


@pytest.mark.parametrize(("variables", "colourful"), [({"NO_COLOR": ""}, False), ({}, True)])
def test_a_terminal_gets_colours_unless_it_wants_none(variables: dict[str, str], *, colourful: bool) -> None:
    master, slave = os.openpty()
    with serving(stdout=slave, **variables) as server:
        os.close(slave)
        server.submit()
        printed = os.read(master, 10_000).decode()
    os.close(master)
    assert "Safelight answers at" in printed
    assert ("\x1b[32m200\x1b[0m" in printed) is colourful


def test_a_fault_is_named_with_what_the_client_got() -> None:
    rules = ["--faults", "poll#1: html 502", "--faults", "poll#2: reset", "--faults", "poll#3: extra"]
    for form in ("readable", "json"):
        with serving("--polls", "9,9", "--log", form, *rules) as server:
            task_id = server.submit()["id"]
            query = {"endpoint": "task_status", "task_id": task_id}
            for _ in range(3):
                with suppress(httpx.ReadError):
                    server.client.get(server.url, params=query, headers={"x-api-key": server.key})
            lines = server.log[1:]
        if form == "json":
            told = [(line["wire"] or line["status"], line["fault"]) for line in map(json.loads, lines)]
            assert told == [(502, "poll#1: html 502"), ("reset", "poll#2: reset"), (200, "poll#3: extra")]
        else:
            ends = [re.split("  +", line)[-2:] for line in lines]
            assert ends == [
                ["502", "ok | fault: poll#1: html 502"],
                ["reset", "ok | fault: poll#2: reset"],
                ["200", "ok | fault: poll#3: extra"],
            ]


def test_a_fault_whose_text_has_escapes_is_one_line_without_them() -> None:
    with serving("--faults", "submit: refuse 400 'no\n\x1b[31mink'") as server:
        server.call("POST", "image_generation", json={"prompt": "a"})
        [line] = server.log
    assert line.endswith(r"fault: submit: refuse 400 'no\u000a\u001b[31mink'")


def test_polls_that_say_the_same_are_told_in_one_line() -> None:
    with serving("--polls", "200,1") as server:
        task_id = server.submit()["id"]
        for _ in range(201):
            server.poll(task_id)
        lines = [line.split(maxsplit=3) for line in server.log]
    assert [line[1] for line in lines] == ["image_generation", *["task_status"] * 3]
    assert re.fullmatch(r"… polled 199 times more in \d+ s", lines[2][3])
    assert [lines[1][3], lines[3][3]] == ["queued   200  ok", "running  200  ok"]


def test_a_fault_among_polls_has_its_line_and_the_end_loses_nothing() -> None:
    with serving("--polls", "200,1", "--faults", "poll#50: extra") as server:
        task_id = server.submit()["id"]
        for _ in range(100):
            server.poll(task_id)
        assert server.end(signal.SIGINT) == 0
        told = [line.split(maxsplit=3)[3].partition(" in ")[0] for line in server.log[1:]]
    usual = "queued   200  ok"
    assert told == [
        usual,
        "… polled 48 times more",
        f"{usual} | fault: poll#50: extra",
        usual,
        "… polled 49 times more",
    ]


def test_each_poll_is_a_line_of_json() -> None:
    with serving("--log", "json") as server:
        task_id = server.submit()["id"]
        for _ in range(20):
            server.poll(task_id)
        assert len(server.log) == 21
