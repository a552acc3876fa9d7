"""Before a run: is there a server, is it one of this API, and does it know the key?"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from safelight.conformance.servers.answers import came
from safelight.conformance.servers.gate import Gate
from safelight.conformance.servers.probe import balance, poll
from safelight.conformance.servers.samples import NEVER_ISSUED
from safelight.conformance.servers.sending import ServerGone
from safelight.contracts.wording import brief
from safelight.traffic.exchange import Exchange, object_of


@dataclass(eq=False)
class NotThisApi(Exception):
    """What answers is no server of this API, or does not let us in."""

    why: str

    def __str__(self) -> str:
        return self.why


_ENVELOPE: Final = frozenset({"success", "data", "error"})


#: How many it asks.
QUESTIONS: Final = 2


async def preflight(gate: Gate) -> None:
    """Ask two questions that cost nothing. Raises `ServerGone` and `NotThisApi`, with a sentence."""
    answers = [await gate.send(balance()), await gate.send(poll(NEVER_ISSUED))]
    first = answers[0]
    if all(not one.status for one in answers):
        raise ServerGone(first.wire)
    if all(one.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not _is_envelope(one) for one in answers):
        raise ServerGone(f"it answers {came(first)}")
    if all(one.wire for one in answers):
        raise NotThisApi(f"this is no server of this API: {first.wire} ({first.status} came)")
    if all(HTTPStatus.MULTIPLE_CHOICES <= one.status < HTTPStatus.BAD_REQUEST for one in answers):
        where = brief(first.answer_headers.get("location", "nowhere"))
        raise NotThisApi(f"the server sends us on to {where}: check that URL, if it is yours; no redirect is followed")
    if all(one.status == HTTPStatus.UNAUTHORIZED and _is_envelope(one) for one in answers):
        raise NotThisApi(f"the server does not know the key in SAFELIGHT_API_KEY: {came(first)}")
    if not any(map(_is_envelope, answers)):
        raise NotThisApi(
            f"this is no server of this API: user_balance was answered with {came(first)}, which is no envelope "
            "of success, data and error; the URL has to be the whole entry point, such as https://HOST/v1/index.php"
        )


def _is_envelope(exchange: Exchange) -> bool:
    return bool(_ENVELOPE & object_of(exchange.answer).keys())
