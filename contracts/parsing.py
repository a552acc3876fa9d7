"""From bytes to a document, strictly: what JSON leaves open or Python lets through is a violation here."""

from __future__ import annotations

import gc
import json
import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.locations import pointer
from safelight.contracts.recognizers import recognized
from safelight.contracts.rules import TEXT_RULES, Provenance, Violation
from safelight.contracts.shortcuts import ARE_TAKEN
from safelight.contracts.usual_texts import NOTHING, reader_of_usual_texts
from safelight.contracts.wording import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

#: Arrays and objects within each other.
MAX_DEPTH: Final = 100

#: Digits of an integer.
MAX_INTEGER_DIGITS: Final = 1_000

#: Gives the document of most texts, in which there is nothing to report.
_usual: Final = reader_of_usual_texts(max_digits=MAX_INTEGER_DIGITS, max_depth=MAX_DEPTH)


class _Enough(Exception):
    """As many violations are found as were wanted."""


def integer(digits: str) -> int:
    """An integer of JSON; Python itself words otherwise that there are too many digits. Raises `ValueError`."""
    many = len(digits.lstrip("-"))
    if many > MAX_INTEGER_DIGITS:
        raise ValueError(too_many_digits(many))
    return int(digits)


def too_many_digits(many: int) -> str:
    """What is said of an integer that is too long."""
    return f"an integer has {many:,} digits; the most is {MAX_INTEGER_DIGITS:,}"


@dataclass(slots=True)
class Parsed:
    """What the bytes held, and what is wrong with the text itself."""

    document: Any = NOTHING
    _found: dict[Violation, None] = field(default_factory=dict)
    _max_violations: int | None = None
    #: What came in its place is looked for.
    is_request: bool = True

    @property
    def violations(self) -> list[Violation]:
        """What is wrong with the text, in the order it was met."""
        return list(self._found)

    @property
    def is_complete(self) -> bool:
        """There is a document, though perhaps one with violations."""
        return self.document is not NOTHING

    def report(self, rule_id: str, message: str, path: Iterable[object] = ()) -> None:
        """Add a violation of one of the text's rules, once; with the last that is wanted, the reading ends."""
        assert rule_id in TEXT_RULES
        self._found[Violation(rule_id, pointer(path), message, Provenance.ASSUMED)] = None
        if len(self._found) == self._max_violations:
            raise _Enough

    def reject(self, rule_id: str, message: str) -> None:
        """Add a violation that leaves no document."""
        self.document = NOTHING
        self.report(rule_id, message)


def parse(body: bytes, *, max_violations: int | None = None, is_request: bool = True) -> Parsed:
    """Read a JSON document from bytes. Never raises: what cannot be read is among the violations.

    With `max_violations`, 1 or more, it reads no further than to so many; there may then be no document. Of what is no
    request it is not said what came in its place.
    """
    if ARE_TAKEN and (document := _usual(body)) is not NOTHING:
        return Parsed(document)
    return parse_closely(body, max_violations=max_violations, is_request=is_request)


def parse_closely(body: bytes, *, max_violations: int | None = None, is_request: bool = True) -> Parsed:
    """As `parse`, without its shortcut for usual texts."""
    parsed = Parsed(_max_violations=max_violations, is_request=is_request)
    with suppress(_Enough):
        _fill(parsed, body)
    return parsed


def _fill(parsed: Parsed, body: bytes) -> None:
    text = _text(body, parsed)
    if text is not None:
        _read(text, parsed, body)
    if parsed.is_complete and parsed.is_request:
        _look_inside(body, parsed)


def _text(body: bytes, parsed: Parsed) -> str | None:
    if body.startswith(b"\xef\xbb\xbf"):
        parsed.report("json.bom", "the document starts with a byte order mark; JSON on the wire has none")
        body = body[3:]
    if not body.strip():
        parsed.report("json.empty", "the document is empty; a JSON object is expected")
        return None
    encoding = json.detect_encoding(body)
    if encoding != "utf-8":
        parsed.report("json.encoding", f"the document is {encoding.upper()}; JSON on the wire is UTF-8")
        return None
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        seen = f"byte {error.start} (0x{body[error.start]:02x})"
        parsed.report("json.encoding", f"the document is not UTF-8: {seen} starts no character{_instead(body, parsed)}")
        return None


def _instead(body: bytes, parsed: Parsed) -> str:
    """What the body is instead of JSON, where that is known."""
    seen = recognized("body", body) if parsed.is_request else ""
    return seen and f"; it is {seen}"


