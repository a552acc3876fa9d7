"""A request of a check, as a value: what is sent, what it may cost, and which answer is right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from safelight.contracts.operations import operations
from safelight.contracts.wording import either

#: What stands in a probe for a key; the gate puts the key there, and a shell does where it is pasted.
KEY: Final = "$SAFELIGHT_API_KEY"
OTHER_KEY: Final = "$SAFELIGHT_OTHER_API_KEY"

#: The headers of a request with the key.
WITH_KEY: Final[Mapping[str, str]] = {"x-api-key": KEY}


class Pocket(StrEnum):
    """What pays for a request if the server takes it."""

    #: It only reads.
    NONE = "free"
    #: A good server refuses it.
    SURPRISE = "surprise"
    #: A submit that is meant.
    PAID = "paid"


class Risk(IntEnum):
    """How likely a server is to take what it should refuse: the least goes first."""

    NO_KEY = 0
    BAD_KEY = 1
    WRONG_METHOD = 2
    MISSING = 3
    WRONG_TYPE = 4
    FAR_OUT = 5
    JUST_OUT = 6
    BAD_BODY = 7


@dataclass(frozen=True, slots=True)
class Wanted:
    """The statuses of a right answer; S13 asks for its form."""

    statuses: tuple[int, ...]

    def __str__(self) -> str:
        return either(self.statuses)


@dataclass(frozen=True, slots=True)
class Probe:
    """One request."""

    #: What is special about it, in words: `width set to 2049`.
    what: str
    method: str = "GET"
    #: As it stands behind the question mark.
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: WITH_KEY)
    body: bytes = b""
    #: Credits that it costs if it is taken.
    price: float = 0
    #: It is a submit that is to be taken, and paid for.
    is_meant: bool = False
    #: The right answer, where there is one.
    wanted: Wanted | None = None
    risk: Risk = Risk.NO_KEY
    #: The id of the rule that it breaks, where it is one of a schema, and where in the document.
    rule: str = ""
    pointer: str = ""
    #: The one before it was the same, or is: their answers are compared.
    is_compared: bool = False

    @property
    def names_a_submit(self) -> bool:
        """A task may come of it."""
        return any(_is_submit(value) for _, value in parse_qsl(self.query))

    @property
    def pocket(self) -> Pocket:
        """What pays for it. No check has to say that: whatever is no mere question draws on the surprises."""
        if self.is_meant:
            return Pocket.PAID
        return Pocket.SURPRISE if self.method != "GET" or self.names_a_submit else Pocket.NONE


def _is_submit(name: str) -> bool:
    return name in operations() and operations()[name].is_submit


def query(operation: str, **parameters: Any) -> str:
    """The query of an operation."""
    return urlencode({"endpoint": operation, **parameters}, quote_via=quote, errors="surrogatepass")


def submit(what: str, operation: str, document: Any, **more: Any) -> Probe:
    """A submit of a document; bytes are sent as they are."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = {**WITH_KEY, "content-type": "application/json"}
    price = operations()[operation].price
    return Probe(what, "POST", **{"query": query(operation), "headers": headers, "body": body, "price": price, **more})


def poll(task_id: str, what: str = "poll", **more: Any) -> Probe:
    """A poll of a task."""
    return Probe(what, **{"query": query("task_status", task_id=task_id), **more})


def balance(what: str = "balance") -> Probe:
    """What the account has."""
    return Probe(what, query=query("user_balance"))
