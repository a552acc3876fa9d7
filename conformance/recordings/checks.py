"""The checks of recorded traffic: each looks at one exchange, and says what of it breaks the contract.

They are those of a live server that need no request of their own. What a check is not about, it is not asked of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from safelight.conformance.oracle.answers import operation_of, query_of
from safelight.conformance.recordings.speech import Speech
from safelight.contracts import Operation, Provenance, Violation, parse
from safelight.contracts.dialects import PATHS, error_of
from safelight.contracts.parsing import Parsed
from safelight.contracts.rules import rule
from safelight.contracts.secrets import MARK
from safelight.contracts.validation import violations
from safelight.contracts.wording import shown
from safelight.traffic.exchange import Exchange


class Breach(NamedTuple):
    """What an exchange breaks: a check, or a rule of the contract, in a sentence."""

    rule: str
    sentence: str
    #: Nobody published that it holds.
    is_assumed: bool = False


@dataclass
class Asked:
    """An exchange of the API, and what the checks ask of it."""

    exchange: Exchange
    speech: Speech

    @cached_property
    def operation(self) -> Operation | None:
        """The operation that was asked for, whatever the method; None: there is none of that name."""
        return operation_of(self.exchange)

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The parameters in the target."""
        return query_of(self.exchange)

    @property
    def is_of_api(self) -> bool:
        """It asks for an operation, or for something at an entry point."""
        path = self.exchange.target.partition("?")[0]
        is_one = self.operation is not None or ("endpoint" in self.query and path in PATHS.values())
        return is_one and self.exchange.method not in ("OPTIONS", "HEAD")

    @cached_property
    def parsed(self) -> Parsed:
        """The answer, read strictly."""
        return parse(self.exchange.answer, is_request=False)

    @property
    def document(self) -> Any:
        """The answer as JSON; None where it is none, or was not recorded."""
        return self.parsed.document if self.parsed.is_complete else None

    @property
    def is_whole(self) -> bool:
        """The answer came, and was recorded."""
        size = self.exchange.answer_bytes
        is_cut = self.document is None and size is not None and size > len(self.exchange.answer)
        return not (self.exchange.wire or is_cut) and bool(self.exchange.answer or self._is_empty)

    @property
    def _is_empty(self) -> bool:
        return self.exchange.answer_headers.get("content-length") == "0"

    @property
    def is_success(self) -> bool:
        """The server says that it did what it was asked."""
        is_one = isinstance(self.document, dict) and self.document.get("success") is True
        return not self.exchange.wire and is_one and self.exchange.status in range(200, 300)

    @cached_property
    def wrong_request(self) -> list[Violation]:
        """The rules that the request breaks, by what of it was recorded."""
        if self.operation is None or self.operation.method != self.exchange.method:
            return []
        return self.speech.of_request(self.operation, self.exchange, self.query)


@dataclass(frozen=True, slots=True)
class RecordedCheck:
    """How a check is asked of a recorded exchange: of which, and what of it breaks the contract."""

    id: str
    is_asked: Callable[[Asked], bool]
    breaches: Callable[[Asked], Iterator[Breach]]


#: Id -> check.
RECORDED: Final[dict[str, RecordedCheck]] = {}

_Breaches = Callable[[Asked], Iterator[Breach]]


def check(name: str, is_asked: Callable[[Asked], bool]) -> Callable[[_Breaches], _Breaches]:
    """Register a check under its id."""

    def register(breaches: _Breaches) -> _Breaches:
        RECORDED[name] = RecordedCheck(name, is_asked, breaches)
        return breaches

    return register


# --- of any answer -------------------------------------------------------------------------------------------------

