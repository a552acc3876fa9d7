"""What a request that fits nothing was near: for the log and the journal, where the service's answer does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from safelight.contracts import Advice, Provenance
from safelight.contracts.wording import listed, nearest, shown
from safelight.mockserver.model.keys import WAYS
from safelight.mockserver.model.messages import parameters
from safelight.mockserver.operations import operations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.mockserver.model.messages import Request

_NEITHER: Final = listed(WAYS, "nor")

#: The ways that keep a key out of logs.
_HEADERS: Final = tuple(WAYS)[:2]


def why_refused(request: Request, key: str, way: str, *, is_revoked: bool) -> list[Advice]:
    """Why a key is refused: the service answers the same to all."""
    if not key:
        return [_assumed(f"no key was sent: neither {_NEITHER}"), *map(_assumed, _almost_keys(request))]
    if is_revoked:
        return [_assumed(f"the key {way} was revoked")]
    return [_assumed(f"the key {way} is not one that is known here"), *map(_assumed, _odd_keys(request, key))]


def advice_on_way(way: str) -> list[Advice]:
    """The key came in a way that ends up in logs."""
    if way in _HEADERS:
        return []
    return [Advice("", f"the key came {way}; the service prefers the header x-api-key", Provenance.PUBLISHED)]


def operation_in_path(path: str) -> str:
    """`; did you mean ...?` where a path ends in what is nearly the name of an operation: `/v1/images/generations`."""
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