# The hooks are called up to five million times for a body of 10 MB. What was reported once is not worded again,
# and of short integers, the only ones of which there can be that many, most are known.
def _read(text: str, parsed: Parsed, body: bytes) -> None:
    constants, twice = set[str](), set[str]()

    def number(digits: str) -> int:
        many = len(digits.lstrip("-"))
        if many > MAX_INTEGER_DIGITS:
            parsed.report("json.digits", too_many_digits(many))
        return int(
            digits[: MAX_INTEGER_DIGITS + 2]
        )  # still too large, and with the right sign, for the rules that follow

    def constant(name: str) -> float:
        if name not in constants:
            constants.add(name)
            parsed.report("json.constant", f"{name} is not JSON; a number must be finite")
        return float(name)

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if not pairs:
            return {}
        found = dict(pairs)
        if len(found) < len(pairs):
            _twice(pairs, twice, parsed)
        return found

    try:
        parsed.document = _loads(text, number, parse_constant=constant, object_pairs_hook=members)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        parsed.report("json.syntax", f"the document is not JSON: {_reason(error)} at {where}{_instead(body, parsed)}")
    except RecursionError:
        parsed.reject("json.depth", _TOO_DEEP)


#: From so many characters on, it pays to keep the short integers, and not to look for garbage.
_LARGE: Final = 1_000_000


def _loads(text: str, number: Callable[[str], int], **hooks: Any) -> Any:
    if len(text) < _LARGE:
        return json.loads(text, parse_int=number, **hooks)
    with _uncollected():
        return json.loads(text, parse_int=lru_cache(4096)(number), **hooks)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage is looked for among a million new arrays: there is none, and it takes most of the reading's time.

    The switch is the process's. Threads that read at once may turn it on early; none leaves it off.
    """
    pauses = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if pauses:
            gc.enable()


_TOO_DEEP: Final = f"arrays and objects are nested too deep; the most is {MAX_DEPTH}"


def _reason(error: json.JSONDecodeError) -> str:
    return (error.msg[0].lower() + error.msg[1:]).rstrip(": ").removesuffix(" at")


def _twice(pairs: list[tuple[str, Any]], reported: set[str], parsed: Parsed) -> None:
    seen = set[str]()
    for name, _ in pairs:
        if name in seen and name not in reported:
            reported.add(name)
            parsed.report("json.duplicate-key", f"the member {shown(name)} stands twice in one object")
        seen.add(name)


def _look_inside(body: bytes, parsed: Parsed) -> None:
    """Depth and surrogates need a closer look. Most documents are spared it: a few bytes show that all is well."""
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_deep(body):
        parsed.reject("json.depth", _TOO_DEEP)
    elif _holds_half(body):
        for text, path in _halves([parsed.document], []):
            message = f"{shown(text)} holds half of a surrogate pair, which is no character"
            parsed.report("json.surrogate", message, path[1:])


#: A string, within which brackets mean nothing.
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')

#: Brackets as a step down or up, in signed bytes; the rest is left out.
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[{]}"))


def _is_deep(body: bytes) -> bool:
    """Judge the text, which is JSON: a walk of a million arrays takes longer than to read them."""
    steps = _STRING.sub(b"", body).translate(_STEPS, _NO_BRACKETS)
    return max(accumulate(memoryview(steps).cast("b")), default=0) > MAX_DEPTH


#: Escaped surrogates, the only ones in a document that is UTF-8: one of any kind, and one without its other half.
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_HALF: Final = re.compile(
    rb"\\u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|[c-fC-F](?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD].))"
)


def _holds_half(body: bytes) -> bool:
    """Somewhere in this JSON stands half of a surrogate pair. A backslash that is escaped itself escapes nothing."""
    return bool(_SURROGATE.search(body) and _HALF.search(body.replace(rb"\\", b"--")))


def _halves(container: Any, path: list[object]) -> Iterator[tuple[str, Sequence[object]]]:
    """Each string with half a pair, names of members included, and where it stands."""
    members: Iterable[tuple[Any, Any]] = container.items() if isinstance(container, dict) else enumerate(container)
    for place, child in members:
        if isinstance(place, str) and not place.isascii() and not _is_whole(place):
            yield place, [*path, place]
        if isinstance(child, str):
            if not child.isascii() and not _is_whole(child):
                yield child, [*path, place]
        elif child and isinstance(child, (dict, list)):
            path.append(place)
            yield from _halves(child, path)
            path.pop()


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
