"""How the server in a record speaks: the dialects that are asked for, and what its schemas are by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from safelight.contracts import Operation, Violation, parse
from safelight.contracts.dialects import ERRORS
from safelight.contracts.operations import clamped
from safelight.contracts.reading import read
from safelight.contracts.validation import problems, violations
from safelight.traffic.exchange import Exchange, is_abridged

#: Violations that are looked for in one request.
MAX_VIOLATIONS = 20


@dataclass(frozen=True, slots=True)
class Speech:
    """The dialects of a server. Without a vocabulary, the words of each are known."""

    vocabulary: str | None = None
    errors: str = "object"
    limits: str = "reject"
    requests: str = "published"

    def answer(self, operation: Operation) -> str:
        """The schema of an operation's answers."""
        is_spoken = operation.name == "task_status" and self.vocabulary
        return f"{operation.response}.{self.vocabulary}" if is_spoken else operation.response

    def of_error(self, answer: bytes) -> list[Violation]:
        """What is wrong with an error's envelope."""
        return problems(ERRORS[self.errors], answer)

    def of_request(self, operation: Operation, exchange: Exchange, query: Mapping[str, str]) -> list[Violation]:
        """What is wrong with a request; nothing where its body was not recorded."""
        if operation.method == "GET":
            return violations(operation.request, query, max_violations=MAX_VIOLATIONS)
        if not exchange.body or is_abridged(exchange):
            return []
        parsed = parse(exchange.body, max_violations=MAX_VIOLATIONS)
        if parsed.violations:
            return parsed.violations
        reading = read(operation.name, parsed.document, self.requests)
        document = clamped(reading.operation, reading.document)[0] if self.limits == "clamp" else reading.document
        found, _ = reading._replace(document=document).findings(max_findings=MAX_VIOLATIONS)
        return found
