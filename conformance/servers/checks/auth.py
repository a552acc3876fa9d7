"""Who may ask: keys that are missing, wrong, of somebody else, and the ways in which one is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Final

from safelight.conformance.servers.answers import came
from safelight.conformance.servers.bank import Banked
from safelight.conformance.servers.check import Broken, Cost, asking, probing
from safelight.conformance.servers.gate import Gate
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.probe import KEY, OTHER_KEY, Probe, Risk, Wanted, query
from safelight.conformance.servers.samples import NEVER_ISSUED
from safelight.contracts.operations import Operation, operations
from safelight.traffic.exchange import object_of

_UNAUTHORIZED: Final = Wanted((401,))

#: Servers of HTTP have a limit of their own for a header, which is not the API's matter.
_UNAUTHORIZED_OR_TOO_LARGE: Final = Wanted((401, 431))

_LONG: Final = 8_192


def _request(operation: Operation, what: str, headers: Mapping[str, str], risk: Risk, wanted: Wanted) -> Probe:
    """A request that is refused whatever its key: a submit has an empty object for a body."""
    parameters = {"task_id": NEVER_ISSUED} if operation.name == "task_status" else {}
    body = b"{}" if operation.is_submit else b""
    kind = {"content-type": "application/json"} if body else {}
    return Probe(
        f"{operation.name} {what}",
        *(operation.method, query(operation.name, **parameters), {**headers, **kind}, body),
        price=operation.price,
        wanted=wanted,
        risk=risk,
    )


@probing("S10", Cost.FREE)
def _auth_missing(_: Options) -> Iterator[Probe]:
    for operation in operations().values():
        yield _request(operation, "without a key", {}, Risk.NO_KEY, _UNAUTHORIZED)


@probing("S11", Cost.FREE)
def _auth_wrong(options: Options) -> Iterator[Probe]:
    made = f"sk-{Random(options.seed).randbytes(24).hex()}"
    for operation in operations().values():
        for what, key in {"a random": made, "an empty": ""}.items():
            yield _request(operation, f"with {what} key", {"x-api-key": key}, Risk.BAD_KEY, _UNAUTHORIZED)
        blank = _request(operation, "with a blank key", {}, Risk.BAD_KEY, _UNAUTHORIZED)
        yield replace(blank, query=f"{blank.query}&api_key=%20")  # no header can hold one
        long = {"x-api-key": "sk-" + "0" * (_LONG - 3)}
        yield _request(operation, "with a key of 8 kB", long, Risk.BAD_KEY, _UNAUTHORIZED_OR_TOO_LARGE)


_WRONG: Final = "sk-" + "0" * 48

#: A way to send keys -> the headers, what follows in the query, and whether the published order lets it in.
_WAYS: Final[Mapping[str, tuple[Mapping[str, str], str, bool]]] = {
    "the key as x-api-key": ({"x-api-key": KEY}, "", True),
    "the key as Bearer": ({"authorization": f"Bearer {KEY}"}, "", True),
    "the key in the query": ({}, f"&api_key={KEY}", True),
    "the key as x-api-key, a wrong one as Bearer": (
        {"x-api-key": KEY, "authorization": f"Bearer {_WRONG}"},
        *("", True),
    ),
    "the key as x-api-key, a wrong one in the query": ({"x-api-key": KEY}, f"&api_key={_WRONG}", True),
    "the key as Bearer, a wrong one as x-api-key": (
        {"x-api-key": _WRONG, "authorization": f"Bearer {KEY}"},
        *("", False),
    ),
    "the key in the query, a wrong one as Bearer": (
        {"authorization": f"Bearer {_WRONG}"},
        *(f"&api_key={KEY}", False),
    ),
}


@asking("S12", requests=len(_WAYS))
async def _auth_ways(gate: Gate, task: Banked, _: Options) -> AsyncIterator[Broken]:
    for what, (headers, rest, is_let_in) in _WAYS.items():
        probe = Probe(what, query=query("task_status", task_id=task.task_id) + rest, headers=headers)
        exchange = await gate.send(probe)
        wanted = 200 if is_let_in else 401
        if exchange.status != wanted:
            yield Broken(f"{what}: {came(exchange)}", str(wanted), came(exchange), probe=probe)


@asking("S43", requests=1, needs_other_key=True)
async def _other_key(gate: Gate, task: Banked, _: Options) -> AsyncIterator[Broken]:
    probe = Probe("another's task", query=query("task_status", task_id=task.task_id), headers={"x-api-key": OTHER_KEY})
    exchange = await gate.send(probe)
    if object_of(exchange.answer).get("success") is not False:
        yield Broken(f"the task of one key was read with another: {came(exchange)}", "404", came(exchange), probe=probe)
