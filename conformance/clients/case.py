"""The client cases, as data: one JSON file a group, found by listing the folder `cases`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

from safelight.conformance.verdicts import MUSTS, Severity
from safelight.contracts.wording import did_you_mean

CASES: Final = Path(__file__).parent / "cases"


@dataclass(frozen=True, slots=True)
class Expected:
    """An expectation by its name, with what it is given."""

    name: str
    given: Mapping[str, Any]
    severity: Severity


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the client: what the fake is like, and how the client is started. A case has one or several."""

    #: Empty where the case has one alone.
    name: str
    #: Settings of the session, as those of the marker `safelight`, `faults` among them.
    fake: Mapping[str, Any]
    #: What is special about the first tasks: an `id`, say.
    tasks: Sequence[Mapping[str, Any]] = ()
    #: The request to be sent, beside the prompt.
    request: Mapping[str, Any] = field(default_factory=dict)
    #: How the client is started: `prefix` of the URL, `copies`, `interrupt`, `resume`.
    driver: Mapping[str, Any] = field(default_factory=dict)
    expect: tuple[Expected, ...] = ()
    #: Submits that are to be accepted: the least and the most.
    accepted: tuple[float, float] = (1, 1)
    #: A good client never meets the faults: that they were not delivered says nothing.
    may_miss: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A numbered situation that a client has to survive."""

    id: str
    #: The title of its group.
    group: str
    #: What can happen, as a fact.
    fact: str
    #: What the fake does, and what a good client does, in a few words each.
    does: str
    good: str
    severity: Severity
    #: What clients in production get wrong about it.
    why: str
    #: The edition of the cases that brought it.
    since: str
    trials: tuple[Trial, ...]

    @property
    def is_must(self) -> bool:
        """A run that leaves it out is not green."""
        return self.severity in MUSTS


@cache
def cases() -> Mapping[str, Case]:
    """Id -> case, in the order of their numbers."""
    documents = [json.loads(file.read_text("utf-8")) for file in sorted(CASES.glob("*.json"))]
    return {form["id"]: _case(form, document["title"]) for document in documents for form in document["cases"]}


def edition() -> str:
    """The edition of the cases: the newest that brought one."""
    return max((case.since for case in cases().values()), key=int)


def selected(only: Iterable[str] = (), skip: Iterable[str] = ()) -> list[Case]:
    """The cases whose ids fit one of the patterns `only`, and none of `skip`. Raises `ValueError` with a sentence."""
    only, skip = list(only), list(skip)
    for pattern in (*only, *skip):
        if not any(fnmatchcase(name, pattern) for name in cases()):
            near = did_you_mean(pattern, cases()) or ", and no pattern of one, such as '4.*': --list lists them"
            raise ValueError(f"{pattern!r} is no case{near}")
    return [case for case in cases().values() if (not only or _fits(case.id, only)) and not _fits(case.id, skip)]


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


#: Members of a trial; those that a case has itself hold for all its trials.
_OF_TRIALS: Final = ("fake", "request", "driver")


def _case(form: Mapping[str, Any], group: str) -> Case:
    severity = Severity(form["severity"])
    trials = form.get("trials", [{"name": ""}])
    return Case(
        **{name: form[name] for name in ("id", "fact", "does", "good", "why", "since")},
        group=group,
        severity=severity,
        trials=tuple(_trial({**form, **own}, form, severity) for own in trials),
    )


def _trial(merged: Mapping[str, Any], case: Mapping[str, Any], severity: Severity) -> Trial:
    parts = {name: {**case.get(name, {}), **merged.get(name, {})} for name in _OF_TRIALS}
    wanted = merged.get("accepted", 1)
    least, most = wanted if isinstance(wanted, list) else (wanted, wanted)
    expected = tuple(_expected(form, severity) for form in merged["expect"])
    task = merged.get("task", [])
    return Trial(
        name=merged.get("name", ""),
        **parts,
        tasks=task if isinstance(task, list) else [task],
        expect=expected,
        accepted=(least, most),
        may_miss=merged.get("may_miss", False),
    )


def _expected(form: str | Mapping[str, Any], severity: Severity) -> Expected:
    """`"exits"`, or `{"name": "exits", "codes": [1], "severity": "SHOULD"}`."""
    given = {"name": form} if isinstance(form, str) else dict(form)
    return Expected(given.pop("name"), severity=Severity(given.pop("severity", severity)), given=given)
