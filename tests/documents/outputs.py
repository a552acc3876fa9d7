"""Compare what a document says with what was printed."""

import json
import re
from typing import Any

from documents.blocks import Expected


def difference(expected: Expected, printed: str) -> str:
    """What is wrong with an output, as a text for people; empty when it is as the document says."""
    if matches(expected, printed):
        return ""
    return f"the document says:\n{_indented(expected.text)}\nprinted was:\n{_indented(printed)}"


def matches(expected: Expected, printed: str) -> bool:
    """Whether an output is as the document says."""
    if expected.is_json:
        wanted, seen = _parsed(expected.text), _parsed(printed)
        if wanted is not None:
            return _same_json(wanted, seen)
    return _same_text(_plain(expected.text), _plain(printed))


def _same_json(wanted: Any, seen: Any) -> bool:
    """Equal as JSON; the string "..." stands for any value, and within a string for any text."""
    match wanted, seen:
        case "...", _:
            return True
        case str(), str():
            return _same_text(wanted, seen)
        case dict(), dict():
            return wanted.keys() == seen.keys() and all(_same_json(wanted[key], seen[key]) for key in wanted)
        case list(), list():
            return len(wanted) == len(seen) and all(map(_same_json, wanted, seen))
    return type(wanted) is type(seen) and bool(wanted == seen)


def _same_text(wanted: str, seen: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in wanted.split("..."))
    return re.fullmatch(pattern, seen, re.DOTALL) is not None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _plain(text: str) -> str:
    """A text without white space at the ends of its lines and without empty lines around it."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()) or "    (nothing)"
