"""Rules of a plan: which requests, what goes wrong, and whether before or after they are carried out.

A rule reads aloud, and is stored as it reads: `submit#1: reset after`, `poll#2-4: http 503`, `image: garbled`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight.contracts import operations
from safelight.contracts.secrets import masked
from safelight.contracts.wording import brief, did_you_mean, listed, printable, shown
from safelight.mockserver.faults.catalogue import TIMES, Fault, alters, leads_on, read_fault, written
from safelight.mockserver.faults.words import QUOTED, quoted, unquoted, words
from safelight.traffic.request_kinds import REQUEST_KINDS, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable


#: Characters of a wrong rule that are shown.
_MAX_SHOWN_CHARACTERS: Final = 100


@dataclass(eq=False)
class WrongRule(ValueError):
    """A text is no rule of a plan."""

    text: str
    #: Where reading it stopped, from 0.
    at: int
    reason: str

    def __str__(self) -> str:
        begin = max(0, self.at - _MAX_SHOWN_CHARACTERS // 2)  # of a long text, the part where it is
        text = printable(masked(self.text)[begin : begin + _MAX_SHOWN_CHARACTERS])
        return f"{printable(self.reason)}\n  {text}\n  {' ' * (self.at - begin)}^ column {self.at + 1}"


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One line of a plan: these requests, this fault, before or after the request is carried out.

    Requests are counted from 1: all submits of the session, and the polls and pictures of each task by themselves; of
    those that `where` is about, if it is about some. Unless a rule says otherwise, a submit is struck before it is
    carried out; of the rest, and by what changes an answer that was due, the answer is.
    """

    #: `submit`, `poll`, `image` or `balance`, or the name of an operation.
    kind: str
    fault: Fault
    #: The request is carried out: a submit is booked and paid for, a poll counted, and only the answer suffers.
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
        is_usual = self.after is _is_after(self.kind, self.fault)
        when = "" if is_usual else " after" if self.after else " before"
        return f"{self.which}: {written(self.fault)}{when}"

    @property
    def which(self) -> str:
        """The requests that it is about, as a plan has them: `poll#2-4 20%`."""
        number = f"#{self.first}" if self.first == self.last else f"#{self.first}-{_open(self.last)}"
        conditions = [
            "" if self.every == 1 else f"every {self.every}",
            "" if self.percent == 100 else f"{_figure(self.percent)}%",  # noqa: PLR2004 - all of them
            *(f"{name}={_as_condition(value)}" for name, value in self.where),
            "" if (self.since, self.until) == (0, inf) else f"{_figure(self.since)}-{_open(self.until)}s",
            f"over {_figure(self.quota)}/s" if self.quota else "",
        ]
        kind = self.kind + ("" if (self.first, self.last) == (1, inf) else number)
        return " ".join([kind, *filter(None, conditions)])

    def is_about(self, request: PlannedRequest) -> bool:
        """The request is one of those that are counted."""
        if self.kind != request.operation and self.kind != REQUEST_KINDS.get(request.operation):
            return False
        return not self.where or all(_as_text(request.facts().get(name)) == value for name, value in self.where)


class PlannedRequest(NamedTuple):
    """A request, for a plan: its operation, the id of its task or nothing, its parameters, seconds of its session."""

    operation: str
    task_id: str
    facts: Callable[[], Mapping[str, Any]]
    now: Callable[[], float]


def _as_text(value: object) -> str:
    """A value as a rule has it: texts as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _is_after(kind: str, fault: Fault) -> bool:
    """Whether a rule that does not say strikes after: polls cost nothing, and to be changed an answer has to be due."""
    is_submit = kind == "submit" or (kind in operations() and operations()[kind].is_submit)
    return not leads_on(fault) and (not is_submit or alters(fault))


def _open(last: float) -> str:
    return "" if last == inf else _figure(last)


def _figure(number: float) -> str:
    """A number as rules have them: no exponent, and at most six decimals."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


#: `poll`, `#2-4`, ` 20%`, `:`; what follows is a fault.
_RULE: Final = re.compile(
    rf"""\s*(?P<kind>[^\s:#]*)\s*(?P<number>\#[^:\s]*)?(?P<conditions>(?:[^:"']|{QUOTED})*)(?P<colon>:?)\s*""",
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
    rf"""([A-Za-z_]\w*)=({QUOTED}|[^\s"']+)""": lambda name, value: {"where": (name, unquoted(value))},
}

