"""Readers of values: what a value means, and the JSON Schema of what is taken, both from one statement.

A reader takes JSON, and Python's values where those say the same (tuples, sets, decimals, values of the contract).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from math import inf, isfinite
from typing import Any, Final
from urllib.parse import urlsplit

from safelight.contracts import Timeline
from safelight.contracts.lifecycle import NEVER, STEPS
from safelight.contracts.wording import did_you_mean, either, shown
from safelight.mockserver.faults.rules import FaultRule, WrongRule, read_rule
from safelight.mockserver.model.credits import credits_of
from safelight.mockserver.model.delays import PATTERN, delay
from safelight.mockserver.model.keys import FORM
from safelight.mockserver.model.settings import check_names
from safelight.mockserver.sessions.setting import (
    Conflict,
    Reader,
    Schema,
    Setting,
    WrongSetting,
    read,
    read_at,
    schema_of,
)


def _seen(value: Any) -> str:
    return shown(list(value) if isinstance(value, tuple | set | frozenset) else value)


def _refused(value: Any, noun: str, hint: str) -> ValueError:
    return ValueError(f"{_seen(value)} is no {noun}: write {hint}")


def _mapping(value: Any, hint: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _refused(value, "table", hint)
    return value


def _as_number(text: str) -> Any:
    """The number that a text writes, or the text, which a reader of numbers refuses."""
    for kind in (int, float):
        with suppress(ValueError):
            if isfinite(found := kind(text)) or text.isalpha():
                return found
    return text  # also what is a number, but none that Python has, such as 1e400


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


#: Integers of TOML have 64 bits, and so have ours.
MAX_WHOLE: Final = 2**63 - 1


def whole(noun: str, hint: str, *, minimum: int = 0, maximum: int = MAX_WHOLE, form: str = "N") -> Reader:
    """A whole number; that of a float counts too, as it does in JSON Schema."""

    def number(value: Any) -> int:
        if not _is_number(value) or not minimum <= value <= maximum or value != int(value):
            raise _refused(value, noun, hint)
        return int(value)

    return Reader(number, {"type": "integer", "minimum": minimum, "maximum": maximum}, form, _as_number)


def number(noun: str, hint: str, *, maximum: float, form: str, is_positive: bool = True, unit: str = "") -> Reader:
    """A number above 0, or from 0; on the command line its unit may follow it."""

    def within(value: Any) -> float:
        if not _is_number(value) or not (value > 0 if is_positive else value >= 0) or not value <= maximum:
            raise _refused(value, noun, hint)
        return value  # type: ignore[no-any-return]

    least = {"exclusiveMinimum" if is_positive else "minimum": 0}
    schema = {"type": "number", **least, "maximum": maximum}
    return Reader(within, schema, form, lambda text: _as_number(text.removesuffix(unit)))


def word(names: Iterable[str], form: str = "NAME") -> Reader:
    """One of these words."""
    known = list(names)

    def one(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise _refused(value, "name", f"{either(known)}{did_you_mean(value, known)}")
        return value

    return Reader(one, {"type": "string", "enum": known}, form, str)


def text(pattern: str = "", hint: str = "", form: str = "TEXT") -> Reader:
    """A text of one character or more. Where a pattern is given, it is a secret, and no sentence shows it."""

    def characters(value: Any) -> str:
        if pattern and (not isinstance(value, str) or not re.fullmatch(pattern, value)):
            raise ValueError(hint)
        if not isinstance(value, str) or not value:
            raise _refused(value, "text", "one of a character or more")
        return value

    limit = {"pattern": f"^{pattern}$"} if pattern else {"minLength": 1}
    return Reader(characters, {"type": "string", **limit}, form, str)


def formed(pattern: str, noun: str, hint: str, form: str) -> Reader:
    """A text of this pattern, in small letters."""

    def small(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise _refused(value, noun, hint)
        return value.casefold()

    return Reader(small, {"type": "string", "pattern": f"^{pattern}$"}, form, str)


_PUBLIC_URL_HINT: Final = (
    "a public URL is http:// or https:// with a host, perhaps a port and a path, and nothing else: https://fake.example"
)

#: The ports that go without saying.
_USUAL_PORTS: Final = {"http": ":80", "https": ":443"}


def public_url(host: str) -> Reader:
    """A URL that others can begin with, of a host of this pattern. It may hold a password, and no sentence shows it.

    It has no `..`, which clients take out of a URL before they send it.
    """
    pattern = rf"https?://(?:{host}|\[[0-9A-Fa-f:.]+\])(?::[1-9][0-9]{{0,4}})?(?:/\.*[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?"
    read_text = text(pattern, _PUBLIC_URL_HINT, "URL")

    def beginning(value: Any) -> str:
        try:
            parts = urlsplit(read_text.read(value))
            parts.port  # noqa: B018 - refuses one that is too high
        except ValueError:
            raise ValueError(_PUBLIC_URL_HINT) from None
        name = parts.netloc.lower().removesuffix(_USUAL_PORTS[parts.scheme])
        return f"{parts.scheme}://{name}{parts.path.rstrip('/')}"

    return Reader(beginning, read_text.schema, read_text.form, str)


#: Items of an array.
MAX_ITEMS: Final = 1_000


def array(item: Reader, hint: str, made: Callable[[list[Any]], Any]) -> Reader:
    """Several values, in brackets; on the command line an option for each."""

    def items(value: Any) -> Any:
        if not isinstance(value, list | tuple | set | frozenset):
            raise _refused(value, "list", f"one in brackets: {hint}")
        if len(value) > MAX_ITEMS:
            raise ValueError(f"{_seen(value)} is too long: the most is {MAX_ITEMS} items")
        return made([read_at(number, item, one) for number, one in enumerate(value)])

    schema = {"type": "array", "maxItems": MAX_ITEMS, "items": item.schema}
    return Reader(items, schema, item.form, item.parse, list)


def table(item: Callable[[str], Reader], names: Collection[str], kind: str, hint: str) -> Reader:
    """Name -> value, for some of these names."""

    def members(value: Any) -> dict[str, Any]:
        check_names(_mapping(value, hint), names, kind)
        return {name: read_at(name, item(name), one) for name, one in value.items()}

    known = {name: item(name).schema for name in names}
    return Reader(members, {"type": "object", "additionalProperties": False, "properties": known})


def pairs_of(reader: Reader, form: str) -> Reader:
    """A table of numbers that a command line writes as NAME=NUMBER, once for each."""

    def pair(written: str) -> tuple[str, Any]:
        name, _, value = written.partition("=")
        return name, _as_number(value)

    return Reader(reader.read, reader.schema, form, pair, dict)


def settings(rows: Mapping[str, Setting], conflicts: Iterable[Conflict], kind: str, hint: str) -> Reader:
    """A table of settings of its own."""
    return Reader(lambda value: read(_mapping(value, hint), rows, conflicts, kind=kind), schema_of(rows, conflicts))


def credits(noun: str) -> Reader:  # noqa: A001 - the word for it
    """Credits, exact to the decimal. That there are three decimals at most is beyond its schema."""

    def amount(value: Any) -> Any:
        return credits_of(value if _is_number(value) or isinstance(value, Decimal) else _seen(value), noun)

    return Reader(amount, {"type": "number", "minimum": 0, "maximum": 999_999_999_999.999}, "CREDITS", _as_number)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refused(value, "switch", "true or false")
    return value


def _delay(value: Any) -> Any:
    delay(value if isinstance(value, str) or value == inf else _seen(value))
    return value


def _pair(value: Any) -> tuple[int, int]:
    if not isinstance(value, list | tuple) or len(value) != len(("queued", "running")):
        raise _refused(value, "pair", "two whole numbers, queued and running, such as 1,2 or [1, 2]")
    queued, running = (read_at(number, _COUNT, one) for number, one in enumerate(value))
    return queued, running


def _two(written: str) -> Any:
    return [_as_number(part) for part in written.split(",")] if "," in written else written


def _timeline(value: Any) -> Timeline:
    if isinstance(value, Timeline):
        return value
    if not isinstance(value, list | tuple):
        raise _refused(value, "timeline", 'steps, such as [["queued", 2], ["running", 5], "done"]')
    return Timeline.read(value)


def _reason(value: Any) -> str | bool:
    if not isinstance(value, bool) and (not isinstance(value, str) or not value):
        raise _refused(value, "failure", "a reason, or true for the service's own")
    return value


def _rule(value: Any) -> str:
    if isinstance(value, FaultRule):
        return str(value)
    if not isinstance(value, str):
        raise _refused(value, "fault rule", '"poll#2: http 502"')
    try:
        return str(read_rule(value))
    except WrongRule as wrong:
        raise ValueError(f"column {wrong.at + 1} of {shown(value)}: {wrong.reason}") from None


def _truth(written: str) -> Any:
    return {"true": True, "false": False}.get(written, written)


_COUNT: Final = whole("count", "0 or more")
_AMONG: Final[Schema] = {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "integer", "minimum": 0}}

FLAG: Final = Reader(_flag, {"type": "boolean"})
DELAY: Final = Reader(
    _delay, {"type": ["number", "string"], "minimum": 0, "maximum": 10**15 - 1, "pattern": PATTERN}, "DELAY", str
)
PAIR: Final = Reader(_pair, _AMONG, "Q,R", _two)
_UNITS: Final[Schema] = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 10**15}, {"const": NEVER}]}
_STEP: Final[Schema] = {
    "type": "array",
    "minItems": 2,
    "maxItems": 3,
    "prefixItems": [{"enum": list(STEPS)}, _UNITS, {"type": "string"}],
}
TIMELINE: Final = Reader(
    _timeline,
    {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": ["array", "string"],
            "items": {"type": ["string", "number"]},
            "anyOf": [{"enum": list(STEPS)}, _STEP],
        },
    },
)
REASON: Final = Reader(_reason, {"type": ["string", "boolean"], "minLength": 1}, "REASON", _truth)
RULE: Final = Reader(_rule, {"type": "string", "maxLength": 2_000}, "RULE", str)
KEY: Final = text(FORM.pattern, "a key is 1 to 200 visible ASCII characters, as it has to fit into a header", "KEY")


def users(row: Reader) -> Reader:
    """Name -> user. No sentence shows a name that may be a key, nor a key."""

    def members(value: Any) -> dict[str, Any]:
        named = _mapping(value, "each user as one: [users.alice], with a key")
        if any(not re.fullmatch(_NAME, name) or re.match(_LIKE_A_KEY, name) for name in named):
            raise ValueError("the name of a user is 1 to 40 letters of ASCII, digits, dots or dashes, and no key")
        found = {name: read_at(name, row, one) for name, one in value.items()}
        _check_keys(found)
        return found

    names = {"pattern": f"^{_NAME}$", "not": {"pattern": f"^{_LIKE_A_KEY}"}}
    one = {**row.schema, "required": ["key"]}
    return Reader(members, {"type": "object", "propertyNames": names, "additionalProperties": one})


#: The name of a user, and what begins like a key instead: patterns that every language reads alike.
_NAME: Final = "[A-Za-z0-9_.@ -]{1,40}"
_LIKE_A_KEY: Final = "sk-[A-Za-z0-9_]{8}"


def _check_keys(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Each user has a key of its own: the key is the session."""
    owners: dict[str, str] = {}
    for name, user in found.items():
        if "key" not in user:
            raise WrongSetting((name,), "this user has no key: write key = 'sk-...'")
        other = owners.setdefault(user["key"], name)
        if other != name:
            raise WrongSetting((name, "key"), f"it is that of {other}: each user needs one")
