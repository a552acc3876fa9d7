"""Generated cases: a story is a request, a task and what goes wrong; a client is judged by what it can survive.

A good client saves the picture in every story whose faults are survivable, and says why there is none in the others.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import cycle
from math import inf
from random import Random
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from safelight.conformance.clients.case import Expected, Trial, cases
from safelight.conformance.verdicts import Severity
from safelight.contracts.wording import printable, shown
from safelight.mockserver.faults.catalogue import written
from safelight.mockserver.faults.rules import FaultRule, read_rules
from safelight.mockserver.sessions.opening import settings
from safelight.strategies import fault_plans, prompts
from safelight.traffic.request_kinds import WORDS

#: Rules of one story, unless somebody says otherwise.
MAX_FAULTS: Final = 4

#: The longest run of bad polls that a client is expected to survive.
_MAX_BAD: Final = 3

#: Polls of a task that never ends.
ENDLESS: Final = 10_000

#: Ids as they come: of the engine, and such as clients take for something else.
_IDS: Final = (None, "9007199254740993", "0001234567", "a b&c=d#é")

#: Faults of a poll or a picture that say nothing about the task: name -> the settings for which that is so.
_TRANSIENT: Final[Mapping[str, frozenset[str]]] = {
    "http": frozenset({"500", "502", "503", "504"}),
    "html": frozenset({"500", "502", "503", "504"}),
    **dict.fromkeys(("reset", "close", "cut", "garbled", "stall", "truncate", "chunk", "hang", "nodata"), frozenset()),
    "empty": frozenset({"200", "502", "503"}),
    "throttle": frozenset({"1", "none", "soon"}),
}

#: The same for a picture, which can be there a little later.
_LATE: Final = {**_TRANSIENT, "http": _TRANSIENT["http"] | {"404"}}

#: Faults that change nothing that matters, as above.
_HARMLESS: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("extra", "progress", "idle", "filename"), frozenset()),
    "result": frozenset({"elsewhere"}),
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

    def form(self) -> dict[str, Any]:
        """The story as JSON."""
        found = {"request": dict(self.request), "polls": list(self.polls), "fail": self.fail, "id": self.id}
        return {**found, "faults": list(self.faults), "prefix": self.prefix}

    @classmethod
    def of(cls, form: Mapping[str, Any]) -> Story:
        """The story that `form` gave. Raises `ValueError` with a sentence."""
        try:
            queued, running = form["polls"]
            faults = tuple(str(rule) for rule in form["faults"])
            _check_types(form)
            more = {name: form.get(name) for name in ("fail", "id")}
            story = cls(dict(form["request"]), (queued, running), **more, faults=faults, prefix=form.get("prefix", ""))
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
        fake: dict[str, Any] = {"polls": list(self.polls), "faults": list(self.faults)}
        fake |= {} if self.fail is None else {"fail": self.fail}
        fake |= {} if self.id is None else {"ids": [self.id]}
        return Trial(
            name=str(self),
            fake=fake,
            request=self.request,
            driver={"prefix": self.prefix} if self.prefix else {},
            expect=tuple(self._expected()),
            accepted=(0 if self._has("submit") else 1, 1),
            may_miss=True,
        )

    def _expected(self) -> Iterator[Expected]:
        yield Expected("keeps_the_prefix", {}, Severity.SHOULD)
        yield Expected("submits_well", {}, Severity.MUST)
        yield Expected("sends_parameters", {}, Severity.MUST)
        yield Expected("is_honest", {}, Severity.MUST)
        yield Expected("has_no_trace", {}, Severity.MUST)
        yield Expected("is_readable", {}, Severity.SHOULD)
        yield Expected("stays_in_its_folder", {}, Severity.MUST)
        yield Expected("saves_only_pictures", {}, Severity.MUST)
        if self._has("submit"):
            return
        if self.is_endless:
            yield Expected("exits", {"codes": [1, 3]}, Severity.MUST)
            yield Expected("names_the_task", {}, Severity.MUST)
        elif self.fail is not None:
            yield Expected("exits", {"codes": [1, 3]}, Severity.MUST)
            if not self.faults:
                yield Expected("says", {"text": self.fail}, Severity.MUST)
        elif self.is_survivable:
            yield Expected("exits", {"codes": [0]}, Severity.MUST)
            yield Expected("saves_picture", {}, Severity.MUST)

    def _has(self, kind: str) -> bool:
        return any(rule.kind == kind for rule in read_rules(self.faults))

    @property
    def is_endless(self) -> bool:
        """The task takes more polls than anybody sends."""
        return sum(self.polls) >= ENDLESS

    @property
    def is_survivable(self) -> bool:
        """A good client comes through to the picture: what strikes polls and pictures says nothing, and ends soon."""
        rules = read_rules(self.faults)
        serious = [rule for rule in rules if not _is(_HARMLESS, rule)]
        return all(_is_transient(rule) and rule.last - rule.first < _MAX_BAD for rule in serious)


#: Member of a story -> what it may be.
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "request": (dict,),
    "polls": (list,),
    "faults": (list,),
    "fail": (str, type(None)),
    "id": (str, type(None)),
    "prefix": (str,),
}


def _check_types(form: Mapping[str, Any]) -> None:
    for name, types in _TYPES.items():
        if not isinstance(form.get(name, "" if name == "prefix" else None), types):
            raise ValueError(f"its {name} is {shown(form.get(name))}")  # noqa: TRY004 - one kind of error for all of a file
    if not all(type(count) is int and 0 <= count <= ENDLESS for count in form["polls"]):
        raise ValueError(f"its polls are {shown(form['polls'])}, and not two whole numbers up to {ENDLESS}")


def _is(table: Mapping[str, frozenset[str]], rule: FaultRule) -> bool:
    """The fault of a rule stands in a table, with its settings."""
    name, *words = written(rule.fault).split()
    settings = table.get(name)
    return settings is not None and (not settings or words[0] in settings)


def _is_transient(rule: FaultRule) -> bool:
    """It strikes a poll or a picture, and says nothing of the task."""
    return _is(_TRANSIENT, rule) if rule.kind == "poll" else rule.kind == "image" and _is(_LATE, rule)


#: A request that is like any other.
PLAIN: Final[Mapping[str, Any]] = {"prompt": "a lighthouse at dusk", "workflow": "default", "width": 64, "height": 64}


@st.composite
def stories(draw: DrawFn, *, max_faults: int = MAX_FAULTS) -> Story:
    """Any stories.

    What strikes a submit mostly ends a story, so that one in two has nothing else. In the others several polls and
    the picture are struck, each with a good answer between, for as many mistakes as possible to show in one run.
    """
    if draw(st.booleans()) and max_faults:
        faults = [draw(_rule("submit"))]
    else:
        polls = [draw(_rule("poll")) for _ in range(draw(st.integers(0, max_faults)))]
        images = [draw(_rule("image")) for _ in range(draw(st.integers(0, min(1, max_faults - len(polls)))))]
        faults = [*_in_turn(polls), *images]
    queued, running = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    more = {"fail": draw(st.sampled_from(_ENDS)), "id": draw(st.sampled_from(_IDS))}
    return _story(draw(_requests()), faults, queued=queued, running=running, **more)


def _story(request: Mapping[str, Any], faults: Iterable[str], queued: int = 0, running: int = 1, **more: Any) -> Story:
    """The story of a task that is polled often enough for all its faults to strike."""
    lasts = [rule.last for rule in read_rules(faults) if rule.kind == "poll" and rule.last < inf]
    return Story(request, (queued, running + int(max(lasts, default=0))), faults=tuple(faults), **more)


def _in_turn(texts: Iterable[str]) -> list[str]:
    """Rules about polls, each after a good answer; those that strike to the end come last."""
    at, found, lasting = 2, [], []
    for text in texts:
        (rule,) = read_rules([text])
        if rule.last == inf or not _passes(text):
            lasting.append(text if rule.last == inf else f"poll#{{}}: {text.partition(': ')[2]}")
            continue
        last = at + int(rule.last - rule.first)
        found.append(f"poll#{at}{f'-{last}' if last > at else ''}: {text.partition(': ')[2]}")
        at = last + 2
    return [*found, *(text.format(at) if "#{}" in text else text for text in lasting)]


def openings(seed: int, max_faults: int = MAX_FAULTS) -> list[Story]:
    """The stories that a search begins with, in an order of its own: each rule that a case has a number for, once.

    So that each is met early, and not by chance. Rules about polls share their runs, with one at the end of each that
    a client cannot pass. Stories without faults come first, as there are few; of faults that come in several spellings
    one comes before the rest.
    """
    random = Random(seed)
    submits, polls, images = (random.sample(found := _of_cases(kind), len(found)) for kind in WORDS[:3])
    prefixes = cycle(("", "", "/s/abc"))
    requests, ids, late = cycle(_REQUESTS), cycle(_IDS), cycle([rule for rule in images if _passes(rule)])

    def told(rules: Iterable[str], **more: Any) -> Story:
        more |= {"id": next(ids), "prefix": next(prefixes)}
        return _story({**PLAIN, **next(requests)}, list(rules)[:max_faults], **more)

    passing = [rule for rule in polls if _passes(rule)]
    room = max(1, max_faults - 1)
    packs = [passing[at : at + room] for at in range(0, len(passing), room)]
    endings = [([rule], "out of memory" if "data.error" in rule else None) for rule in polls if rule not in passing]
    made: list[Story] = [
        *(told([rule]) for rule in submits),
        *(told([*_in_turn(pack), next(late)]) for pack in packs),
        *(told([image]) for image in images if not _passes(image)),
        *(told(_in_turn([random.choice(passing), *rules]), fail=fail) for rules, fail in endings),
        *(_story(PLAIN, [], fail=reason, id=next(ids)) for reason in _ENDS if reason),
        _story(PLAIN, [], running=0),
        *(_story(PLAIN, [], queued=25), _story(PLAIN, [], queued=ENDLESS)),
    ]
    random.shuffle(made)
    kinds = Counter[str]()
    return sorted(made, key=lambda story: (_count(kinds, story), bool(story.faults)))


def _count(kinds: Counter[str], story: Story) -> int:
    """0 for the first story with a fault of its spellings, 1 for the next."""
    kind = next((kind for kind in _SPELLINGS for rule in story.faults if kind in rule), "")
    kinds[kind] += bool(kind)
    return max(0, kinds[kind] - 1)


#: Faults that the cases have in several spellings, which a client hardly tells apart.
_SPELLINGS: Final = (
    "submit#1: redirect",
    "submit#1: status",
    "submit#1: refuse",
    "submit#1: id",
    ": redirect",
    ": set",
)


def _passes(text: str) -> bool:
    """A client goes on after it."""
    (rule,) = read_rules([text])
    return _is_transient(rule) or _is(_HARMLESS, rule)


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
    for name in story.request.keys() - PLAIN.keys():
        yield replace(story, request={other: value for other, value in story.request.items() if other != name})
    needed = 2 * len(story.faults)
    for polls in ((0, needed), (0, sum(story.polls) // 2), (story.polls[0] // 2, story.polls[1])):
        if sum(polls) < sum(story.polls):
            yield replace(story, polls=polls)


#: Why a task fails; None: it does not.
_ENDS: Final = (None, None, None, "out of memory", "worker 429 ran out of memory")


def _rule(kind: str) -> SearchStrategy[str]:
    """Rules for the first request of a kind: those that cases have a number for, and any others."""
    drawn = fault_plans(kinds=[kind], endless=False).filter(bool).map(lambda rules: str(rules[0]))
    return st.one_of(st.sampled_from(_of_cases(kind)), st.sampled_from(_of_cases(kind)), drawn)


@cache
def _of_cases(kind: str) -> list[str]:
    """The rules of the cases about this kind of request, those alone that strike once or twice."""
    trials = [trial for case in cases().values() for trial in case.trials]
    found = {rule for trial in trials for rule in trial.fake.get("faults", ())} | _MORE
    found = {rule for rule in found if rule.startswith(kind)}
    return sorted(_once(rule) for rule in found if not any(word in rule for word in ("huge", "bomb")))


#: Rules beside those of the cases, where these set something else.
_MORE: Final = frozenset({"submit: http 402"})


def _once(text: str) -> str:
    """The rule for the first request alone, where it strikes all and is no matter of what a poll says in the end."""
    (rule,) = read_rules([text])
    if rule.last < inf or (rule.kind == "poll" and (not _passes(text) or "result" in text)):
        return text
    return f"{rule.kind}#1: {text.partition(': ')[2]}"


#: Prompts that formatting and encoding break.
_PROMPTS: Final = ('\u201eLicht\u201c \u05d0\u05d5\u05e8 \U0001f4a1 "it\'s" C:\\new\r\n\ttab', "lamp " * 500)

#: Requests as clients break them.
_REQUESTS: Final[Sequence[Mapping[str, Any]]] = (
    {"prompt": _PROMPTS[0]},
    {"seed": 0, "steps": 1, "width": 1},
    {"prompt": _PROMPTS[1], "cfg": 0},
    {"width": 2048, "height": 16, "steps": 50},
)


def _requests() -> SearchStrategy[Mapping[str, Any]]:
    more = st.fixed_dictionaries(
        {},
        optional={
            "prompt": st.one_of(st.sampled_from(_PROMPTS), prompts("text").filter(_fits)),
            "seed": st.sampled_from([0, -1, 2**31 - 1]),
            "steps": st.sampled_from([1, 50]),
            "cfg": st.sampled_from([0, 7.5]),
            "width": st.sampled_from([1, 512, 2048]),
        },
    )
    return more.map(lambda found: {**PLAIN, **found})


def _fits(prompt: Any) -> bool:
    """It can stand in an environment, where drivers find it."""
    return "\0" not in prompt
