"""The requests that searches have found: kept from run to run, and tried first the next time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from typing import Any, Final

from safelight.conformance.memory import FOLDER, made
from safelight.conformance.servers.generated import Drawn
from safelight.contracts.rules import Rule
from safelight.strategies.broken import BrokenRequest

#: Where they are kept: server, operation and rule -> a request.
FILE: Final = FOLDER / "requests.json"


def kept(server: str, operation: str, rule: Rule) -> Iterator[Drawn]:
    """The request that was found on this server the last time, if one was."""
    form = _all().get(_name(server, operation, rule))
    if isinstance(form, dict) and form.keys() == {field.name for field in fields(BrokenRequest)}:
        yield Drawn(operation, rule, BrokenRequest(**form))


def keep(server: str, drawn: Drawn) -> None:
    """Keep a request that was found."""
    document = {**_all(), _name(server, drawn.operation, drawn.rule): asdict(drawn.request)}
    with suppress(OSError):  # a folder that cannot be written to has no memory
        made(FILE.parent)
        FILE.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def _name(server: str, operation: str, rule: Rule) -> str:
    return f"{server} {operation} {rule.id}"


def _all() -> Mapping[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(FILE.read_text("utf-8"))
        return found if isinstance(found, dict) else {}
    return {}
