"""What of an exchange is compared with others of its kind: no bytes, ids and times, but what a client depends on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from safelight.contracts import Phase, problems
from safelight.contracts.keywords import is_number
from safelight.contracts.schemas import schemas
from safelight.contracts.wording import kind, listed, shown
from safelight.traffic.exchange import Exchange, object_of
from safelight.traffic.recognition import phase_of


@dataclass(frozen=True, slots=True)
class Seen:
    """An exchange, and with which others it is compared."""

    exchange: Exchange
    #: What was asked: the same questions may be answered with the same statuses.
    asked: str
    #: What kind of task it is about, in a word: a workflow, or the operation; empty: none that is known.
    task: str = ""

    @property
    def told(self) -> str:
        """What was answered, in words: answers of the same name have the same shape."""
        about = f" of {self.task}" if self.task else ""
        phase = f", {self.phase}" if self.phase else ""
        return f"{self.exchange.operation or 'request'}{about}, {self.exchange.status}{phase}"

    @property
    def phase(self) -> Phase | None:
        """The phase that a poll told."""
        return phase_of(self.word) if self.exchange.operation == "task_status" else None

    @property
    def word(self) -> Any:
        """The status word."""
        data = object_of(self.exchange.answer).get("data")
        return data.get("status") if isinstance(data, dict) else None


#: Fields of an answer that are compared.
MAX_FIELDS: Final = 1_000

#: A place, and what is there.
Facts = Iterator[tuple[str, str]]


_Told = Callable[[Seen], Facts]


@dataclass(frozen=True, slots=True)
class Shape:
    """One thing in which answers are compared."""

    id: str
    name: str
    #: What holds where nothing has drifted.
    fact: str
    facts: _Told
    #: It hangs on the question, not on the answer.
    is_of_question: bool = False


#: Id -> shape.
SHAPES: Final[dict[str, Shape]] = {}


def _shape(name: str, title: str, fact: str, *, is_of_question: bool = False) -> Callable[[_Told], _Told]:
    """Register what of an exchange is compared."""

    def register(facts: _Told) -> _Told:
        SHAPES[name] = Shape(name, title, fact, facts, is_of_question)
        return facts

    return register


@_shape("D10", "status", "A request is answered with a status that was recorded", is_of_question=True)
def _(seen: Seen) -> Facts:
    yield "the status", str(seen.exchange.status)


@_shape("D11", "media-type", "An answer has the media type that was recorded")
def _(seen: Seen) -> Facts:
    yield "the media type", seen.exchange.media_type or "none"


#: Headers that a client or a cache heeds -> whether their value counts, or only that they are there.
_HEEDED: Final[Mapping[str, bool]] = {
    "cache-control": True,
    **dict.fromkeys(("retry-after", "location", "www-authenticate", "allow"), False),
}


@_shape("D12", "headers", "An answer has the headers that were recorded, of those that a client heeds")
def _(seen: Seen) -> Facts:
    for name, counts in _HEEDED.items():
        value = seen.exchange.answer_headers.get(name)
        yield f"the header {name}", "absent" if value is None else value if counts else "present"


@_shape("D13", "envelope", "An answer says success, data and error as was recorded")
def _(seen: Seen) -> Facts:
    document = object_of(seen.exchange.answer)
    members = [f"success {shown(document.get('success'))}"] if "success" in document else []
    members += [f"{name} is {kind(document[name])}" for name in ("data", "error") if name in document]
    yield "the envelope", ", ".join(members) or "none"


@_shape("D22", "types", "Each field has a type that was recorded")
def types(seen: Seen) -> Facts:
    """JSON Pointer -> type, of each field."""
    todo: list[tuple[str, Any]] = [("", object_of(seen.exchange.answer))]
    for pointer, value in todo:  # which grows while it is read
        if pointer:
            yield pointer, "a number" if is_number(value) else kind(value)
        if isinstance(value, dict):
            todo += [(f"{pointer}/{name}", child) for name, child in value.items()][: MAX_FIELDS - len(todo)]


@_shape("D30", "words", "A phase is told in the word that was recorded")
def _(seen: Seen) -> Facts:
    if seen.phase:
        yield "the status word", shown(seen.word)


@_shape("D32", "variant", "A submit is answered by the variant that was recorded")
def _(seen: Seen) -> Facts:
    begin = f"{seen.exchange.operation}.response."
    variants = [name.removeprefix(begin) for name in schemas() if name.startswith(begin)]
    if seen.task and variants and seen.exchange.operation != "task_status":
        fitting = [name for name in variants if not problems(begin + name, seen.exchange.answer)]
        yield "the variant", listed(fitting) if fitting else "none of the contract's"


@dataclass(slots=True)
class Recorded:
    """What was recorded: shapes, by the question or the answer that they are about."""

    #: Name of a question or an answer -> id of a shape -> place -> what was there.
    facts: dict[tuple[str, str], dict[str, set[str]]] = field(default_factory=lambda: defaultdict(dict))
    answers: Counter[str] = field(default_factory=Counter)
    #: Name of an answer -> field -> how often it was there.
    fields: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, seen: Seen) -> None:
        """Take one in."""
        self.answers[seen.told] += 1
        self.fields[seen.told].update(pointer for pointer, _ in types(seen))
        for shape in SHAPES.values():
            places = self.facts[_subject(shape, seen), shape.id]
            for place, fact in shape.facts(seen):
                places.setdefault(place, set()).add(fact)

    def of(self, shape: Shape, seen: Seen) -> Mapping[str, set[str]]:
        """Place -> what was there, in all that can be compared with this."""
        return self.facts.get((_subject(shape, seen), shape.id), {})

    def always(self, told: str) -> Iterator[str]:
        """The fields that no such answer was without."""
        return (pointer for pointer, count in self.fields[told].items() if count == self.answers[told])


def _subject(shape: Shape, seen: Seen) -> str:
    return seen.asked if shape.is_of_question else seen.told
