"""A run in the terminal, in a pipe and in GitHub Actions."""

import re
from dataclasses import replace
from io import StringIO
from typing import Literal

import pytest
from hypothesis import given
from rich.console import Console

from reports import KEY, each_verdict, reports, result, run
from safelight.conformance.report.document import Document, Kind, document
from safelight.conformance.report.terminal import MAX_ROWS, Watch, _end, show
from safelight.conformance.results import Tried
from safelight.conformance.verdicts import Finding, Severity, Verdict

ESCAPES = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


def shown(made: Document, *, is_terminal: bool = False) -> str:
    """What is printed, 80 columns wide."""
    file = StringIO()
    colours: Literal["standard"] | None = "standard" if is_terminal else None
    show(made, Console(file=file, force_terminal=is_terminal, width=80, highlight=False, color_system=colours))
    return file.getvalue()


def test_each_case_that_did_not_pass_is_in_the_table_with_its_verdict_severity_and_fact() -> None:
    text = shown(each_verdict())
    for case in each_verdict()["cases"]:
        row = rf"^{case['id']} +{case['verdict']} +{re.escape(case['severity'])} +{case['fact']}"
        assert bool(re.search(row, text, re.MULTILINE)) == (case["verdict"] not in (Verdict.PASS, Verdict.NOT_ASKED))
    assert "fact 2.1 (waived: known, ticket 7)" in text


def test_a_case_says_what_was_done_what_the_client_did_what_it_broke_what_it_cost_and_how_to_run_it_again() -> None:
    text = shown(document(run([result(Verdict.FAIL)])))
    for line in (
        "4.7 FAIL MUST: fact 4.7",
        "  the fake       resets the connection",
        "  a good client  does not submit again",
        "       0.00 s  submit 1   reset            fault: submit#1: reset after",
        "       0.25 s  poll 1     200 running",
        "  ended with     exit code 0 after 1.5 s",
        "  wrote          done",
        "  broke          U1 (MUST-$): 4 accepted, 1 wanted: 30 credits lost",
        "  run it again   safelight check client --only 4.7 -- python client.py",
        "30 credits lost",
        "client.py: 1 FAIL of 1 case in 12.5 s",
        "failed: 1 case with a MUST that is broken",
    ):
        assert f"{line}\n" in text


def test_what_is_recorded_and_not_judged_has_lost_no_credits() -> None:
    taken = Finding("prompt.min-length", Severity.INFO, "an empty prompt: taken as task 7", lost=10)
    of_both = [Tried("", Verdict.FAIL, [replace(taken, severity=Severity.MUST, lost=20), taken])]
    for verdict, trials, lost in ((Verdict.PASS, [Tried("", Verdict.PASS, [taken])], 0), (Verdict.FAIL, of_both, 20)):
        made = document(run([result(verdict, trials=trials)]))
        assert made["lost"] == sum(one["lost"] for one in made["cases"][0]["findings"]) == lost
        assert ("credits lost" in shown(made)) is bool(lost)


def test_a_waiver_that_is_not_needed_is_said_to_be_so() -> None:
    assert "the waiver of 1.1 until 2026-12-31 is not needed any more" in shown(each_verdict())


def test_requests_that_are_alike_are_one_line_and_of_many_the_middle_is_left_out() -> None:
    poll = result().trials[0].timeline[1]
    alike = Tried("", Verdict.FAIL, [], [{**poll, "at": at} for at in range(30)], remark="odd")
    assert "30 times until 29.00 s" in shown(document(run([result(Verdict.FAIL, trials=[alike])])))
    other = Tried("", Verdict.FAIL, [], [{**poll, "at": at, "task": at} for at in range(30)], remark="odd")
    text = shown(document(run([result(Verdict.FAIL, trials=[other])])))
    assert f"... {30 - MAX_ROWS} more ..." in text
    assert text.count("200 running") == MAX_ROWS