_NO_CONDITION: Final = "is no condition: write every 3, 20%, workflow=rr3, 10-60s or over 2/s"

#: Characters of a rule that is read.
MAX_RULE_CHARACTERS: Final = 2_000

_SURROGATE: Final = re.compile("[\ud800-\udfff]")

#: When a fault strikes, as the last word of a rule says.
_TIME: Final = re.compile(rf"\s({'|'.join(TIMES)})\s*$", re.ASCII)


def read_rule(text: Any) -> FaultRule:
    """The rule that a text is. Raises `WrongRule`, which points at the place."""
    if not isinstance(text, str):
        raise WrongRule(shown(text), 0, "a rule is a text")
    if len(text) > MAX_RULE_CHARACTERS:
        raise WrongRule(text[:MAX_RULE_CHARACTERS], 0, f"a rule has at most {MAX_RULE_CHARACTERS:,} characters")
    return reread_rule(text)


@lru_cache(1_024)
def reread_rule(text: str) -> FaultRule:
    """The rule that a text is, however long: a rule that was read may be longer when it is written."""
    if half := _SURROGATE.search(text):
        raise WrongRule(text, half.start(), "half a surrogate pair is no character")
    found = _RULE.match(text)
    assert found is not None  # whatever it is, it is a kind, perhaps nothing, and the rest
    known = [*WORDS, *operations()]
    if found["kind"] not in known:
        near = did_you_mean(found["kind"], known) or f"; there are {listed(WORDS)}"
        raise WrongRule(text, found.start("kind"), f"{brief(found['kind']) or 'nothing'} is no kind of request{near}")
    first, last = _numbers(text, found)
    conditions = _conditions(text, found)
    if not found["colon"]:
        raise WrongRule(text, found.start("colon"), "a colon is missing: write poll#2: http 502")
    fault, after = _fault(text, found.end())
    is_after = _is_after(found["kind"], fault) if after is None else after
    return FaultRule(found["kind"], fault, is_after, first, last, **conditions)


def _fault(text: str, begin: int) -> tuple[Fault, bool | None]:
    """What goes wrong, and whether after the request is carried out, if the text says so."""
    time = _TIME.search(text, begin)
    end = time.start() if time else len(text)
    name = next(iter(words(text[begin:end])), None)
    if name is None or name.written in TIMES:
        raise WrongRule(text, begin, "a fault is missing: write poll#2: http 502")
    try:
        fault = read_fault(name.written, text[begin + name.end : end])
    except ValueError as error:
        raise WrongRule(text, begin, str(error)) from None
    return fault, TIMES[time[1]] if time else None


def _numbers(text: str, found: re.Match[str]) -> tuple[int, float]:
    if found["number"] is None:
        return 1, inf
    numbers = _NUMBER.fullmatch(found["number"])
    if not numbers:
        raise WrongRule(
            text, found.start("number"), f"{brief(found['number'].strip())} is no count: write #2, #2-4 or #2-"
        )
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
            raise WrongRule(text, at, f"{brief(condition[0])} is said twice")
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
    raise WrongRule(text, at, f"{brief(text[at:end].split(maxsplit=1)[0])} {_NO_CONDITION}")


def _check_condition(text: str, at: int, said: Mapping[str, Any]) -> None:
    if not 0 < said.get("percent", 100) <= 100:  # noqa: PLR2004 - all of them
        raise WrongRule(text, at, "a share is above 0% and at most 100%")
    if said.get("until", inf) <= said.get("since", 0):
        raise WrongRule(text, at, "a time ends after it begins: write 10-60s")
    if said.get("quota") == 0:
        raise WrongRule(text, at, "a quota is above 0: write over 2/s")


def _as_condition(value: str) -> str:
    """A value as it stands in a condition, which ends with a colon."""
    return value if re.fullmatch(r"[^\s\"':]+", value) else quoted(value, '"')


def read_rules(rules: Iterable[str | FaultRule]) -> tuple[FaultRule, ...]:
    """Rules, some of them perhaps as texts. Raises `ValueError` for one that no text says."""
    return tuple(_sayable(rule) if isinstance(rule, FaultRule) else read_rule(rule) for rule in rules)


def _sayable(rule: FaultRule) -> FaultRule:
    """A rule as its text says it: a plan keeps texts."""
    if (read := reread_rule(str(rule))) != rule:
        raise ValueError(f"{rule!r} cannot be written as a rule: its text would be that of {read!r}")
    return rule
