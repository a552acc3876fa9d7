"""Equality of JSON values, as JSON Schema has it."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Number
from typing import Any


def same(wanted: Any, sent: Any) -> bool:
    """Equal as JSON: 1 is 1.0, and neither is `true`, however deep they stand.

    What is wanted may also be anything that knows what it equals.
    """
    match wanted, sent:
        case Mapping(), dict():
            return wanted.keys() == sent.keys() and all(same(wanted[name], sent[name]) for name in sent)
        case list() | tuple(), list():
            return len(wanted) == len(sent) and all(map(same, wanted, sent))
        case Number(), _ if isinstance(wanted, bool) is not isinstance(sent, bool):
            return False
    return bool(wanted == sent)
