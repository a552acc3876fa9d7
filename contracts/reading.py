"""How a server reads the parameters of a submit: as published, or as another dialect of requests has it.

The Linux DO edition of the service is known by two pages of its documentation and no more: parameters stand in
`settings`, a prompt may stand within a prompt, and `/api.php?action=generate` is one way in for all submits. What wins
where a parameter stands twice, and how its answers look, nobody says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from safelight.contracts.advice import Advice, advice
from safelight.contracts.dialects import REQUESTS
from safelight.contracts.locations import pointer
from safelight.contracts.operations import operations
from safelight.contracts.rules import Provenance
from safelight.contracts.schemas import known
from safelight.contracts.validation import violations
from safelight.contracts.wording import named

if TYPE_CHECKING:
    from safelight.contracts.rules import Violation

#: The entry of the Linux DO edition, and the member of a body that has the key there.
ACTION_ENTRY: Final = "/api.php"
TOKEN: Final = "token"  # noqa: S105 - the name of a member

#: The actions there whose answers are known: the submits, whatever they make, and the poll.
GENERATE: Final = "generate"
ACTIONS: Final = (GENERATE, "task_status")

_NESTED: Final = "settings"
_PROMPT: Final = "prompt"
_WORKFLOW: Final = "workflow"

Path = tuple[str, ...]

#: A violation, or a piece of advice.
Finding = TypeVar("Finding", "Violation", Advice)


class Reading(NamedTuple):
    """The parameters of a request as a dialect reads them. A tuple, because one is made for every submit."""

    operation: str
    document: Any
    dialect: str = "published"
    #: Parameter -> where it was sent, unless it was sent in its own place.
    moved: Mapping[str, Path] = MappingProxyType({})

    def findings(self, *, max_findings: int | None = None) -> tuple[list[Violation], list[Advice]]:
        """What breaks a rule that the dialect asks; and, where nothing does, advice on the rest."""
        broken, spared = self._judged(max_findings)
        if broken:
            return broken, []
        stated = operations()[self.operation].request
        remarks = map(self.placed, advice(self.document, stated, max_advice=max_findings))
        return [], [*map(self._taken, spared), *remarks]

    def broken(self, *, max_findings: int | None = None) -> list[Violation]:
        """The first of `findings` alone."""
        return self._judged(max_findings)[0]

    def _judged(self, max_findings: int | None) -> tuple[list[Violation], list[Violation]]:
        """What breaks a rule that the dialect asks, and what breaks one that it spares."""
        found = violations(operations()[self.operation].request, self.document, max_violations=max_findings)
        if not found:
            return [], []
        spared = REQUESTS[self.dialect].spared
        placed = list(map(self.placed, found))
        return [one for one in placed if one.rule not in spared], [one for one in placed if one.rule in spared]

    def _taken(self, violation: Violation) -> Advice:
        message = f"{violation.message}; the dialect {self.dialect} takes it"
        return Advice(violation.pointer, message, Provenance.ASSUMED)

    def placed(self, found: Finding) -> Finding:
        """A finding on the document, about the place where the parameter was sent."""
        for name, path in self.moved.items():
            there, subject = pointer([name]), named([name])
            if (found.pointer + "/").startswith(f"{there}/") and found.message.startswith(subject):
                message = named(path) + found.message.removeprefix(subject)
                return replace(found, pointer=pointer(path) + found.pointer.removeprefix(there), message=message)
        return found


def read(operation: str, document: Any, dialect: str = "published") -> Reading:
    """The parameters of a submit, as this dialect reads them from its body."""
    if not REQUESTS[dialect].is_nested or not isinstance(document, dict):
        return Reading(operation, document, dialect)
    found, moved = _unfolded(document)
    workflow = found.get(_WORKFLOW)
    if isinstance(workflow, str) and workflow in _implied(operation):
        del found[_WORKFLOW]
        found = {**_implied(operation)[workflow], **found}
    return Reading(operation, found, dialect, moved)


def operation_of(action: str, document: Any) -> str | None:
    """The operation that an action of the Linux DO edition means; `generate` goes by the workflow."""
    if action != GENERATE:
        return action if action in ACTIONS else None
    workflow = _unfolded(document)[0].get(_WORKFLOW) if isinstance(document, dict) else None
    own = [name for name in operations() if isinstance(workflow, str) and workflow in _implied(name)]
    return own[0] if own else _USUAL


#: The submit that is meant where the workflow names no other.
_USUAL: Final = "image_generation"


@cache
def _implied(operation: str) -> Mapping[str, Mapping[str, Any]]:
    """Workflow of the Linux DO edition that belongs to this operation -> the parameters that it stands for."""
    found: Mapping[str, Mapping[str, Any]] = known(operations()[operation].request).get("x-linux-do-workflows", {})
    return found


def _unfolded(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Path]]:
    """The parameters, those of `settings` among them, and where each was moved from. What stands beside it wins."""
    settings = document.get(_NESTED)
    nested = settings if isinstance(settings, Mapping) else {}
    read = {TOKEN, _NESTED} if settings is nested else {TOKEN}
    own = {name: value for name, value in document.items() if name not in read}
    moved: dict[str, Path] = {name: (_NESTED, name) for name in nested if name not in own}
    found = {**{name: nested[name] for name in moved}, **own}
    match found.get(_PROMPT):
        case {"prompt": inner} if isinstance(inner, str) or _is_no_node(inner):
            moved[_PROMPT] = (*moved.get(_PROMPT, (_PROMPT,)), _PROMPT)
            found[_PROMPT] = inner
    return found, moved


def _is_no_node(value: object) -> bool:
    """An object that is no node of a graph: then it may be a whole graph, or nothing that is known."""
    return isinstance(value, Mapping) and not isinstance(value.get("class_type"), str)