#: What an error must not show, and how it looks.
_INTERNALS: Final[Mapping[str, re.Pattern[bytes]]] = {
    "a stack trace": re.compile(
        rb"Traceback \(most recent|Stack trace:|^\s*#0 |\\n#0 |\bat [\w.$<>]+ ?\([^)]*:\d+\)|Fatal error:"
    ),
    "SQL": re.compile(rb"SQLSTATE|SQL syntax|sqlite3?\.|psycopg|\bSELECT\b.{1,200}\bFROM\b|\bINSERT INTO\b", re.DOTALL),
    "a path of the server": re.compile(
        rb"(?:\\?/(?:var|home|usr|srv|opt|etc)\\?/[\w.-]+|[A-Z]:\\\\\w+|\w\.php on line)"
    ),
}


@check("S13", lambda asked: asked.exchange.status in range(400, 500) and asked.is_whole)
def _error_shape(asked: Asked) -> Iterator[Breach]:
    if (kind := asked.exchange.media_type.casefold()) not in ("", "application/json"):
        yield Breach("S13", f"the error comes as {shown(kind)}, not as application/json")
    yield from map(_breach, asked.speech.of_error(asked.exchange.answer))
    for what, form in _INTERNALS.items():
        if found := form.search(asked.exchange.answer):
            seen = found[0].decode("utf-8", "replace").strip()
            yield Breach("S13", f"the answer {asked.exchange.status} shows {what}: {shown(seen)}")


@check("S14", lambda asked: not asked.exchange.wire and asked.exchange.status > 0)
def _not_a_5xx(asked: Asked) -> Iterator[Breach]:
    status = asked.exchange.status
    says_upstream = status == HTTPStatus.BAD_GATEWAY and error_of(asked.document).startswith("Upstream error: ")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not says_upstream:
        yield Breach("S14", f"the answer is {status}")


#: A key that was taken out, and not the end of a word such as task-...
_KEY: Final = re.compile(rf"(?<![0-9A-Za-z]){re.escape(MARK)}")


@check("S15", lambda asked: not asked.exchange.wire and asked.exchange.status > 0)
def _key_not_reflected(asked: Asked) -> Iterator[Breach]:
    for name, value in asked.exchange.answer_headers.items():
        if _KEY.search(value):
            yield Breach("S15", f"the header {name} of the answer holds a key")
    if _KEY.search(asked.exchange.answer.decode("utf-8", "replace")):
        yield Breach("S15", "the answer holds a key")


@check("S44", lambda asked: asked.exchange.method == "GET" and asked.is_success)
def _no_shared_cache(asked: Asked) -> Iterator[Breach]:
    stated, expires = (asked.exchange.answer_headers.get(name, "") for name in ("cache-control", "expires"))
    words = {word.strip().casefold() for word in stated.split(",")}
    lasts = any(re.fullmatch(r"(?:s-maxage|max-age)=\"?0*[1-9]\d*\"?", word) for word in words)
    if not words & {"private", "no-store", "no-cache"} and ("public" in words or lasts):
        yield Breach("S44", f"cache-control is {shown(stated)}: a cache may hand the answer to others")
    if not stated and expires.strip() not in ("", "0", "-1"):
        yield Breach(
            "S44", f"expires is {shown(expires)}, without cache-control: a cache may keep the answer till then"
        )


@check("S58", lambda asked: asked.exchange.status == HTTPStatus.TOO_MANY_REQUESTS)
def _retry_after(asked: Asked) -> Iterator[Breach]:
    if "retry-after" not in asked.exchange.answer_headers:
        yield Breach("S58", "the answer is 429, and has no Retry-After")


# --- of what was accepted ------------------------------------------------------------------------------------------


@check("S20", lambda asked: asked.operation is None)
def _dispatch_unknown(asked: Asked) -> Iterator[Breach]:
    if asked.is_success:
        yield Breach("S20", f"the endpoint {shown(asked.query.get('endpoint', ''))} is none, and was answered")


@check("S23", lambda asked: asked.operation is not None and _is_wrong_method(asked))
def _wrong_method(asked: Asked) -> Iterator[Breach]:
    if asked.is_success:
        yield Breach("S23", f"{asked.exchange.method} is not the method of the operation, and was accepted")


