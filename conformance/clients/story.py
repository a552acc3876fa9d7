"""A story: a request, a task and what goes wrong, and what is expected of a client in it.

A good client saves the picture in every story whose faults are survivable, and says why there is none in the others.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from safelight.conformance.clients.case import Expected, Trial, cases
from safelight.conformance.verdicts import Severity
from safelight.contracts.wording import printable, shown
from safelight.mockserver.faults.catalogue import written
from safelight.mockserver.faults.rules import FaultRule, read_rules
from safelight.mockserver.sessions.opening import settings

#: The longest run of bad polls that a client is expected to survive.
_MAX_BAD: Final = 3

#: Polls of a task that never ends.
ENDLESS: Final = 10_000

#: Faults of a poll or a picture that say nothing about the task: name -> the settings for which that is so.
_TRANSIENT: Final[Mapping[str, frozenset[str]]] = {
    "http": frozenset({"500", "502", "503", "504"}),
    "html": frozenset({"500", "502", "503", "504"}),
    **dict.fromkeys(("reset", "close", "cut", "garbled", "stall", "truncate", "chunk", "hang", "nodata"), frozenset()),
    "empty": frozenset({"200", "502", "503"}),
    "throttle": frozenset({"1", "none", "soon"}),
    "word": frozenset({"pending"}),
}

#: The same for a picture, which can be there a little later.
_LATE: Final = {**_TRANSIENT, "http": _TRANSIENT["http"] | {"404"}}

#: Faults that change nothing that matters, as above.
_HARMLESS: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("extra", "progress", "idle", "filename"), frozenset()),
    "result": frozenset({"elsewhere"}),
    "status": frozenset({"201", "202"}),
}


@dataclass(frozen=True, slots=True)
class Story:
    """One generated case; it is written as JSON, and read back."""

    request: Mapping[str, Any]
    polls: tuple[int, int] = (1, 1)
    #: Why the task fails; None: it does not.
    fail: str | None = None
    id: str | None = None
    faults: tuple[str, ...] = ()
    #: What stands before the paths of the base URL.
    prefix: str = ""
    #: Other settings of the fake, as cases have them.
    fake: Mapping[str, Any] = field(default_factory=dict)

    def form(self) -> dict[str, Any]:
        """The story as JSON."""
        found = {"request": dict(self.request), "polls": list(self.polls), "fail": self.fail, "id": self.id}
        return {**found, "faults": list(self.faults), "prefix": self.prefix, "fake": dict(self.fake)}

    @classmethod
    def of(cls, form: Mapping[str, Any]) -> Story:
        """The story that `form` gave. Raises `ValueError` with a sentence."""
        try:
            queued, running = form["polls"]
            faults = tuple(str(rule) for rule in form["faults"])
            _check_types(form)
            more: dict[str, Any] = {name: form.get(name) for name in ("fail", "id")}
            more |= {"prefix": form.get("prefix", ""), "fake": dict(form.get("fake", {}))}
            story = cls(dict(form["request"]), (queued, running), faults=faults, **more)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no story: {error}") from None
        read_rules(story.faults)
        settings(story.trial().fake)
        return story

    def __str__(self) -> str:
        """In words: `one queued, one running, done; poll#2: http 502`."""
        end = "done" if self.fail is None else f"fails: {printable(self.fail)}"
        end = "never done" if self.is_endless else end
        parts = [f"{self.polls[0]} queued, {self.polls[1]} running, {end}", *self.faults]
        odd = {name: value for name, value in self.request.items() if name not in ("workflow", "width", "height")}
        parts += [f"{name}: {value}" for name, value in self.fake.items()]
        if self.id is not None:
            parts.append(f"the id is {self.id!r}")
        if odd != {"prompt": PLAIN["prompt"]}:
            parts.append(f"the request is {json.dumps(odd)[:200]}")
        return "; ".join(parts)

    def without(self, faults: Collection[str]) -> Story:
        """The story, less the rules whose faults have one of these names."""
        return (
            replace(
                self,
                faults=tuple(
                    str(rule) for rule in read_rules(self.faults) if written(rule.fault).split()[0] not in faults
                ),
            )
            if faults
            else self
        )

    def trial(self) -> Trial:
        """The story as a trial, with all that is expected of a client."""
        fake: dict[str, Any] = {**self.fake, "polls": list(self.polls), "faults": list(self.faults)}
        fake |= {} if self.fail is None else {"fail": self.fail}
        known = _of_cases().get(self.wrong)
        fake |= {} if self.id is None else {"ids": [self.id]}
        return Trial(
            name=str(self),
            fake=fake,
            request=self.request,
            driver={"prefix": self.prefix} if self.prefix else {},
            expect=tuple(self._expected(known)),
            accepted=known.accepted if known else (0 if self._is_struck("submit") or self.fake else 1, 1),
            may_miss=True,
        )

    @property
    def wrong(self) -> Hashable:
        """All that is wrong in it: where it is what is wrong in a case, a client is to do what that case says."""
        settings = tuple(sorted((name, str(value)) for name, value in self.fake.items()))
        return self.faults, self.fail, settings, self.is_endless

    def _expected(self, known: Trial | None) -> Iterator[Expected]:
        """What is expected in any story like this, and then what its case says beside that."""
        found = [*self._always_expected(), *self._expected_at_end()]
        yield from found
        said = [(one.name, one.given) for one in found]
        yield from (one for one in (known.expect if known else ()) if (one.name, one.given) not in said)

    def _always_expected(self) -> Iterator[Expected]:
        yield Expected("keeps_the_prefix", {}, Severity.SHOULD)
        yield Expected("submits_well", {}, Severity.MUST)
        yield Expected("sends_parameters", {}, Severity.MUST)
        yield Expected("is_honest", {}, Severity.MUST)
        yield Expected("has_no_trace", {}, Severity.MUST)
        yield Expected("is_readable", {}, Severity.SHOULD)
        yield Expected("stays_in_its_folder", {}, Severity.MUST)
        yield Expected("saves_only_pictures", {}, Severity.MUST)

    def _expected_at_end(self) -> Iterator[Expected]:
        if self._is_struck("submit") or self.fake:
            return
        if self.is_endless:
            yield Expected("exits", {"codes": [1, 3]}, Severity.MUST)
            if self.is_survivable:
                yield Expected("names_the_task", {}, Severity.MUST)
        elif self.fail is not None:
            yield Expected("exits", {"codes": [1, 3]}, Severity.MUST)
            if not self.faults and self.fail.isprintable():
                yield Expected("says", {"text": self.fail}, Severity.MUST)
        elif self.is_survivable:
            yield Expected("exits", {"codes": [0]}, Severity.MUST)
            yield Expected("saves_picture", {}, Severity.MUST)

    def _is_struck(self, kind: str) -> bool:
        return any(rule.kind == kind and not _is(_HARMLESS, rule) for rule in read_rules(self.faults))

    @property
    def is_endless(self) -> bool:
        """The task takes more polls than anybody sends."""
        return sum(self.polls) >= ENDLESS

    @property
    def is_survivable(self) -> bool:
        """A good client comes through to the picture: what strikes polls and pictures says nothing, and ends soon."""
        rules = read_rules(self.faults)
        serious = [rule for rule in rules if not _is(_HARMLESS, rule)]
        return all(is_transient(rule) and rule.last - rule.first < _MAX_BAD for rule in serious)


#: Member of a story -> what it may be.
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "request": (dict,),
    "polls": (list,),
    "faults": (list,),
    "fail": (str, type(None)),
    "id": (str, type(None)),
    "prefix": (str,),
    "fake": (dict,),
}


def _check_types(form: Mapping[str, Any]) -> None:
    for name, types in _TYPES.items():
        if not isinstance(form.get(name, {"prefix": "", "fake": {}}.get(name)), types):
            raise ValueError(f"its {name} is {shown(form.get(name))}")  # noqa: TRY004 - one kind of error for all of a file
    if not all(type(count) is int and 0 <= count <= ENDLESS for count in form["polls"]):
        raise ValueError(f"its polls are {shown(form['polls'])}, and not two whole numbers up to {ENDLESS}")


def _is(table: Mapping[str, frozenset[str]], rule: FaultRule) -> bool:
    """The fault of a rule stands in a table, with its settings."""
    name, *words = written(rule.fault).split()
    settings = None if str(rule).endswith(" before") else table.get(name)
    return settings is not None and (not settings or words[0] in settings)


def is_transient(rule: FaultRule) -> bool:
    """It strikes a poll or a picture, and says nothing of the task."""
    return _is(_TRANSIENT, rule) if rule.kind == "poll" else rule.kind == "image" and _is(_LATE, rule)


#: A request that is like any other.
PLAIN: Final[Mapping[str, Any]] = {"prompt": "a lighthouse at dusk", "workflow": "default", "width": 64, "height": 64}


#: Why a task fails where a case leaves that to the service.
_REASON: Final = "out of memory"


def story_of(trial: Trial) -> Story:
    """A trial of a case as a story."""
    fake = {name: value for name, value in trial.fake.items() if value is not None}
    never = fake.pop("queued", 0), fake.pop("running", 1)
    usual = [ENDLESS if count == "never" else count for count in never]
    queued, running = fake.pop("polls", usual)
    fail = fake.pop("fail", None)
    return Story(
        {**PLAIN, **trial.request},
        (queued, running),
        _REASON if fail is True else fail,
        next(iter(fake.pop("ids", ())), None),
        tuple(fake.pop("faults", ())),
        trial.driver.get("prefix", ""),
        fake,
    )


#: Ways to start a client that no story has.
_OF_PROCESSES: Final = frozenset({"copies", "interrupt", "resume"})


@cache
def trials() -> Sequence[tuple[str, Trial]]:
    """The trials of all cases that a story can be, each with the number of its case."""
    found = [(case.id, trial) for case in cases().values() for trial in case.trials]
    return [(case_id, trial) for case_id, trial in found if not trial.driver.keys() & _OF_PROCESSES]


@cache
def _of_cases() -> Mapping[Hashable, Trial]:
    """What is wrong in a case -> the first trial with that, where anything is."""
    found: dict[Hashable, Trial] = {}
    for _, trial in trials():
        found.setdefault(story_of(trial).wrong, trial)
    del found[Story(PLAIN).wrong]
    return found


def passes(text: str) -> bool:
    """A client goes on after it."""
    (rule,) = read_rules([text])
    return is_transient(rule) or _is(_HARMLESS, rule)


def simpler(story: Story) -> Iterator[Story]:
    """Stories that are a little less than this one, those that are much less first."""
    for rule in story.faults:
        if len(story.faults) > 1:
            yield replace(story, faults=(rule,))
    for rule in story.faults:
        yield replace(story, faults=tuple(other for other in story.faults if other != rule))
    yield replace(story, request=PLAIN)
    yield replace(story, id=None)
    yield replace(story, fail=None)
    yield replace(story, prefix="")
    yield replace(story, fake={})
    for name in story.request.keys() - PLAIN.keys():
        yield replace(story, request={other: value for other, value in story.request.items() if other != name})
    if story.is_endless:
        return
    needed = 2 * len(story.faults)
    for polls in ((0, needed), (0, sum(story.polls) // 2), (story.polls[0] // 2, story.polls[1])):
        if sum(polls) < sum(story.polls):
            yield replace(story, polls=polls)
