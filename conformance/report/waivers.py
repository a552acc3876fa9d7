"""Waivers: cases, or single rules of them, that may fail until a date, for a reason: a baseline in JSON or TOML."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from safelight.conformance.report.exit_code import OPEN, PASSED, code_of
from safelight.conformance.results import Result
from safelight.conformance.verdicts import MUSTS, Finding
from safelight.contracts.wording import did_you_mean, kind, printable, shown

#: Bytes of a file of waivers.
MAX_BYTES: Final = 1_000_000

_MEMBERS: Final = ("reason", "until")


@dataclass(frozen=True, slots=True)
class Waiver:
    """Lets the cases that its glob fits fail, up to and including a day; with a rule, by that rule alone."""

    case: str
    reason: str
    until: date
    #: A glob of the rules of findings; empty: whatever is wrong.
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.case} {self.rule}".rstrip()

    def fits(self, result: Result) -> bool:
        """The result is that of a case that it names."""
        return fnmatchcase(result.id, self.case)

    def lets_pass(self, finding: Finding) -> bool:
        """A finding of such a case counts no more."""
        return not self.rule or fnmatchcase(finding.rule, self.rule)


class State(StrEnum):
    """What became of a waiver in a run."""

    #: A case that it names would have failed the run.
    USED = "used"
    #: Each case that it names passed: it can go.
    NOT_NEEDED = "not needed"
    #: Its day is over: it lets nothing pass.
    EXPIRED = "expired"
    #: No case that it names was selected.
    NOT_SELECTED = "not selected"


@dataclass(frozen=True, slots=True)
class Applied:
    """A waiver, and what became of it."""

    waiver: Waiver
    state: State


@dataclass(eq=False)
class BadWaivers(Exception):
    """A file that is none of waivers, or that waives what there is not."""

    path: Path
    what: str

    def __str__(self) -> str:
        return printable(f"{self.path}: {self.what}")


def read(path: Path, known: Collection[str]) -> list[Waiver]:
    """The waivers of a file; `known` are the ids of all cases. Raises `BadWaivers` with a sentence."""
    try:
        return [_waiver(glob, form, known) for glob, form in _parsed(path).items()]
    except OSError as error:
        raise BadWaivers(path, f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadWaivers(path, "this is not UTF-8") from None
    except RecursionError:
        raise BadWaivers(path, "it is nested too deep") from None
    except ValueError as error:
        raise BadWaivers(path, str(error)) from None


def _parsed(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        text = file.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES // 1_000_000} MB, too large for a file of waivers")
    is_json = path.suffix.lower() == ".json"
    try:
        document = json.loads(text) if is_json else tomllib.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        raise ValueError(f"this is not {'JSON' if is_json else 'TOML'}: {error}") from None
    if not isinstance(document, dict):
        raise ValueError(f"it holds {kind(document)}, no {{case: {{reason, until}}}}")  # noqa: TRY004 - the file is wrong
    return document


def _waiver(glob: str, form: Any, known: Collection[str]) -> Waiver:
    if isinstance(form, dict) and any(isinstance(value, dict) for value in form.values()):
        raise ValueError(f'write the id of a case in quotes, ["{glob}.{next(iter(form))}"]: TOML splits it at the dot')
    case, _, rule = glob.partition(" ")
    if not any(fnmatchcase(name, case) for name in known):
        raise ValueError(f"{shown(case)} is no case{did_you_mean(case, known)}")
    if not isinstance(form, dict) or set(form) != set(_MEMBERS):
        raise ValueError(f"{shown(glob)} has {_has(form)}; a waiver has reason and until, and nothing else")
    if not isinstance(form["reason"], str) or not form["reason"].strip():
        raise ValueError(f"{shown(glob)} has no reason: say in a few words why it may fail")
    return Waiver(case, form["reason"].strip(), _day(glob, form["until"]), rule.strip())


def _has(form: Any) -> str:
    if not isinstance(form, dict):
        return shown(form)
    return ", ".join(shown(name) for name in form) or "nothing"


def _day(glob: str, until: Any) -> date:
    """A date as TOML has it, or as text."""
    if type(until) is date:
        return until
    try:
        return date.fromisoformat(until)
    except (TypeError, ValueError):
        seen = shown(str(until) if isinstance(until, date | time) else until)
        raise ValueError(f"{shown(glob)} has until {seen}; write a day, such as 2026-12-31") from None


def applied(waivers: Iterable[Waiver], results: Sequence[Result], today: date) -> tuple[list[Result], list[Applied]]:
    """The results, those that a waiver lets pass marked with its reason; and what became of each waiver."""
    waivers = list(waivers)
    valid = [waiver for waiver in waivers if waiver.until >= today]
    states = [Applied(waiver, _state(waiver, results, today)) for waiver in waivers]
    return [_waived(result, valid) for result in results], states


def _waived(result: Result, waivers: Iterable[Waiver]) -> Result:
    if code_of(result) == PASSED:
        return result
    own = [waiver for waiver in waivers if waiver.fits(result)]
    used = [waiver for waiver in own if not waiver.rule] or _that_let_pass(_musts(result), own)
    return replace(result, waived="; ".join(dict.fromkeys(waiver.reason for waiver in used)))


def _that_let_pass(findings: Sequence[Finding], waivers: Sequence[Waiver]) -> list[Waiver]:
    """The waivers of the findings, where each finding has one."""
    found = [next((waiver for waiver in waivers if waiver.lets_pass(one)), None) for one in findings]
    return [waiver for waiver in found if waiver] if all(found) else []


def _musts(result: Result) -> list[Finding]:
    """What fails a run; nothing where a trial came to no verdict, which no rule explains."""
    is_open = any(verdict in OPEN for verdict in (result.verdict, *(tried.verdict for tried in result.trials)))
    return [] if is_open else [one for one in result.findings if one.severity in MUSTS]


def _state(waiver: Waiver, results: Iterable[Result], today: date) -> State:
    named = [result for result in results if waiver.fits(result)]
    if waiver.until < today:
        return State.EXPIRED
    if not named:
        return State.NOT_SELECTED
    return State.USED if any(_is_needed(waiver, result) for result in named) else State.NOT_NEEDED


def _is_needed(waiver: Waiver, result: Result) -> bool:
    if not waiver.rule:
        return code_of(result) != PASSED
    return any(one.severity in MUSTS and waiver.lets_pass(one) for one in result.findings)
