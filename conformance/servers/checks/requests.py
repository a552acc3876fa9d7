"""Requests that are wrong in one way: each comes from the strategies, and names the rule that it breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from safelight.conformance.servers.check import Cost, probing
from safelight.conformance.servers.generated import REFUSED, broken_queries, broken_submits
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.probe import WITH_KEY, Probe, Risk, Wanted, query, submit
from safelight.conformance.servers.samples import PROMPT, minimal

#: A body may also be too large, or of a kind that is not taken.
_REFUSED_OR_TOO_LARGE: Final = Wanted((400, 413))
_REFUSED_OR_UNKNOWN: Final = Wanted((400, 415))

#: What is at risk -> the id of the check whose requests are drawn.
CHECKS: Final[Mapping[Risk, str]] = {
    Risk.WRONG_TYPE: "S30",
    Risk.MISSING: "S31",
    Risk.FAR_OUT: "S32",
    Risk.JUST_OUT: "S33",
}


def _probes(options: Options, risk: Risk) -> Iterator[Probe]:
    return (drawn.probe for drawn in broken_submits(options) if drawn.risk is risk)


@probing("S30", Cost.AT_RISK)
def _wrong_type(options: Options) -> Iterator[Probe]:
    return _probes(options, Risk.WRONG_TYPE)


@probing("S31", Cost.AT_RISK)
def _missing(options: Options) -> Iterator[Probe]:
    yield from _probes(options, Risk.MISSING)
    for what, text in broken_queries():
        yield Probe(what, query=text, wanted=REFUSED, risk=Risk.MISSING)


@probing("S32", Cost.AT_RISK)
def _far_out(options: Options) -> Iterator[Probe]:
    return _probes(options, Risk.FAR_OUT)


@probing("S33", Cost.AT_RISK)
def _just_out(options: Options) -> Iterator[Probe]:
    return _probes(options, Risk.JUST_OUT)


_NESTED: Final = 10_000

#: What is wrong with a body -> the body.
_BODIES: Final[Mapping[str, bytes]] = {
    "nothing at all": b"",
    "no JSON": b"prompt=a lighthouse",
    "JSON that is cut": b'{"prompt": "a light',
    "an array": b'[{"prompt": "a lighthouse"}]',
    "a member that stands twice": b'{"prompt": "a lighthouse", "width": 512, "width": 513}',
    "NaN": b'{"prompt": "a lighthouse", "cfg": NaN}',
    f"arrays {_NESTED:,} deep": b'{"prompt": ' + b"[" * _NESTED + b"]" * _NESTED + b"}",
    "bytes that are no UTF-8": b'{"prompt": "a lighth\xff\xfeuse"}',
}

_LARGE: Final = 10_000_000


@probing("S34", Cost.AT_RISK)
def _bad_body(_: Options) -> Iterator[Probe]:
    for what, body in _BODIES.items():
        yield submit(f"a body of {what}", "image_generation", body, wanted=REFUSED, risk=Risk.BAD_BODY)
    large = json.dumps({"prompt": PROMPT * (_LARGE // len(PROMPT))}).encode()
    yield submit("a body of 10 MB", "image_generation", large, wanted=_REFUSED_OR_TOO_LARGE, risk=Risk.BAD_BODY)
    form = {**WITH_KEY, "content-type": "application/x-www-form-urlencoded"}
    body = query("", **minimal("image_generation")).partition("&")[2].encode()
    yield submit("a form", "image_generation", body, headers=form, wanted=_REFUSED_OR_UNKNOWN, risk=Risk.BAD_BODY)
