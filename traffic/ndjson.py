"""Exchanges as JSON objects, one a line, in both directions."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from safelight.contracts import Advice, Phase, Provenance, Violation
from safelight.contracts.parsing import integer
from safelight.contracts.wording import listed, shown
from safelight.traffic.elements import CUT, is_cut, is_half
from safelight.traffic.exchange import Exchange
from safelight.traffic.redaction import without_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Form = dict[str, Any]

_Found = TypeVar("_Found", Violation, Advice)


@dataclass(eq=False)
class Unreadable(ValueError):
    """A record of traffic cannot be read any further: where, and what is wrong there."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def line(exchange: Exchange, began: float = 0.0) -> str:
    """One exchange as one line of ASCII, with its end: any reader of lines takes it for one."""
    return json.dumps(exchange_form(exchange, began)) + "\n"


def read(lines: Iterable[str | bytes]) -> Iterator[Exchange]:
    """The exchanges of a file, or of any other lines, one at a time and without keys. Raises `Unreadable`."""
    for number, text in enumerate(lines, 1):
        if text.strip():
            try:
                whole = text.decode() if isinstance(text, bytes) else text
                exchange = exchange_of(json.loads(whole, parse_int=integer, parse_constant=_refuse))
            except UnicodeDecodeError as error:
                place = f"byte {error.start + 1} (0x{error.object[error.start]:02x}) starts no character"
                raise Unreadable(f"line {number}", CUT if is_half(error) else f"it is not UTF-8: {place}") from None
            except json.JSONDecodeError as error:
                reason = f"it is no JSON: {error.msg} at column {error.colno}"
                is_last = not whole.endswith("\n")
                raise Unreadable(f"line {number}", CUT if is_last and is_cut(error) else reason) from None
            except RecursionError:
                raise Unreadable(f"line {number}", "arrays and objects are nested too deep") from None
            except ValueError as error:
                raise Unreadable(f"line {number}", str(error)) from None
            yield exchange


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON; a number must be finite")


def exchange_form(exchange: Exchange, began: float = 0.0) -> Form:
    """One exchange as a JSON object; `at` is in seconds since `began`, when its session began."""
    return {
        "at": exchange.at - began,
        "began": began,
        "operation": exchange.operation,
        "task_id": exchange.task_id,
        "phase": exchange.phase and str(exchange.phase),
        "outcome": exchange.outcome,
        "method": exchange.method,
        "target": exchange.target,
        "headers": dict(exchange.headers),
        **body_form(exchange.body),
        "status": exchange.status,
        "media_type": exchange.media_type,
        **answer_form(exchange.answer),
        "answer_headers": dict(exchange.answer_headers),
        "violations": [asdict(violation) for violation in exchange.violations],
        "advice": [asdict(advice) for advice in exchange.advice],
        "fault": exchange.fault,
        "wire": exchange.wire,
        "took": exchange.took,
        "gap": exchange.gap,
        "body_bytes": exchange.body_bytes,
        "answer_bytes": exchange.answer_bytes,
        "key": exchange.key,
        "leaks": list(exchange.leaks),
    }


def body_form(body: bytes) -> Form:
    """A request's body: `body` is its text, and `body_base64` has the bytes where that is not all there is to them."""
    return {"body": text_form(body)} | ({} if _is_text(body) else {"body_base64": b64encode(body).decode()})


def answer_form(answer: bytes) -> Form:
    """An answer: `answer` is its document, or its text where that is no JSON, or nothing where nothing was kept.

    Where the bytes are not the document as the fake writes it, `answer_text` or `answer_base64` has them too.
    """
    if not answer:
        return {"answer": None}
    try:
        document = json.loads(answer, parse_constant=_refuse)
        if _encoded(document) == answer:
            return {"answer": document} if document is not None else {"answer": None, "answer_text": "null"}
    except (ValueError, RecursionError):
        document = text_form(answer)
    exact = {"answer_text": answer.decode()} if _is_text(answer) else {"answer_base64": b64encode(answer).decode()}
    return {"answer": document, **exact}


def text_form(text: bytes) -> str:
    """Bytes as text; what is no UTF-8 is replaced."""
    return text.decode("utf-8", "replace")


