"""The plan: which requests of a session a fault strikes, and whether before or after they are carried out.

A rule reads aloud, and is stored as it reads: `submit#1: reset after`, `poll#2-4: http 503`, `image: garbled`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter, deque
from collections.abc import Callable, Mapping  # noqa: TC003 - a NamedTuple's are looked at when it runs
from dataclasses import dataclass
from functools import partial
from itertools import count
from math import inf
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight.contracts import operations
from safelight.contracts.wording import counted, did_you_mean, listed, printable
from safelight.mockserver.deeds import DEEDS, WORDS
from safelight.mockserver.faults import Fault, alters, read_fault, written

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

    Requests are counted from 1: all submits of the session, and the polls and pictures of each task by themselves; of
    those that `where` is about, if it is about some. Unless a rule says otherwise, a submit is struck before it is
    carried out; of the rest, and by what changes an answer that was due, the answer is.
    """

    #: `submit`, `poll`, `image` or `balance`, or the name of an operation.
    deed: str
    fault: Fault
    #: The core has done what was asked: a submit is booked and paid for, a poll counted, and only the answer suffers.
    after: bool
    first: int = 1
    last: float = inf
    #: Of those from the first to the last, each n-th, beginning with the first.
    every: int = 1
    #: Of these, so many percent, by the session's seed.
    percent: float = 100
    #: Parameters that the request has, or its task: names and values as texts.
    where: tuple[tuple[str, str], ...] = ()
    #: Seconds since the session began.
    since: float = 0
    until: float = inf
    #: Only what is more than so many requests within a second.
    quota: float = 0

    def __str__(self) -> str:
        is_usual = self.after is _is_after(self.deed, self.fault) and not self._ends_oddly
        when = "" if is_usual else " after" if self.after else " before"
        return f"{self.which}: {written(self.fault)}{when}"

    @property
    def which(self) -> str:
        """The requests that it is about, as a plan has them: `poll#2-4 20%`."""
        number = f"#{self.first}" if self.first == self.last else f"#{self.first}-{_open(self.last)}"
        conditions = [
            "" if self.every == 1 else f"every {self.every}",
            "" if self.percent == 100 else f"{_figure(self.percent)}%",  # noqa: PLR2004 - all of them
            *(f"{name}={quoted(value)}" for name, value in self.where),
            "" if (self.since, self.until) == (0, inf) else f"{_figure(self.since)}-{_open(self.until)}s",
            f"over {_figure(self.quota)}/s" if self.quota else "",
        ]
        deed = self.deed + ("" if (self.first, self.last) == (1, inf) else number)
        return " ".join([deed, *filter(None, conditions)])

    @property
    def _ends_oddly(self) -> bool:
        """The last word of the fault could be taken for a time."""
        return written(self.fault).split()[-1] in _WHEN

    def is_about(self, asked: Asked) -> bool:
        """The request is one of those that are counted."""
        if self.deed != asked.operation and self.deed != DEEDS.get(asked.operation):
            return False
        return not self.where or all(_said(asked.facts().get(name)) == value for name, value in self.where)


class Asked(NamedTuple):
    """A request, for a plan: its operation, the id of its task or nothing, its parameters, seconds of its session."""

    operation: str
    task_id: str
    facts: Callable[[], Mapping[str, Any]]
    now: Callable[[], float]


def _said(value: object) -> str:
    """A value as a rule has it: texts as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _is_after(deed: str, fault: Fault) -> bool:
    """Whether a rule that does not say strikes after: polls cost nothing, and to be changed an answer has to be due."""
    is_submit = deed == "submit" or (deed in operations() and operations()[deed].is_submit)
    return not is_submit or alters(fault)


def _open(last: float) -> str:
    return "" if last == inf else _figure(last)


def _figure(number: float) -> str:
    """A number as rules have them: no exponent, and at most six decimals."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


#: `poll`, `#2-4`, ` 20%`, `:`, `http 503 after`.
_RULE: Final = re.compile(
    r"""\s*(?P<deed>[^\s:#]*)\s*(?P<number>\#[^:\s]*)?(?P<conditions>(?:[^:"']|"(?:\\.|[^"\\])*"|'[^']*')*)(?P<colon>:?)\s*(?P<what>.*?)\s*""",
    re.DOTALL,
)

