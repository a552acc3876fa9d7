"""JSON as it goes out and is kept: without spaces, and with every character as it is."""

from __future__ import annotations

import json
from json import encoder
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))


def _pieces() -> Callable[[Any, int], Iterable[str]] | None:
    """What `JSONEncoder` makes anew for each text, where this Python has it in C: that takes as long as its work."""
    make = getattr(encoder, "c_make_encoder", None)
    if make is None:
        return None
    made: Callable[[Any, int], Iterable[str]] = make(
        None, _ENCODER.default, encoder.encode_basestring, None, ":", ",", False, False, True
    )
    return made


_PIECES: Final = _pieces()


def compact(value: Any) -> str:
    """A value of JSON as text. It has no cycles."""
    return _ENCODER.encode(value) if _PIECES is None else "".join(_PIECES(value, 0))
