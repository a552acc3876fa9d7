"""Which stories there are: those that a search begins with, and any that Hypothesis draws. Both are made of the cases.

What goes wrong in a trial of a case either ends a run, or a client passes it. The first has a story of its own, the
second shares one with others, as more mistakes show in one run. What only has to arrive, such as an odd prompt, goes
with any of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import cycle, filterfalse
from math import inf
from random import Random
from typing import Any, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from safelight.conformance.clients.case import Trial, cases
from safelight.conformance.clients.story import PLAIN, Story, passes, story_of, trials
from safelight.conformance.verdicts import Severity
from safelight.mockserver.faults.rules import read_rules
from safelight.strategies import prompts
from safelight.strategies.plans import fault_rules

_Kind = TypeVar("_Kind")

#: Rules of one story, unless somebody says otherwise.
MAX_FAULTS: Final = 8

#: Faults that take so much memory or time that a search has better things to do.
_COSTLY: Final = ("huge", "bomb")

#: What is expected of a client in any story that it comes through. A case that expects more needs a story of its own.
_USUAL: Final = frozenset({
    *("exits", "saves_picture", "sends", "has_no_trace", "is_honest", "saves_only_pictures", "stays_in_its_folder"),
    "fetches_again",
})  # fmt: skip


def openings(seed: int, max_faults: int = MAX_FAULTS) -> list[Story]:
    """The stories that a search begins with, in an order of its own: what goes wrong in the cases, each early.

    First one trial of each case, then the others; last what is only recorded.
    """
    random = Random(seed)
    first, later = [], []
    for case_id, same in _alone().items():
        shuffled, early = _shuffled(random, same), cases()[case_id].severity is not Severity.INFO
        first += shuffled[:early]
        later += shuffled[early:]
    first += [*_packs(random, max_faults), *_undisturbed()]
    dressed = _dressed(random, [*_shuffled(random, first), *_shuffled(random, later)])
    return [story for story in dressed if len(story.faults) <= max_faults]


def _shuffled(random: Random, found: Sequence[_Kind]) -> list[_Kind]:
    return random.sample(found, len(found))


@cache
def _alone() -> Mapping[str, list[Story]]:
    """Number of a case -> what goes wrong in it, where that needs a run of its own; nothing twice."""
    found: dict[str, list[Story]] = {}
    seen = {Story(PLAIN).wrong}
    for case_id, trial in trials():
        story = story_of(trial)
        if story.wrong in seen or _is_shared(trial, story) or any(name in str(story.faults) for name in _COSTLY):
            continue
        seen.add(story.wrong)
        found.setdefault(case_id, []).append(story)
    return found


def _is_shared(trial: Trial, story: Story) -> bool:
    """A client passes what goes wrong, and nothing more is expected of it than ever."""
    is_usual = {one.name for one in trial.expect} <= _USUAL
    return bool(story.faults) and story.fail is None and is_usual and all(map(passes, story.faults))


@cache
def _passed(kind: str) -> Sequence[str]:
    """The rules about this kind of request that a client passes, each for the first request, or for all."""
    found = [rule for _, trial in trials() for rule in story_of(trial).faults if passes(rule)]
    return sorted({_once(rule) for rule in found if rule.startswith(kind)})


#: What the last poll says, which may be any.
_LAST: Final = ("poll: result", "poll: filename")


def _once(text: str) -> str:
    """The rule for the first request alone, where it strikes all and is no matter of what a poll says in the end."""
    (rule,) = read_rules([text])
    return text if rule.last < inf or text.startswith(_LAST) else f"{rule.kind}#1: {text.partition(': ')[2]}"


def _packs(random: Random, max_faults: int) -> Iterator[Story]:
    """What a client passes, several of it in each story."""
    submits, polls, images = (_shuffled(random, _passed(kind)) for kind in ("submit", "poll", "image"))
    room = max_faults - 2
    if room < 1:
        yield from (_story(PLAIN, [rule]) for rule in (*submits, *polls, *images))
        return
    submit, image = cycle(submits), cycle(images)
    for at in range(0, len(polls), room):
        yield _story(PLAIN, [next(submit), *_in_turn(polls[at : at + room]), next(image)])


def _undisturbed() -> Iterable[Story]:
    """Tasks that take no time, or long, and nothing goes wrong."""
    counts = [story.polls for story in _plain()]
    return [Story(PLAIN, min(counts)), Story(PLAIN, max(counts))]


@cache
def _plain() -> Sequence[Story]:
    """The cases in which nothing goes wrong."""
    return [story for _, trial in trials() if (story := story_of(trial)).wrong == Story(PLAIN).wrong]


def _dressed(random: Random, stories: Iterable[Story]) -> Iterator[Story]:
    """The stories with odd requests, ids and prefixes, where they have none of their own."""
    requests = cycle(_shuffled(random, _requests_of_cases()))
    ids, prefixes = cycle(_shuffled(random, _ids())), cycle(_shuffled(random, _prefixes()))
    for story in stories:
        yield replace(
            story,
            request=next(requests) if story.request == PLAIN else story.request,
            id=next(ids) if story.id is None else story.id,
            prefix=next(prefixes),
        )


def _requests_of_cases() -> Sequence[Mapping[str, Any]]:
    return [story.request for story in _plain() if story.request != PLAIN]


def _ids() -> Sequence[str | None]:
    return [None, *(story.id for story in _plain() if story.id is not None)]


def _prefixes() -> Sequence[str]:
    return ["", *(story.prefix for story in _plain() if story.prefix)]


def _story(request: Mapping[str, Any], faults: Iterable[str], queued: int = 0, running: int = 1, **more: Any) -> Story:
    """The story of a task that is polled often enough for all its faults to strike."""
    lasts = [rule.last for rule in read_rules(faults) if rule.kind == "poll" and rule.last < inf]
    return Story(request, (queued, running + int(max(lasts, default=0))), faults=tuple(faults), **more)


def _in_turn(texts: Collection[str]) -> list[str]:
    """Rules about polls, each after a good answer; those that a client does not pass come later.

    Last come those about all polls: of several that are due, the first strikes.
    """
    at, found, endless = 2, [], []
    for text in [*filter(passes, texts), *filterfalse(passes, texts)]:
        (rule,) = read_rules([text])
        if rule.last == inf:
            endless.append(text)
            continue
        last = at + int(rule.last - rule.first)
        found.append(f"poll#{at}{f'-{last}' if last > at else ''}: {text.partition(': ')[2]}")
        at = last + 2
    return [*found, *endless]


@st.composite
def stories(draw: DrawFn, *, max_faults: int = MAX_FAULTS) -> Story:
    """Any stories.

    What strikes a submit mostly ends a story, so that one in two has nothing else. In the others several polls and
    the picture are struck, each with a good answer between, for as many mistakes as possible to show in one run.
    """
    if draw(st.booleans()) and max_faults:
        faults = [draw(_rule("submit"))]
    else:
        polls = [draw(_rule("poll")) for _ in range(draw(st.integers(0, min(3, max_faults))))]
        images = [draw(_rule("image")) for _ in range(draw(st.integers(0, min(1, max_faults - len(polls)))))]
        faults = [*_in_turn(polls), *images]
    queued, running = draw(st.sampled_from(_COUNTS))
    more = {"fail": draw(st.sampled_from(_ends())), "id": draw(st.sampled_from(_ids()))}
    return _story(draw(_requests()), faults, queued=queued, running=running, **more)


#: Polls for which a task is queued, and running.
_COUNTS: Final = [(queued, running) for queued in range(3) for running in range(3)]


@cache
def _ends() -> Sequence[str | None]:
    """Why a task fails; None: it does not."""
    reasons = dict.fromkeys(story_of(trial).fail for _, trial in trials())
    return [None] * len(reasons) + list(reasons)


@cache
def _rule(kind: str) -> SearchStrategy[str]:
    """Rules for the first request of a kind: those that cases have a number for, and any others."""
    drawn = fault_rules(kinds=[kind], without=_COSTLY, endless=False).map(str)
    return st.one_of(st.sampled_from(_rules_of_cases(kind)), drawn)


@cache
def _rules_of_cases(kind: str) -> Sequence[str]:
    alone = [rule for same in _alone().values() for story in same for rule in story.faults if rule.startswith(kind)]
    return sorted({*alone, *_passed(kind)})


@cache
def _requests() -> SearchStrategy[Mapping[str, Any]]:
    prompt = st.one_of(st.just(PLAIN["prompt"]), prompts("text").filter(_fits))
    more = {
        "seed": st.sampled_from([0, -1, 2**31 - 1]),
        "steps": st.sampled_from([1, 50]),
        "cfg": st.sampled_from([0, 7.5]),
        "width": st.sampled_from([1, 512, 2048]),
    }
    drawn = st.fixed_dictionaries({"prompt": prompt}, optional=more)
    return st.one_of(st.sampled_from([PLAIN, *_requests_of_cases()]), drawn.map(lambda found: {**PLAIN, **found}))


def _fits(prompt: Any) -> bool:
    """It can stand in an environment, where drivers find it."""
    return "\0" not in prompt
