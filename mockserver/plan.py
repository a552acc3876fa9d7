"""The plan: which requests of a session a fault strikes, and whether before or after they are carried out.

A rule reads aloud, and is stored as it reads: `submit#1: reset after`, `poll#2-4: http 503`, `image: garbled`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import count
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight.contracts.wording import counted, did_you_mean, listed, printable
from safelight.mockserver.deeds import WORDS
from safelight.mockserver.faults import Fault, read_fault, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.mockserver.store import Store


#: Characters of a wrong rule that are shown.
_SHOWN: Final = 100


@dataclass(eq=False)
class WrongRule(ValueError):
    """A text is no rule of a plan."""

    text: str
    #: Where reading it stopped, from 0.
    at: int
    reason: str

    def __str__(self) -> str:
        begin = max(0, self.at - _SHOWN // 2)  # of a long text, the part where it is
        text = printable(self.text[begin : begin + _SHOWN])
        return f"{printable(self.reason)}\n  {text}\n  {' ' * (self.at - begin)}^ column {self.at + 1}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a plan: these requests, this fault, before or after the request is carried out.

    Requests are counted from 1: all submits of the session, and the polls and pictures of each task by themselves.
    Unless a rule says otherwise, a submit is struck before it is carried out, and of the rest the answer.
    """

    #: `submit`, `poll` or `image`.
    deed: str
    fault: Fault
    #: The core has done what was asked: a submit is booked and paid for, a poll counted, and only the answer suffers.
    after: bool
    first: int = 1
    last: float = inf

    def __str__(self) -> str:
        number = f"#{self.first}" if self.first == self.last else f"#{self.first}-{_open(self.last)}"
        which = "" if (self.first, self.last) == (1, inf) else number
        when = "" if self.after is _is_read(self.deed) else " after" if self.after else " before"
        return f"{self.deed}{which}: {written(self.fault)}{when}"


def _is_read(deed: str) -> bool:
    """Nothing is at stake in requests of this kind."""
    return deed != "submit"


def _open(last: float) -> str:
    return "" if last == inf else str(int(last))


#: `poll`, `#2-4`, `:`, `http 503 after`.
_RULE: Final = re.compile(r"\s*(?P<deed>[^\s:#]*)\s*(?P<number>#[^:]*)?(?P<colon>:?)\s*(?P<what>.*?)\s*", re.DOTALL)

_NUMBER: Final = re.compile(r"#(\d{1,9})(?:(-)(\d{0,9}))?\s*")

#: When a fault strikes, as the last word of a rule says.
_WHEN: Final = {"before": False, "after": True}


def read_rule(text: Any) -> Rule:
    """The rule that a text is. Raises `WrongRule`, which points at the place."""
    if not isinstance(text, str):
        raise WrongRule(repr(text), 0, "a rule is a text")
    found = _RULE.fullmatch(text)
    assert found is not None  # whatever it is, it is a deed, perhaps nothing, and the rest
    if found["deed"] not in WORDS:
        near = did_you_mean(found["deed"], WORDS) or f"; there are {listed(WORDS)}"
        raise WrongRule(text, found.start("deed"), f"{found['deed'] or 'nothing'} is no kind of request{near}")
    first, last = _numbers(text, found)
    if not found["colon"]:
        raise WrongRule(text, found.start("colon"), "a colon is missing: write poll#2: http 502")
    *words, end = found["what"].split() or [""]
    after = _WHEN.get(end)
    if after is None:
        words.append(end)
    if not words or not words[0]:
        raise WrongRule(text, found.start("what"), "a fault is missing: write poll#2: http 502")
    try:
        strikes_after = _is_read(found["deed"]) if after is None else after
        return Rule(found["deed"], read_fault(words[0], words[1:]), strikes_after, first, last)
    except ValueError as error:
        raise WrongRule(text, found.start("what"), str(error)) from None


def _numbers(text: str, found: re.Match[str]) -> tuple[int, float]:
    if found["number"] is None:
        return 1, inf
    numbers = _NUMBER.fullmatch(found["number"])
    begun = _NUMBER.match(found["number"])
    if begun and not numbers and not found["colon"]:
        raise WrongRule(text, found.start("number") + begun.end(), "a colon is missing: write poll#2: http 502")
    if not numbers:
        raise WrongRule(text, found.start("number"), f"{found['number'].strip()} is no count: write #2, #2-4 or #2-")
    first = int(numbers[1])
    last = int(numbers[3]) if numbers[3] else inf if numbers[2] else first
    if not 1 <= first <= last:
        reason = "requests are counted from 1" if first < 1 else f"{last} comes before {first}"
        raise WrongRule(text, found.start("number"), reason)
    return first, last


def read_rules(rules: Iterable[str | Rule]) -> tuple[Rule, ...]:
    """Rules, some of them perhaps as texts."""
    return tuple(rule if isinstance(rule, Rule) else read_rule(rule) for rule in rules)


class _Line(NamedTuple):
    """A rule under the number that its counters have in the store."""

    serial: int
    rule: Rule


class Plan:
    """The plan of one session while it is carried out. Of several rules for a request the first that is due strikes."""

    def __init__(self, store: Store, key: str, rules: Iterable[Rule] = ()) -> None:
        self._store, self._key = store, key
        self._lines: tuple[_Line, ...] = ()
        self._struck: Counter[int] = Counter()
        self._serials = count()
        self._changing = Lock()
        self.add(*rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter([line.rule for line in self._lines])

    def __len__(self) -> int:
        return len(self._lines)

    def __str__(self) -> str:
        return "\n".join(f"{rule}  (struck {counted(self._struck[serial], 'time')})" for serial, rule in self._lines)

    def add(self, *rules: str | Rule) -> None:
        """Plan more: `add("poll#2: http 502")`. A rule counts the requests that come from now on."""
        __tracebackhide__ = True
        read = read_rules(rules)
        with self._changing:
            self._lines += tuple(_Line(next(self._serials), rule) for rule in read)

    def clear(self) -> None:
        """Plan nothing."""
        with self._changing:
            self._lines = ()

    def undelivered(self) -> list[Rule]:
        """The rules that never struck."""
        return [rule for serial, rule in self._lines if not self._struck[serial]]

    def due(self, deed: str, task_id: str) -> Rule | None:
        """The rule that strikes this request, which is counted by this; `task_id` is "" where it names no task."""
        struck = None
        for serial, rule in self._lines:
            if rule.deed == deed:
                number = self._store.count(self._key, f"rule {serial}", task_id) + 1
                if struck is None and rule.first <= number <= rule.last:
                    struck = rule
                    with self._changing:
                        self._struck[serial] += 1
        return struck