_NUMBER: Final = re.compile(r"#(\d{1,9})(?:(-)(\d{0,9}))?")

_FIGURE: Final = r"(\d{1,9}(?:\.\d{1,6})?)"

#: How a condition is written -> what of a rule that is.
_CONDITIONS: Final[Mapping[str, Callable[..., dict[str, Any]]]] = {
    r"every\s+([1-9]\d{0,8})": lambda number: {"every": int(number)},
    rf"{_FIGURE}%": lambda percent: {"percent": float(percent)},
    rf"{_FIGURE}-{_FIGURE}?s": lambda since, until: {"since": float(since), "until": float(until or inf)},
    rf"over\s+{_FIGURE}/s": lambda quota: {"quota": float(quota)},
    r"""([A-Za-z_]\w*)=("(?:\\.|[^"\\])*"|'[^']*'|[^\s"']+)""": lambda name, value: {"where": (name, _unquoted(value))},
}

_NO_CONDITION: Final = "is no condition: write every 3, 20%, workflow=rr3, 10-60s or over 2/s"

#: Characters of a rule.
_LONGEST: Final = 2_000

_SURROGATE: Final = re.compile("[\ud800-\udfff]")

#: When a fault strikes, as the last word of a rule says.
_WHEN: Final = {"before": False, "after": True}
_LAST: Final = re.compile(r"\s(before|after)\s*$")


def read_rule(text: Any) -> Rule:
    """The rule that a text is. Raises `WrongRule`, which points at the place."""
    if not isinstance(text, str):
        raise WrongRule(repr(text), 0, "a rule is a text")
    if len(text) > _LONGEST:
        raise WrongRule(text[:_LONGEST], 0, f"a rule has at most {_LONGEST:,} characters")
    if half := _SURROGATE.search(text):
        raise WrongRule(text, half.start(), "half a surrogate pair is no character")
    found = _RULE.match(text)
    assert found is not None  # whatever it is, it is a deed, perhaps nothing, and the rest
    known = [*WORDS, *operations()]
    if found["deed"] not in known:
        near = did_you_mean(found["deed"], known) or f"; there are {listed(WORDS)}"
        raise WrongRule(text, found.start("deed"), f"{found['deed'] or 'nothing'} is no kind of request{near}")
    first, last = _numbers(text, found)
    conditions = _conditions(text, found)
    if not found["colon"]:
        raise WrongRule(text, found.start("colon"), "a colon is missing: write poll#2: http 502")
    begin = found.end("colon") + len(text[found.end("colon") :]) - len(text[found.end("colon") :].lstrip())
    words = _words(text, begin)
    said = _LAST.search(text, begin)
    after = _WHEN[said[1]] if said and len(words) > 1 else None
    if after is not None:
        del words[-1]
    if not words or (len(words) == 1 and words[0] in _WHEN):
        raise WrongRule(text, begin, "a fault is missing: write poll#2: http 502")
    try:
        fault = read_fault(words[0], words[1:])
    except ValueError as error:
        raise WrongRule(text, begin, str(error)) from None
    is_after = _is_after(found["deed"], fault) if after is None else after
    return Rule(found["deed"], fault, is_after, first, last, **conditions)


def _words(text: str, begin: int) -> list[str]:
    try:
        return shlex.split(text[begin:])
    except ValueError:
        raise WrongRule(text, begin, "a quotation mark is missing its other half") from None


def _numbers(text: str, found: re.Match[str]) -> tuple[int, float]:
    if found["number"] is None:
        return 1, inf
    numbers = _NUMBER.fullmatch(found["number"])
    if not numbers:
        raise WrongRule(text, found.start("number"), f"{found['number'].strip()} is no count: write #2, #2-4 or #2-")
    first = int(numbers[1])
    last = int(numbers[3]) if numbers[3] else inf if numbers[2] else first
    if not 1 <= first <= last:
        reason = "requests are counted from 1" if first < 1 else f"{last} comes before {first}"
        raise WrongRule(text, found.start("number"), reason)
    return first, last


