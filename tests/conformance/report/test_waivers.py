"""Files of waivers, and what they let pass."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from reports import result
from safelight.conformance.report.waivers import BadWaivers, State, Waiver, applied, read
from safelight.conformance.results import Result, Tried
from safelight.conformance.verdicts import Finding, Severity, Verdict
from sentences import CheckSentence

TODAY, LAST, OVER = date(2026, 11, 26), date(2026, 11, 26), date(2026, 11, 25)
KNOWN = ["4.7", "4.12", "5.1"]


def waiver(glob: str, until: date = LAST) -> Waiver:
    return Waiver(glob, "ticket 7", until)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("waivers.json", '{"4.*": {"reason": "ticket 7", "until": "2026-11-26"}}'),
        ("waivers.toml", '["4.*"]\nreason = "ticket 7"\nuntil = 2026-11-26'),
        ("waivers.toml", '"4.*" = {reason = "ticket 7", until = "2026-11-26"}'),
    ],
)
def test_a_file_is_json_or_toml(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text, "utf-8")
    assert read(file, KNOWN) == [waiver("4.*")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("w.toml", '[4.7]\nreason = "x"\nuntil = 2026-11-26'),
        ("w.toml", "a ="),
        ("w.json", "{"),
        ("w.json", "[]"),
        ("w.json", '{"4.77": {"reason": "x", "until": "2026-11-26"}}'),
        ("w.json", '{"4.7": {"reason": "x"}}'),
        ("w.json", '{"4.7": {"reason": "x", "until": "2026-11-26", "by": "me"}}'),
        ("w.json", '{"4.7": "known"}'),
        ("w.json", '{"4.7": {"reason": " ", "until": "2026-11-26"}}'),
        ("w.json", '{"4.7": {"reason": "x", "until": "next week"}}'),
        ("w.json", '{"4.7": {"reason": "x", "until": null}}'),
        ("w.toml", '["4.7"]\nreason = "x"\nuntil = 2026-11-26T10:00:00'),
        ("w.json", "[" * 100_000),
        ("w.toml", 'x = "\udcff"'),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(
    tmp_path: Path, name: str, text: str, check_sentence: CheckSentence
) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadWaivers) as caught:
        read(file, KNOWN)
    check_sentence(str(caught.value))


def test_a_file_that_is_not_there_is_refused_in_a_sentence(tmp_path: Path, check_sentence: CheckSentence) -> None:
    with pytest.raises(BadWaivers) as caught:
        read(tmp_path / "none.json", KNOWN)
    check_sentence(str(caught.value))


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.INCOMPLETE, Verdict.UNIMPLEMENTED])
def test_what_would_fail_the_run_is_waived_up_to_and_including_the_day(verdict: Verdict) -> None:
    (waived,), (state,) = applied([waiver("4.*")], [result(verdict)], TODAY)
    assert (waived.waived, state.state) == ("ticket 7", State.USED)


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (waiver("4.7", OVER), State.EXPIRED),
        (waiver("5.*"), State.NOT_SELECTED),
    ],
)
def test_one_past_its_day_or_for_other_cases_lets_nothing_pass(one: Waiver, state: State) -> None:
    (waived,), (found,) = applied([one], [result(Verdict.FAIL)], TODAY)
    assert (waived.waived, found.state) == ("", state)


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.NON_STRICT])
def test_one_that_nothing_needs_is_said_to_be_so(verdict: Verdict) -> None:
    (waived,), (found,) = applied([waiver("4.*")], [result(verdict)], TODAY)
    assert (waived.waived, found.state) == ("", State.NOT_NEEDED)


def of_rules(*rules: str, severity: Severity = Severity.MUST, verdict: Verdict = Verdict.FAIL) -> Result:
    """A result of 4.7 with a finding for each rule."""
    findings = [Finding(name, severity, "it was taken") for name in rules]
    return replace(result(verdict), trials=[Tried("", verdict, findings)])


def of_rule(glob: str, reason: str = "ticket 7") -> Waiver:
    return Waiver("4.*", reason, LAST, glob)


def test_a_file_names_a_rule_after_the_case(tmp_path: Path) -> None:
    file = tmp_path / "waivers.toml"
    file.write_text('["4.* width.maximum"]\nreason = "ticket 7"\nuntil = 2026-11-26', "utf-8")
    assert read(file, KNOWN) == [of_rule("width.maximum")]
    assert str(of_rule("width.maximum")) == "4.* width.maximum"


@pytest.mark.parametrize(
    ("rules", "waivers", "waived", "states"),
    [
        (["a"], [of_rule("a")], "ticket 7", [State.USED]),
        (["a", "b"], [of_rule("a")], "", [State.USED]),
        (["a", "b"], [of_rule("a"), of_rule("b", "ticket 8")], "ticket 7; ticket 8", [State.USED, State.USED]),
        (["a", "b"], [of_rule("*")], "ticket 7", [State.USED]),
        (["b"], [of_rule("a")], "", [State.NOT_NEEDED]),
        (["a"], [Waiver("5.1", "x", LAST, "a")], "", [State.NOT_SELECTED]),
        (["a"], [Waiver("4.7", "x", OVER, "a")], "", [State.EXPIRED]),
    ],
)
def test_one_of_a_rule_hides_no_finding_of_another(
    rules: list[str], waivers: list[Waiver], waived: str, states: list[State]
) -> None:
    (found,), applied_ones = applied(waivers, [of_rules(*rules)], TODAY)
    assert (found.waived, [one.state for one in applied_ones]) == (waived, states)


def test_one_of_a_rule_lets_nothing_pass_that_came_to_no_verdict() -> None:
    (found,), _ = applied([of_rule("a")], [of_rules("a", verdict=Verdict.INCOMPLETE)], TODAY)
    assert not found.waived


def test_findings_that_count_for_nothing_need_no_waiver() -> None:
    mixed = of_rules("a").trials[0].findings[0], Finding("b", Severity.INFO, "it is only assumed")
    one = replace(result(Verdict.FAIL), trials=[Tried("", Verdict.FAIL, list(mixed))])
    (found,), _ = applied([of_rule("a")], [one], TODAY)
    assert found.waived