def _is_text(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _encoded(document: Any) -> bytes:
    """A document as the fake writes it. Raises `ValueError` for a number that is none in JSON, such as 1e999."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


#: Member -> what it may be, and in words.
_MEMBERS: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    **dict.fromkeys(("at", "began", "took", "gap"), ((int, float), "a number of seconds")),
    "status": ((int,), "a whole number of 0 to 999"),
    **dict.fromkeys(("body_bytes", "answer_bytes"), ((int,), "a number of bytes")),
    **dict.fromkeys(("method", "target", "media_type", "body", "body_base64"), ((str,), "a text")),
    **dict.fromkeys(
        ("answer_text", "answer_base64", "operation", "task_id", "fault", "wire", "key"), ((str,), "a text")
    ),
    "phase": ((str,), listed(map(str, Phase), "or")),
    **dict.fromkeys(("headers", "answer_headers"), ((dict,), "an object of texts")),
    **dict.fromkeys(("violations", "advice"), ((list,), "a list of objects")),
    "leaks": ((list,), "a list of texts"),
}

#: Above all statuses, and above all times in seconds since the epoch that anybody meant.
_MAX_STATUS: Final = 1_000
MAX_SECONDS: Final = 1e15

#: The least of numbers that are not negative.
_LEAST: Final = {"body_bytes": 0, "answer_bytes": 0}

#: The members that no exchange is without.
_REQUIRED: Final = ("at", "method", "target", "status")


def exchange_of(form: object) -> Exchange:
    """The exchange that a JSON object says, without keys. Raises `ValueError` with a sentence."""
    if not isinstance(form, dict):
        raise ValueError(f"{shown(form)} is no exchange; it must be an object")  # noqa: TRY004 - as all
    for name in _REQUIRED:
        if form.get(name) is None:
            raise ValueError(f"{name} is missing; it must be {_MEMBERS[name][1]}")
    values = {name: form[name] for name in _MEMBERS if form.get(name) is not None}
    for name, value in values.items():
        _check(name, value)
    stated: Form = {
        "headers": {},
        "media_type": "",
        **{name: value for name, value in values.items() if name in Exchange._fields},
        "leaks": tuple(values.get("leaks", ())),
        "at": values["at"] + values.get("began", 0),
        "body": _bytes(values, "body") if "body_base64" in values else _raw(values.get("body", "")),
        "answer": _answer(values, form.get("answer")),
        "phase": Phase(values["phase"]) if "phase" in values else None,
        "violations": [_found(Violation, one) for one in values.get("violations", ())],
        "advice": [_found(Advice, one) for one in values.get("advice", ())],
    }
    return without_keys(Exchange(**stated))


def _check(name: str, value: Any) -> None:
    kinds, words = _MEMBERS[name]
    fits = isinstance(value, kinds) and not isinstance(value, bool)
    if fits and isinstance(value, dict):
        fits = all(isinstance(text, str) for text in value.values())
    if fits and name == "leaks":
        fits = all(isinstance(place, str) for place in value)
    if fits and name == "phase":
        fits = value in list(Phase)
    if fits and isinstance(value, int | float):
        fits = 0 <= value < _MAX_STATUS if name == "status" else _LEAST.get(name, -MAX_SECONDS) <= value < MAX_SECONDS
    if not fits:
        raise ValueError(f"{name} is {shown(value)}; it must be {words}")


def _answer(values: Form, document: Any) -> bytes:
    if "answer_base64" in values:
        return _bytes(values, "answer")
    if "answer_text" in values:
        return _raw(values["answer_text"])
    return b"" if document is None else _encoded(document)


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # half a character can be written in JSON


def _bytes(values: Form, name: str) -> bytes:
    try:
        return b64decode(values[f"{name}_base64"], validate=True)
    except ValueError:
        raise ValueError(f"{name}_base64 is {shown(values[f'{name}_base64'])}, which is no Base64") from None


def _found(kind: type[_Found], values: object) -> _Found:
    """A violation or advice: all its members are texts."""
    members = kind.__dataclass_fields__
    if isinstance(values, dict) and values.keys() == members.keys():
        with suppress(ValueError):
            if all(isinstance(text, str) for text in values.values()):
                return kind(**{**values, "provenance": Provenance(values["provenance"])})
    raise ValueError(f"{shown(values)} is no {kind.__name__.lower()}: it must have {listed(members)}, as texts")