def test_polls_are_numbered_as_rules_count_them_for_each_task() -> None:
    poll = result().trials[0].timeline[1]
    rows = [{**poll, "at": at, "word": word} for at, word in enumerate(["pending", "running", "running", "completed"])]
    of_one = shown(document(run([result(Verdict.FAIL, trials=[Tried("", Verdict.FAIL, [], rows, remark="odd")])])))
    assert re.findall(r"poll \S+ +200 \w+", of_one) == [
        "poll 1     200 pending",
        "poll 2-3   200 running",
        "poll 4     200 completed",
    ]
    mixed = [{**row, "task": task} for row, task in zip(rows, [1, 2, 1, 2], strict=True)]
    of_two = shown(document(run([result(Verdict.FAIL, trials=[Tried("", Verdict.FAIL, [], mixed, remark="odd")])])))
    assert re.findall(r"poll \d of task \d", of_two) == [
        f"poll {n} of task {task}" for n, task in zip([1, 1, 2, 2], [1, 2, 1, 2], strict=True)
    ]


@given(reports)
def test_in_a_pipe_there_is_no_escape_no_key_and_no_blank_at_an_end(made: Document) -> None:
    text = shown(made)
    assert "\x1b" not in text
    assert KEY not in text
    assert all(line == line.rstrip(" ") for line in text.split("\n"))


@given(reports)
def test_a_terminal_gets_lines_of_its_width_and_no_escapes_but_colours(made: Document) -> None:
    text = shown(made, is_terminal=True)
    assert set(re.findall(r"\x1b.{0,2}", text)) <= {found[:3] for found in re.findall(r"\x1b\[[\d;]*m", text)}
    assert "\x1b]" not in text


def test_at_80_columns_no_line_is_longer() -> None:
    text = ESCAPES.sub("", shown(each_verdict(), is_terminal=True))
    assert max(map(len, text.splitlines())) <= 80


def test_in_github_actions_what_a_client_wrote_is_no_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    tried = Tried("", Verdict.FAIL, [], output="::error::mine", remark="odd")
    show(document(run([result(Verdict.FAIL, trials=[tried])])), Console(highlight=False))
    first, *between, last = capsys.readouterr().out.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert last == f"::{token}::"
    assert any("::error::mine" in line for line in between)


def test_a_run_under_way_shows_its_counts_and_its_last_cases() -> None:
    file = StringIO()
    with Watch(Console(file=file, force_terminal=True, width=80), 9) as watch:
        for number in range(1, 9):
            watch(result(Verdict.FAIL if number == 8 else Verdict.PASS, f"1.{number}"))
    text = ESCAPES.sub("", file.getvalue())
    assert "7 PASS  1 FAIL" in text
    assert "8/9" in text
    assert re.search(r"1\.8 +FAIL +fact 1\.8", text)


def test_a_pipe_is_shown_nothing_while_a_run_lasts() -> None:
    file = StringIO()
    with Watch(Console(file=file), 1) as watch:
        watch(result())
    assert file.getvalue() == ""


def test_a_finding_of_a_server_says_who_says_so_what_was_expected_what_came_and_how_to_send_again() -> None:
    curl = "curl 'http://127.0.0.1:1/?endpoint=user_balance'"
    facts = {"pointer": "/width", "provenance": "seed", "expected": "400", "got": "200", "curl": curl}
    found = Finding("image_generation.width.maximum", Severity.MUST, "2049 was taken", 10, **facts)
    tried = replace(result().trials[0], verdict=Verdict.FAIL, findings=[found])
    text = shown(document(run([result(Verdict.FAIL, trials=[tried])], kind=Kind.SERVER)))
    for label, fact in (
        *(("where", "/width"), ("who says so", "seed"), ("expected", "400")),
        *(("got", "200"), ("send again", curl)),
    ):
        assert re.search(rf"^    {label} +{re.escape(fact)}$", text, re.MULTILINE)


def test_what_was_not_asked_stands_in_a_line_with_the_reason() -> None:
    tried = replace(result().trials[0], verdict=Verdict.NOT_ASKED, remark="no bank was given")
    asked = [result(Verdict.NOT_ASKED, name, trials=[tried]) for name in ("S42", "S43")]
    text = shown(document(run([*asked, result()], kind=Kind.SERVER, extent="free")))
    assert "not asked: S42 and S43: no bank was given" in text
    assert "of 3 checks in 12.5 s\npassed (free)\n" in text


def test_of_an_output_the_lines_below_a_message_are_left_out_as_far_as_there_are_others() -> None:
    stack = ["}", "      ^", "TypeError: no id", "    at main (client.mjs:5)", "", "Node.js v20.20.2"]
    assert _end("\n".join(stack)) == ["TypeError: no id"]
    assert _end("}\n") == ["}"]
