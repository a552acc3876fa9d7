"""JSON as most clients write it, read at once: in what is read so, there is nothing to report. The rest is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

#: What stands for a document that could not be read.
NOTHING: Final = object()

#: Bytes of a text that is read so: a large one is worth more care.
_MAX_BYTES: Final = 100_000


class _NotUsual(ValueError):
    """What is read needs a closer look."""


def reader_of_usual_texts(*, max_digits: int, max_depth: int) -> Callable[[bytes], Any]:
    """What gives the document of a text, or `NOTHING` where anything about it may be to report."""

    def integer(digits: str) -> int:
        if len(digits) > max_digits:
            raise _NotUsual
        return int(digits)

    scan, scan_short = _scanner(integer, _members), _scanner(int, _members)  # in a short text no integer is long
    scan_flat = _scanner(int, None)

    def usual(body: bytes) -> Any:
        # Half a surrogate pair is always escaped. What is no UTF-8 holds zero bytes, or does not begin with a document.
        if len(body) > _MAX_BYTES or b"\\u" in body or body.count(b"[") + body.count(b"{") > max_depth:
            return NOTHING
        try:
            text = body.decode()
            if len(body) <= max_digits:
                document, end = scan_flat(text, 0)
                # Each member has a colon, so that none stands twice; others may stand in strings, or in objects below.
                if type(document) is not dict or body.count(b":") != len(document):
                    document, end = scan_short(text, 0)
            else:
                document, end = scan(text, 0)
        except (ValueError, StopIteration):
            return NOTHING
        return document if end == len(text) else NOTHING

    return usual


def _scanner(
    integer: Callable[[str], int], members: Callable[[list[tuple[str, Any]]], dict[str, Any]] | None
) -> Callable[[str, int], tuple[Any, int]]:
    """What reads a document where a text begins, and gives where it ends. Made once: `json.loads` makes others."""
    decoder = json.JSONDecoder(parse_int=integer, parse_constant=_constant, object_pairs_hook=members)
    scan: Callable[[str, int], tuple[Any, int]] = decoder.scan_once  # type: ignore[attr-defined]  # of each decoder
    return scan


def _constant(_: str) -> float:
    raise _NotUsual


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NotUsual
    return found
