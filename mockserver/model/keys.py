"""API keys: the one that the fake accepts by default, and the ways in which a request can bring one."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from safelight.contracts import parse
from safelight.contracts.reading import ACTION_ENTRY, TOKEN
from safelight.mockserver.model.messages import parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safelight.mockserver.model.messages import Request

#: In the published form, `sk-` and 48 hexadecimal digits, and plainly nobody's.
FAKE_KEY: Final = "sk-" + 12 * "5afe"

#: A key as people and clients write them. Anything else opens no session, however welcome.
FORM: Final = re.compile(r"[!-~]{1,200}")

#: The member of a query and of a JSON body that may hold the key.
_MEMBER: Final = "api_key"

#: The scheme may be written in any case.
_BEARER: Final = re.compile(r"bearer +(.*)", re.IGNORECASE)


def _in_header(request: Request) -> str:
    return request.headers.get("x-api-key", "").strip(" \t")


def _as_bearer(request: Request) -> str:
    found = _BEARER.fullmatch(request.headers.get("authorization", "").strip(" \t"))
    return found[1] if found else ""


def _in_query(request: Request) -> str:
    return parameters(request.query).get(_MEMBER, "")


def _in_body(request: Request, member: str = _MEMBER) -> str:
    if not request.body or member.encode() not in request.body:
        return ""
    document = parse(request.body, max_violations=1).document
    key = document.get(member) if isinstance(document, dict) else None
    return key if isinstance(key, str) else ""


def _as_token(request: Request) -> str:
    return _in_body(request, TOKEN) if request.path.endswith(ACTION_ENTRY) else ""


#: The published ways, the first that is there counts, whether its key is known or not.
WAYS: Final[Mapping[str, Callable[[Request], str]]] = {
    "in the header x-api-key": _in_header,
    "as Authorization: Bearer": _as_bearer,
    "as api_key in the query": _in_query,
    "as api_key in the body": _in_body,
}

#: The way of the Linux DO edition's own entry.
TOKEN_WAY: Final = "as token in the body"  # noqa: S105 - the name of a way


def sent_key(request: Request) -> tuple[str, str]:
    """The key that a request brings, and in which way; both empty where it brings none."""
    for way, read in WAYS.items():
        if key := read(request):
            return key, way
    token = _as_token(request)
    return token, TOKEN_WAY if token else ""


@lru_cache(4_096)
def digest(key: str) -> str:
    """What a key is looked up by: its SHA-256, in hexadecimal digits."""
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


#: What a fingerprint looks like.
FINGERPRINT: Final = re.compile("[0-9a-f]{16}")


@lru_cache(4_096)
def fingerprint(key: str) -> str:
    """What stands for a key wherever people and URLs see it: the first 16 digits of its digest."""
    return digest(key)[:16]