def _conditions(text: str, found: re.Match[str]) -> dict[str, Any]:
    at, end = found.span("conditions")
    read: dict[str, Any] = {}
    while at < end:
        if text[at].isspace():
            at += 1
            continue
        said, condition = _condition(text, at, end, has_colon=bool(found["colon"]))
        if "where" in said:
            said["where"] = (*read.get("where", ()), said["where"])
        elif read.keys() & said.keys():
            raise WrongRule(text, at, f"{condition[0]} is said twice")
        _check_condition(text, at, said)
        read |= said
        at = condition.end()
    return read


def _condition(text: str, at: int, end: int, *, has_colon: bool) -> tuple[dict[str, Any], re.Match[str]]:
    """What a condition says, and where it stands."""
    for form, make in _CONDITIONS.items():
        if found := re.compile(rf"{form}(?=\s|$)").match(text, at, end):
            return make(*found.groups()), found
    if not has_colon:
        raise WrongRule(text, at, "a colon is missing: write poll#2: http 502")
    raise WrongRule(text, at, f"{text[at:end].split(maxsplit=1)[0]} {_NO_CONDITION}")


def _check_condition(text: str, at: int, said: Mapping[str, Any]) -> None:
    if not 0 < said.get("percent", 100) <= 100:  # noqa: PLR2004 - all of them
        raise WrongRule(text, at, "a share is above 0% and at most 100%")
    if said.get("until", inf) <= said.get("since", 0):
        raise WrongRule(text, at, "a time ends after it begins: write 10-60s")
    if said.get("quota") == 0:
        raise WrongRule(text, at, "a quota is above 0: write over 2/s")


def quoted(value: str) -> str:
    """A value as it stands in a condition."""
    if re.fullmatch(r"[^\s\"':]+", value):
        return value
    escaped = value.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def _unquoted(value: str) -> str:
    if value[0] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
    return value[1:-1] if value[0] == "'" else value


def read_rules(rules: Iterable[str | Rule]) -> tuple[Rule, ...]:
    """Rules, some of them perhaps as texts."""
    return tuple(rule if isinstance(rule, Rule) else read_rule(rule) for rule in rules)


class _Line(NamedTuple):
    """A rule under the number that its counters have in the store."""

    serial: int
    rule: Rule


class Missed(NamedTuple):
    """A rule whose fault was never delivered, and why."""

    rule: Rule
    reason: str
    #: It struck, but nobody was there any more.
    has_struck: bool = False

    def __str__(self) -> str:
        return f"{self.rule} ({self.reason})"


class Strike(NamedTuple):
    """A rule that strikes a request, and whom to tell of what came of it."""

    rule: Rule
    #: Its fault was delivered to the last byte.
    deliver: Callable[[], None]
    #: There was nothing in the answer for it to spoil.
    spare: Callable[[], None]


#: Tasks whose own rules are kept.
_MOST_TASKS: Final = 10_000