def _is_wrong_method(asked: Asked) -> bool:
    return asked.operation is not None and asked.operation.method != asked.exchange.method


#: Check -> the keywords whose rules it is about; the rest is about bounds.
_KEYWORDS: Final[Mapping[str, frozenset[str]]] = {
    "S30": frozenset({"type"}),
    "S31": frozenset({"required", "minLength"}),
    "S34": frozenset(
        {"syntax", "empty", "encoding", "bom", "constant", "digits", "depth", "duplicate-key", "surrogate"}
    ),
}


def _accepted(name: str) -> None:
    """Register a check of requests that break rules of some keywords: none of them is accepted."""
    others = frozenset().union(*_KEYWORDS.values())

    def is_about(violation: Violation) -> bool:
        keyword = rule(violation.rule).keyword
        return keyword in _KEYWORDS[name] if name in _KEYWORDS else keyword not in others

    def breaches(asked: Asked) -> Iterator[Breach]:
        for violation in filter(is_about, asked.wrong_request if asked.is_success else ()):
            yield _breach(violation, "the request was accepted, though ")

    RECORDED[name] = RecordedCheck(name, lambda asked: any(map(is_about, asked.wrong_request)), breaches)


for _name in ("S30", "S31", "S33", "S34"):
    _accepted(_name)


# --- of tasks ------------------------------------------------------------------------------------------------------


@check("S50", lambda asked: bool(asked.operation and asked.operation.is_submit) and _is_answered(asked))
def _submit_answer(asked: Asked) -> Iterator[Breach]:
    if asked.exchange.status in range(200, 300):
        yield from _success(asked, "S50")
    elif asked.exchange.status == HTTPStatus.BAD_REQUEST and asked.exchange.body and not asked.wrong_request:
        said = shown(error_of(asked.document))
        yield Breach("S50", f"the request breaks no rule, and was refused: {said}", is_assumed=True)


@check("S55", lambda asked: _is_of(asked, "task_status"))
def _status_schema(asked: Asked) -> Iterator[Breach]:
    yield from _success(asked, "S55")


@check("S70", lambda asked: _is_of(asked, "user_balance"))
def _trace(asked: Asked) -> Iterator[Breach]:
    yield from _success(asked, "S70")


def _is_of(asked: Asked, name: str) -> bool:
    is_one = asked.operation is not None and asked.operation.name == name and _is_answered(asked)
    return is_one and asked.exchange.status in range(200, 300)


def _is_answered(asked: Asked) -> bool:
    return not (_is_wrong_method(asked) or asked.exchange.wire)


def _success(asked: Asked, name: str) -> Iterator[Breach]:
    """What is wrong with an answer that has a 2xx."""
    status, document = asked.exchange.status, asked.document
    assert asked.operation is not None
    if status != HTTPStatus.OK:
        yield Breach(name, f"the answer is {status}; success is 200")
    if isinstance(document, dict) and document.get("success") is False:
        yield Breach(name, f"the answer is {status}, and holds an error: {shown(error_of(document))}")
        return
    if asked.is_whole:
        yield from map(_breach, asked.parsed.violations)
        if asked.parsed.is_complete:
            yield from map(_breach, violations(asked.speech.answer(asked.operation), document))


#: Rules of the text without which there is no document at all: whoever breaks them breaks what is published, JSON.
_NO_DOCUMENT: Final = frozenset({"json.syntax", "json.empty", "json.encoding"})


def _breach(violation: Violation, before: str = "") -> Breach:
    stated = rule(violation.rule)
    about = f"{violation.pointer or 'the document'}, {stated.keyword}, {violation.provenance}"
    is_assumed = violation.provenance is Provenance.ASSUMED and violation.rule not in _NO_DOCUMENT
    return Breach(violation.rule, f"{before}{violation.message} ({about})", is_assumed)
