"""From bytes to a document, strictly: what JSON leaves open or Python lets through is a violation here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.rules import TEXT_RULES, Provenance, Violation, pointer
from safelight.contracts.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: How deep arrays and objects may be nested.
MOST_DEEP: Final = 100

#: How many digits an integer may have.
MOST_DIGITS: Final = 1_000

#: What stands for a document that could not be read.
_NOTHING: Final = object()


@dataclass(slots=True)
class Parsed:
    """What the bytes held, and what is wrong with the text itself."""

    document: Any = _NOTHING
    _found: dict[Violation, None] = field(default_factory=dict)

    @property
    def violations(self) -> list[Violation]:
        """What is wrong with the text, in the order it was met."""
        return list(self._found)

    @property
    def is_complete(self) -> bool:
        """There is a document, though perhaps one with violations."""
        return self.document is not _NOTHING

    def report(self, rule_id: str, message: str, path: tuple[object, ...] = ()) -> None:
        """Add a violation of one of the text's rules, once."""
        assert rule_id in TEXT_RULES
        self._found[Violation(rule_id, pointer(path), message, Provenance.ASSUMED)] = None

    def reject(self, rule_id: str, message: str) -> None:
        """Add a violation that leaves no document."""
        self.report(rule_id, message)
        self.document = _NOTHING


def parse(body: bytes) -> Parsed:
    """Read a JSON document from bytes. Never raises: what cannot be read is among the violations."""
    parsed = Parsed()
    text = _text(body, parsed)
    if text is not None:
        _read(text, parsed)
    if parsed.is_complete:
        _look_inside(body, parsed)
    return parsed


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
        parsed.report("json.encoding", f"the document is not UTF-8: {seen} starts no character")
        return None


def _read(text: str, parsed: Parsed) -> None:
    def number(digits: str) -> int:
        many = len(digits.lstrip("-"))
        if many > MOST_DIGITS:
            parsed.report("json.digits", f"an integer has {many:,} digits; the most is {MOST_DIGITS:,}")
        return int(digits[: MOST_DIGITS + 2])  # still too large, and with the right sign, for the rules that follow

    def constant(name: str) -> float:
        parsed.report("json.constant", f"{name} is not JSON; a number must be finite")
        return float(name)

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            _twice(pairs, parsed)
        return found

    try:
        parsed.document = json.loads(text, parse_int=number, parse_constant=constant, object_pairs_hook=members)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        parsed.report("json.syntax", f"the document is not JSON: {_reason(error)} at {where}")
    except RecursionError:
        parsed.reject("json.depth", _TOO_DEEP)


_TOO_DEEP: Final = f"arrays and objects are nested too deep; the most is {MOST_DEEP}"


def _reason(error: json.JSONDecodeError) -> str:
    return (error.msg[0].lower() + error.msg[1:]).rstrip(": ").removesuffix(" at")


def _twice(pairs: list[tuple[str, Any]], parsed: Parsed) -> None:
    seen = set[str]()
    for name, _ in pairs:
        if name in seen:
            parsed.report("json.duplicate-key", f"the member {shown(name)} stands twice in one object")
        seen.add(name)


#: An escaped half of a surrogate pair: the only way one gets into a document that is UTF-8.
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")


def _look_inside(body: bytes, parsed: Parsed) -> None:
    """Depth and surrogates need a walk. Most documents are spared it: their bytes show that all is well."""
    if body.count(b"[") + body.count(b"{") > MOST_DEEP and _is_deep(parsed.document):
        parsed.reject("json.depth", _TOO_DEEP)
    elif _HALF.search(body):
        for path, text in _strings(parsed.document):
            if not _is_whole(text):
                parsed.report(
                    "json.surrogate",
                    f"{shown(text)} holds half of a surrogate pair, which is no character",
                    path,
                )


def _is_deep(document: Any) -> bool:
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(MOST_DEEP):
        level = [child for value in level for child in _children(value) if isinstance(child, dict | list)]
    return bool(level)


def _children(value: Any) -> Iterable[Any]:
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return ()


def _strings(value: Any, path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], str]]:
    """Each string of a document, names of members included, and where it stands."""
    match value:
        case str():
            yield path, value
        case dict():
            for name, child in value.items():
                yield (*path, name), name
                yield from _strings(child, (*path, name))
        case list():
            for index, child in enumerate(value):
                yield from _strings(child, (*path, index))


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
