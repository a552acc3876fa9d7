"""Stage: what the operation was sent, what is wrong with it, and what in it has no effect."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts import Advice, Provenance, advice, parse
from safelight.contracts.operations import clamped
from safelight.contracts.reading import Reading, read
from safelight.contracts.validation import violations
from safelight.contracts.wording import shown
from safelight.mockserver.model.messages import Request, parameters
from safelight.mockserver.service.hints import advice_on_encoding, advice_on_way, explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safelight.contracts import Violation
    from safelight.mockserver.model.settings import Settings
    from safelight.mockserver.operations import Call
    from safelight.mockserver.service.service import Service

#: Violations, and pieces of advice, that are looked for in one request: a hostile one has any number.
MAX_FINDINGS: Final = 20


def validate(_: Service, call: Call) -> None:
    """Read the parameters, and hold them against the schema of the operation's request."""
    endpoint, home = call.endpoint, call.home
    if endpoint.method == "GET":
        call.document = parameters(home.query)
        call.violations = violations(endpoint.schema, call.document, max_violations=MAX_FINDINGS)
        call.advice = partial(_advice_on_query, call.way, home.query, "" if call.violations else endpoint.schema)
    else:
        assert call.settings is not None
        call.document, call.violations, call.is_as_sent = _body(home, endpoint.name, call.settings)
        call.advice = partial(_advice_on_body, call.way, home, endpoint.name, call.settings)
    if call.violations:
        call.violations = explained(call.violations, home)


def _body(request: Request, operation: str, settings: Settings) -> tuple[Any, Sequence[Violation], bool]:
    """The document, its violations, and whether it is what the body says: nothing was moved or brought down."""
    assert request.body is not None
    parsed = parse(request.body, max_violations=MAX_FINDINGS)
    if parsed.violations:
        return {}, parsed.violations, False
    reading, _ = _reading(operation, parsed.document, settings)
    is_as_sent = reading.document is parsed.document
    return reading.document, reading.broken(max_findings=MAX_FINDINGS), is_as_sent


def _reading(operation: str, document: Any, settings: Settings) -> tuple[Reading, list[str]]:
    """The parameters as the session reads them, and the names of those that it brings down to their maximum."""
    reading = read(operation, document, settings.requests)
    if settings.limits != "clamp":
        return reading, []
    document, lowered = clamped(reading.operation, reading.document)
    return reading._replace(document=document), lowered


def _advice_on_query(way: str, query: str, schema: str) -> list[Advice]:
    """What is broken is not advised on too: it has no schema here."""
    found = advice(parameters(query), schema, max_advice=MAX_FINDINGS) if schema else ()
    return [*advice_on_way(way), *found]


def _advice_on_body(way: str, request: Request, operation: str, settings: Settings) -> list[Advice]:
    """The body is read again: only who looks at the journal wants this, and what was read takes more memory."""
    parsed = parse(request.body or b"", max_violations=MAX_FINDINGS)
    found = [*advice_on_way(way), *_content_type(request)]
    if parsed.violations:
        return found
    reading, lowered = _reading(operation, parsed.document, settings)
    clamping = [
        reading.placed(
            Advice(f"/{name}", f"{name} was over its maximum, and is brought down to it", Provenance.ASSUMED)
        )
        for name in lowered
    ]
    remarks = reading.findings(max_findings=MAX_FINDINGS)[1]
    return [*found, *advice_on_encoding(request), *clamping, *remarks]


def sentence(found: Sequence[Violation]) -> str:
    """What a request is refused with that breaks these rules."""
    first, *others = found
    more = ", ".join(dict.fromkeys(violation.rule for violation in others if violation.message != first.message))
    return f"Invalid request: {first.message}" + (f" (and also broken: {more})" if more else "")


def _content_type(request: Request) -> list[Advice]:
    """The service reads the body as JSON whatever it is called; other servers might not."""
    stated = request.headers.get("content-type", "")
    if stated.partition(";")[0].strip().casefold() == "application/json":
        return []
    return [Advice("", f"the content type is {shown(stated)}; the service documents application/json", Provenance.SEED)]