class Plan:
    """The plan of one session while it is carried out. Of several rules for a request the first that is due strikes."""

    def __init__(self, store: Store, key: str, rules: Iterable[Rule] = (), *, seed: int = 0) -> None:
        self._store, self._key, self._seed = store, key, seed
        self._lines: tuple[_Line, ...] = ()
        #: Task id -> the rules that its prompt brought, those of the latest tasks.
        self._of_tasks: dict[str, tuple[_Line, ...]] = {}
        #: By serial number: requests that a rule was about, that it struck, and whose fault was delivered.
        self._met: Counter[int] = Counter()
        self._struck: Counter[int] = Counter()
        self._delivered: Counter[int] = Counter()
        self._spared: Counter[int] = Counter()
        #: When the latest requests came that a quota is about.
        self._recent: dict[int, deque[float]] = {}
        self._serials = count()
        self._changing = Lock()
        self.add(*rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter([line.rule for line in self._all()])

    def __len__(self) -> int:
        return len(self._all())

    def __bool__(self) -> bool:
        """Whether anything is planned: asked with each request."""
        return bool(self._lines or self._of_tasks)

    def __str__(self) -> str:
        return "\n".join(f"{rule}  (struck {counted(self._struck[serial], 'time')})" for serial, rule in self._all())

    def add(self, *rules: str | Rule) -> None:
        """Plan more: `add("poll#2: http 502")`. A rule counts the requests that come from now on."""
        __tracebackhide__ = True
        read = read_rules(rules)
        with self._changing:
            self._lines += tuple(_Line(next(self._serials), rule) for rule in read)

    def add_for(self, task_id: str, rules: Iterable[Rule]) -> None:
        """Plan more for one task: other requests do not look at it."""
        lines = tuple(_Line(next(self._serials), rule) for rule in rules)
        with self._changing:
            self._of_tasks[task_id] = (*self._of_tasks.get(task_id, ()), *lines)
            while len(self._of_tasks) > _MOST_TASKS:
                del self._of_tasks[next(iter(self._of_tasks))]

    def clear(self) -> None:
        """Plan nothing."""
        with self._changing:
            self._lines = ()
            self._of_tasks.clear()

    def _all(self) -> list[_Line]:
        with self._changing:
            return [*self._lines, *(line for lines in self._of_tasks.values() for line in lines)]

    def counts(self) -> list[tuple[Rule, int, int]]:
        """Each rule, how often it struck, and how often its fault was delivered to the last byte."""
        return [(rule, self._struck[serial], self._delivered[serial]) for serial, rule in self._all()]

    def undelivered(self) -> list[Missed]:
        """The rules whose fault was never delivered, and why."""
        missing = [line for line in self._all() if not self._delivered[line.serial]]
        return [Missed(rule, self._why(serial), bool(self._struck[serial])) for serial, rule in missing]

    def _why(self, serial: int) -> str:
        if self._struck[serial]:
            return "it struck, and the client was gone before its fault was delivered"
        if self._spared[serial]:
            return f"it was due {counted(self._spared[serial], 'time')}, and there was nothing for it to spoil"
        met = self._met[serial]
        return f"{counted(met, 'such request')} came, and none that it strikes" if met else "no such request came"

    def due(self, asked: Asked) -> Strike | None:
        """The rule that strikes this request, which is counted by this."""
        struck = None
        for serial, rule in (*self._lines, *self._of_tasks.get(asked.task_id, ())):
            if rule.is_about(asked):
                number = self._store.count(self._key, f"rule {serial}", asked.task_id) + 1
                self._met[serial] += 1
                if self._is_due(serial, rule, number, asked) and struck is None:
                    struck = Strike(rule, partial(self._deliver, serial), partial(self._spare, serial))
                    with self._changing:
                        self._struck[serial] += 1
        return struck

    def _deliver(self, serial: int) -> None:
        with self._changing:
            self._delivered[serial] += 1

    def _spare(self, serial: int) -> None:
        with self._changing:
            self._struck[serial] -= 1
            self._spared[serial] += 1

    def _is_due(self, serial: int, rule: Rule, number: int, asked: Asked) -> bool:
        """Each condition is asked for each request, so that none depends on another rule."""
        if not rule.first <= number <= rule.last or (number - rule.first) % rule.every:
            return False
        if rule.quota and not self._is_over(serial, rule.quota, asked.now()):
            return False
        if (rule.since, rule.until) != (0, inf) and not rule.since <= asked.now() < rule.until:
            return False
        return rule.percent == 100 or self._chance(serial, asked.task_id, number) < rule.percent  # noqa: PLR2004 - all

    def _is_over(self, serial: int, quota: float, now: float) -> bool:
        """More requests than the quota came within a second, those that were struck left out."""
        recent = self._recent.setdefault(serial, deque())
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= quota:
            return True
        recent.append(now)
        return False

    def _chance(self, serial: int, task_id: str, number: int) -> float:
        """A number from 0 to 100, the same for the same request of a session with the same seed."""
        return Random(f"{self._seed} {self._key} rule {serial} {task_id} {number}").uniform(0, 100)
