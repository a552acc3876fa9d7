"""One request and its reply, decoded."""

from __future__ import annotations

import json
from hashlib import sha256
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safelight.contracts import Advice, Phase, Violation


#: With what paths begin at the second origin, where only redirects and results of the fake lead.
SECOND_ORIGIN: Final = "/elsewhere"


class Exchange(NamedTuple):
    """One request and its reply, decoded. A tuple, because one is made for every request."""

    #: Time of the session's clock, in seconds.
    at: float
    method: str
    #: Path and query, without keys.
    target: str
    #: Without keys.
    headers: Mapping[str, str]
    body: bytes
    #: 0: nothing was sent.
    status: int
    media_type: str
    #: Empty where the reply is no JSON: a picture is drawn again, not kept.
    answer: bytes
    operation: str | None = None
    task_id: str | None = None
    phase: Phase | None = None
    violations: Sequence[Violation] = ()
    advice: Sequence[Advice] = ()
    #: The rule of the plan that struck, as it reads; empty: none did.
    fault: str = ""
    #: What happened below HTTP: then status and answer are what was sent by then, which may be nothing.
    wire: str = ""
    #: Headers of the answer, where they are known; names in lower case.
    answer_headers: Mapping[str, str] = MappingProxyType({})
    #: Seconds from the request to the end of its answer; None: nobody measured, or it goes on.
    took: float | None = None
    #: Seconds since the previous answer about the same task; None for the first.
    gap: float | None = None
    #: Bytes of the body and of the answer's as they were sent, with all that is not kept; None: nobody counted.
    body_bytes: int | None = None
    answer_bytes: int | None = None
    #: What stands for the key that it came with; empty: with none, or with one that the server does not know.
    key: str = ""
    #: Places that hold a key and are not for it, in words: `the query (in Base64)`, `another origin`.
    leaks: Sequence[str] = ()

    @property
    def is_at_second_origin(self) -> bool:
        """It was sent to the origin at which no client has anything to do with its key."""
        return self.target.startswith(f"{SECOND_ORIGIN}/")

    @property
    def outcome(self) -> str:
        """`ok`, the first rule that the request broke, or `refused` where no rule of a schema says why."""
        if self.violations:
            return self.violations[0].rule
        return "ok" if self.status == HTTPStatus.OK or self.fault else "refused"

    @property
    def size(self) -> int:
        """Bytes that keeping it costs, roughly."""
        return size_of(len(self.body) + len(self.answer) + len(self.target), self.headers)


def size_of(characters: int, headers: Mapping[str, str]) -> int:
    """Bytes that it costs, roughly, to keep an exchange with these headers, and texts of so many characters."""
    return characters + len("".join(headers.values())) + _OVERHEAD


#: What an exchange costs beside its bytes.
_OVERHEAD = 1_000


#: Characters of a value in a body that stand in an abridged exchange.
_MAX_VALUE_CHARACTERS: Final = 10_000


def abridged(exchange: Exchange) -> Exchange:
    """The exchange without the long texts of its body, such as the picture of an edit; see `abridged_text`."""
    if len(exchange.body) <= _MAX_VALUE_CHARACTERS:
        return exchange
    document = object_of(exchange.body)
    if not any(map(_is_long, document.values())):
        return exchange
    return exchange._replace(body=json.dumps({name: abridged_text(value) for name, value in document.items()}).encode())


def abridged_text(value: Any) -> Any:
    """A value as it stands in an abridged body: a long text as its beginning, length and digest."""
    if not _is_long(value):
        return value
    digest = sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{value[:100]}… ({len(value):,}{_DIGEST}{digest})"


def is_abridged(exchange: Exchange) -> bool:
    """A long text of the body is not there: nothing can be said of it any more."""
    return _DIGEST.encode() in exchange.body


#: What stands before the digest of a text.
_DIGEST: Final = " characters, SHA-256 "


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > _MAX_VALUE_CHARACTERS


def object_of(text: bytes) -> Mapping[str, Any]:
    """The JSON object that a body or an answer is; an empty one where a fault or a client made it something else."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
