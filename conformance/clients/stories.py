"""Which stories there are: those that a search begins with, and any that Hypothesis draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import cycle, filterfalse
from math import inf
from random import Random
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from safelight.conformance.clients.case import cases
from safelight.conformance.clients.story import ENDLESS, PLAIN, Story, passes
from safelight.mockserver.faults.rules import read_rules
from safelight.strategies import fault_plans, prompts
from safelight.traffic.request_kinds import WORDS

#: Rules of one story, unless somebody says otherwise.
MAX_FAULTS: Final = 4

#: Ids as they come: of the engine, and such as clients take for something else.
_IDS: Final = (None, "9007199254740993", "0001234567", "a b&c=d#é")


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


def _in_turn(texts: Collection[str]) -> list[str]:
    """Rules about polls, each after a good answer; those that a client does not pass come last."""
    at, found = 2, []
    for text in [*filter(passes, texts), *filterfalse(passes, texts)]:
        (rule,) = read_rules([text])
        if rule.last == inf:
            found.append(text)
            continue
        last = at + int(rule.last - rule.first)
        found.append(f"poll#{at}{f'-{last}' if last > at else ''}: {text.partition(': ')[2]}")
        at = last + 2
    return found


def openings(seed: int, max_faults: int = MAX_FAULTS) -> list[Story]:
    """The stories that a search begins with, in an order of its own: each rule that a case has a number for, once.

    So that each is met early, and not by chance. Rules about polls share their runs, with one at the end of each that
    a client cannot pass. Stories without faults come first, as there are few; of faults that come in several spellings
    one comes before the rest.
    """
    random = Random(seed)
    submits, polls, images = (random.sample(found := _of_cases(kind), len(found)) for kind in WORDS[:3])
    prefixes = cycle(("", "", "/s/abc"))
    requests, ids, late = cycle(_REQUESTS), cycle(_IDS), cycle([rule for rule in images if passes(rule)])

    def told(rules: Iterable[str], **more: Any) -> Story:
        more |= {"id": next(ids), "prefix": next(prefixes)}
        return _story({**PLAIN, **next(requests)}, list(rules)[:max_faults], **more)

    passing = [rule for rule in polls if passes(rule)]
    room = max(1, max_faults - 1)
    packs = [passing[at : at + room] for at in range(0, len(passing), room)]
    endings = [([rule], "out of memory" if "data.error" in rule else None) for rule in polls if rule not in passing]
    made: list[Story] = [
        *(told([rule]) for rule in submits),
        *(told([*_in_turn(pack), next(late)]) for pack in packs),
        *(told([image]) for image in images if not passes(image)),
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
    if rule.last < inf or (rule.kind == "poll" and (not passes(text) or "result" in text)):
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
