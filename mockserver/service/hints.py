"""What a request that fits nothing was near: for the log and the journal, where the service's answer does not say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from safelight.contracts import Advice, Provenance
from safelight.contracts.reading import ACTION_ENTRY
from safelight.contracts.recognizers import recognized
from safelight.contracts.wording import listed, nearest, shown
from safelight.mockserver.model.keys import TOKEN_WAY, WAYS
from safelight.mockserver.model.messages import parameters
from safelight.mockserver.operations import operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from safelight.contracts import Violation
    from safelight.mockserver.model.messages import Request

_NEITHER: Final = listed(WAYS, "nor")

#: The ways that keep a key out of logs, and the only one that is documented where it is taken.
_PREFERRED: Final = (*tuple(WAYS)[:2], TOKEN_WAY)


def why_refused(request: Request, key: str, way: str, *, is_revoked: bool) -> list[Advice]:
    """Why a key is refused: the service answers the same to all."""
    if not key:
        return [_assumed(f"no key was sent: neither {_NEITHER}"), *map(_assumed, _almost_keys(request))]
    if is_revoked:
        return [_assumed(f"the key {way} was revoked")]
    return [_assumed(f"the key {way} is not one that is known here"), *map(_assumed, _odd_keys(request, key))]


def advice_on_way(way: str) -> list[Advice]:
    """The key came in a way that ends up in logs."""
    if way in _PREFERRED:
        return []
    return [Advice("", f"the key came {way}; the service prefers the header x-api-key", Provenance.PUBLISHED)]


def advice_on_encoding(request: Request) -> list[Advice]:
    """The header Content-Encoding says something else of a body that could be read."""
    coding = _coding(request)
    return [_assumed(f"the header Content-Encoding says {shown(coding)}, and the body is plain JSON")] if coding else []


def explained(violations: Sequence[Violation], request: Request) -> list[Violation]:
    """The violations, with what headers, query and body show of their cause."""
    return [replace(one, message=one.message + _cause(one.rule, request)) for one in violations]


class _Cause(NamedTuple):
    """Why a rule is broken, where the request shows it: the end of the rule's id, how it is seen, what is said."""

    rules: tuple[str, ...]
    sees: Callable[[Request], object]
    says: str


def _coding(request: Request) -> str:
    stated = request.headers.get("content-encoding", "").strip().casefold()
    return "" if stated == "identity" else stated


def _query_has_more(request: Request) -> bool:
    return bool(parameters(request.query).keys() - {"endpoint", "api_key"})


def _query_is_json(request: Request) -> bool:
    return any(name.lstrip().startswith(("{", "[")) for name in parameters(request.query))


def _is_coded(request: Request) -> object:
    """Its header says that the body is compressed, and the body itself does not say so."""
    return _coding(request) and not recognized("body", request.body)


_CAUSES: Final = (
    _Cause(
        ("json.encoding", "json.syntax"),
        _is_coded,
        "; it is compressed with {coding}, as its Content-Encoding says: send the JSON itself, without this header",
    ),
    _Cause(("json.empty",), _query_is_json, "; the query has JSON: send it as the body"),
    _Cause(("json.empty",), _query_has_more, "; the query has parameters: send them as a JSON object in the body"),
    _Cause((".required",), _query_is_json, "; the query has JSON, and takes NAME=VALUE"),
    _Cause(
        (".required",),
        lambda request: request.method == "GET" and request.body,
        "; there is a body, and the parameters of a GET belong in the query",
    ),
)


def _cause(rule: str, request: Request) -> str:
    says = next((cause.says for cause in _CAUSES if rule.endswith(cause.rules) and cause.sees(request)), "")
    return says.format(coding=shown(_coding(request)))


def operation_in_path(path: str) -> str:
    """`; did you mean ...?` where a path ends in what is nearly the name of an operation: `/v1/images/generations`."""
    if path == ACTION_ENTRY:
        return "; the entry of the Linux DO edition answers where requests = linux-do"
    near = nearest("_".join(path.strip("/").split("/")[-2:]), operations())
    return f"; did you mean /v1/index.php?endpoint={near}?" if near else ""


def parameter_near_endpoint(request: Request) -> str:
    """The parameter that was sent in the place of `endpoint`, where there is one."""
    for name, value in parameters(request.query).items():
        if name != "endpoint" and (nearest(name, ["endpoint"]) or value in operations()):
            return f"; {shown(name)} was sent"
    return "; it is in the body, and belongs in the query" if b'"endpoint"' in (request.body or b"") else ""


def _almost_keys(request: Request) -> Iterator[str]:
    stated = request.headers.get("authorization", "")
    if stated and not stated.casefold().startswith("bearer "):
        yield "the header Authorization is there, and does not begin with Bearer"
    for name in request.headers:
        if name != "x-api-key" and nearest(name, ["x-api-key", "api-key", "apikey"]):
            yield f"the header {name} is there; did you mean x-api-key?"


def _odd_keys(request: Request, key: str) -> Iterator[str]:
    if "x-api-key" in request.headers and key.casefold().startswith("bearer "):
        yield "it begins with Bearer, which belongs into the header Authorization"
    if key[0] == key[-1] and key[0] in "\"'":
        yield "it is in quotation marks"


def _assumed(message: str) -> Advice:
    return Advice("", message, Provenance.ASSUMED)
