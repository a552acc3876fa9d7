"""Which operation a request is for: the entry point reads `endpoint`, and the method has to fit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final
from urllib.parse import quote, urlencode

from safelight.conformance.servers.answers import came
from safelight.conformance.servers.bank import Banked
from safelight.conformance.servers.check import Broken, Cost, asking, probing
from safelight.conformance.servers.gate import Gate
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.probe import WITH_KEY, Probe, Risk, Wanted, poll, query
from safelight.conformance.servers.samples import NEVER_ISSUED, minimal
from safelight.contracts.operations import operations
from safelight.traffic.exchange import object_of

_NOT_FOUND: Final = Wanted((404,))
_WRONG_METHOD: Final = Wanted((405,))

#: Queries that name no operation, in words.
_NAMELESS: Final = {
    "no endpoint": "",
    "an empty endpoint": "endpoint=",
    "an unknown endpoint": "endpoint=safelight_knows_none",
    "an endpoint in capitals": f"endpoint=TASK_STATUS&task_id={NEVER_ISSUED}",
    "an endpoint with a blank": "endpoint=user_balance%20",
    "the name in capitals": "ENDPOINT=user_balance",
}


@probing("S20", Cost.FREE)
def _dispatch_unknown(_: Options) -> Iterator[Probe]:
    for what, text in _NAMELESS.items():
        yield Probe(what, query=text, wanted=_NOT_FOUND)
    headers = {**WITH_KEY, "content-type": "application/json"}
    for what, text in _NAMELESS.items():
        yield Probe(f"{what}, with POST", "POST", text, headers, b"{}", wanted=_NOT_FOUND)


@asking("S21", requests=4)
async def _dispatch_order(gate: Gate, task: Banked, _: Options) -> AsyncIterator[Broken]:
    usual = await gate.send(poll(task.task_id))
    task_id = quote(task.task_id, safe="")
    for what, text in {
        "task_id before endpoint": urlencode({"task_id": task.task_id, "endpoint": "task_status"}),
        "the value percent-encoded": f"endpoint=%74ask%5Fstatus&task_id={task_id}",
        "the name percent-encoded": f"%65ndpoint=task_status&task%5Fid={task_id}",
    }.items():
        probe = Probe(what, query=text)
        exchange = await gate.send(probe)
        if object_of(exchange.answer) != object_of(usual.answer):
            yield Broken(f"{what}: another answer", came(usual), came(exchange), probe=probe)


@probing("S22", Cost.AT_RISK)
def _dispatch_duplicate(_: Options) -> Iterator[Probe]:
    for operation in operations().values():
        if operation.is_submit:
            for names in (("task_status", operation.name), (operation.name, "task_status")):
                twice = "&".join(f"endpoint={name}" for name in names)
                yield Probe(
                    f"GET with endpoint={names[0]} and endpoint={names[1]}",
                    query=f"{twice}&task_id={NEVER_ISSUED}&{urlencode(minimal(operation.name))}",
                    price=operation.price,
                    risk=Risk.WRONG_METHOD,
                )


@probing("S23", Cost.AT_RISK)
def _wrong_method(_: Options) -> Iterator[Probe]:
    for operation in operations().values():
        if operation.is_submit:
            text = query(operation.name, **minimal(operation.name))
            yield Probe(
                f"{operation.name} by GET",
                query=text,
                wanted=_WRONG_METHOD,
                risk=Risk.WRONG_METHOD,
                price=operation.price,
            )
        else:
            text = query(operation.name, **({"task_id": NEVER_ISSUED} if operation.name == "task_status" else {}))
            headers = {**WITH_KEY, "content-type": "application/json"}
            yield Probe(
                f"{operation.name} by POST",
                *("POST", text, headers, b"{}"),
                wanted=_WRONG_METHOD,
                risk=Risk.WRONG_METHOD,
            )
