"""The checks: what a server of this API does, each under an id that is never used again.

How a check is asked stands elsewhere: `servers/checks/` asks a server, `recordings/checks.py` one recorded exchange,
and the oracle the life of tasks and the balance of accounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from safelight.conformance.verdicts import Severity

#: Of the checks: it changes where a check says something else than before.
EDITION: Final = "1"

#: How ids begin -> what those checks are about.
GROUPS: Final[Mapping[str, str]] = {
    "S1": "Keys, and what every answer keeps",
    "S2": "Which operation is meant",
    "S3": "Wrong requests",
    "S4": "Reading tasks",
    "S5": "A paid task",
    "S6": "Credits, and more paid tasks",
    "S7": "Recorded traffic",
}


@dataclass(frozen=True, slots=True)
class Check:
    """What one check is about."""

    id: str
    name: str
    #: What a good server does.
    fact: str
    #: How bad it is where it does not.
    severity: Severity

    @property
    def group(self) -> str:
        """The title of its group."""
        return GROUPS[self.id[:2]]


_MUST, _SHOULD, _INFO = Severity.MUST, Severity.SHOULD, Severity.INFO

_ROWS: Final = (
    Check("S10", "auth-missing", "No operation answers without a key", _MUST),
    Check("S11", "auth-wrong", "No operation answers to a key that was never issued", _MUST),
    Check("S12", "auth-ways", "Each published way to send a key is taken, in the published order", _SHOULD),
    Check(
        "S13",
        "error-shape",
        "Each error is the envelope, in JSON, and shows nothing of the inside of the server",
        _MUST,
    ),
    Check(
        "S14", "not-a-5xx", "No request, however wrong, makes the server fail; an engine may, which a 502 says", _MUST
    ),
    Check("S15", "key-not-reflected", "No answer holds the key", _MUST),
    Check(
        "S20",
        "dispatch-unknown",
        "A request that names no operation is answered with 404, and never by another operation",
        _MUST,
    ),
    Check("S21", "dispatch-order", "The order of the parameters and how they are encoded change nothing", _SHOULD),
    Check("S22", "dispatch-duplicate", "A GET whose query names two operations makes no task", _SHOULD),
    Check("S23", "wrong-method", "A submit by GET and a question by POST are answered with 405", _MUST),
    Check("S30", "wrong-type", "A parameter of another type of JSON is refused with 400", _MUST),
    Check("S31", "missing", "A required parameter that is not there, null or empty is refused with 400", _MUST),
    Check("S32", "far-out", "A number far beyond its bounds is refused with 400", _MUST),
    Check(
        "S33",
        "just-out",
        "A number beyond its bounds, and a word that is none of those listed, is refused with 400",
        _MUST,
    ),
    Check(
        "S34", "bad-body", "A body that is no JSON object, or not one that can be read in one way, is refused", _SHOULD
    ),
    Check("S36", "consistency", "The same bad request gets the same answer", _INFO),
    Check("S40", "unknown-id", "A poll of an id that was never issued is an error", _MUST),
    Check("S42", "final-is-final", "A finished task reads the same, however often", _MUST),
    Check("S43", "other-key", "A task of one key cannot be read with another", _MUST),
    Check("S44", "no-shared-cache", "An answer that needs a key is not kept by shared caches", _SHOULD),
    Check(
        "S50",
        "submit-minimal",
        "A valid submit is taken: 200, the answer of its variant, queued, an id of its form",
        _MUST,
    ),
    Check("S51", "read-your-write", "The first poll knows the task", _SHOULD),
    Check("S52", "legal-lifecycle", "The phases are a legal path, in words that are known", _MUST),
    Check("S53", "liveness", "A task ends within the deadline", _MUST),
    Check("S54", "terminal-stable", "What a task ended as stays as it is", _MUST),
    Check("S55", "status-schema", "Each poll is answered as its phase is", _MUST),
    Check(
        "S56",
        "picture",
        "The result is at an absolute URL, can be fetched without the key, and is a picture of the size asked for",
        _MUST,
    ),
    Check("S57", "progress", "Progress is an integer from 0 to 100 that never falls", _SHOULD),
    Check("S58", "fast-polls", "Polls that come fast are served, or answered with 429 and Retry-After", _SHOULD),
    Check("S59", "parallel-reads", "Ten polls at once of a finished task agree", _SHOULD),
    Check("S60", "balance-delta", "The balance falls by the price, once; it is returned where the task fails", _SHOULD),
    Check("S61", "both-variants", "A task of each variant keeps S50 to S57", _MUST),
    Check("S62", "bounds", "The lowest and the highest values are taken, in pairs", _SHOULD),
    Check("S63", "distinct-ids", "Two submits make two tasks with two ids, even of the same request", _INFO),
    Check(
        "S70", "trace", "The record is one of this API, is read to its end, and the rest of it fits its schemas", _MUST
    ),
)

#: Id -> check, in the order of the ids.
CHECKS: Final[Mapping[str, Check]] = {check.id: check for check in _ROWS}
