"""The contract: schemas, golden examples, rules with their provenance, validation, advice, and the lifecycle of a task.

It is useful alone, in any test suite: `problems("image_generation.request", document)` lists the violations, and
`advice(document)` what is legal but has no effect. Where a function and its module share a name (`advice`, `rules`,
`examples`), the name here is the function.
"""

from safelight.contracts.advice import Advice, advice
from safelight.contracts.dialects import Dialect, dialects
from safelight.contracts.examples import Example, examples
from safelight.contracts.lifecycle import FINAL, MOVES, Axis, Phase, State, Step, Timeline
from safelight.contracts.openapi import openapi
from safelight.contracts.operations import Operation, defaults, operations
from safelight.contracts.parsing import Parsed, parse
from safelight.contracts.rules import Provenance, Rule, Violation, rule, rules
from safelight.contracts.schemas import VERSION, UnknownSchema, names, schema
from safelight.contracts.validation import problems
from safelight.contracts.vocabularies import Vocabulary, vocabularies
from safelight.contracts.workflows import Workflow, workflows

__all__ = [
    "FINAL",
    "MOVES",
    "VERSION",
    "Advice",
    "Axis",
    "Dialect",
    "Example",
    "Operation",
    "Parsed",
    "Phase",
    "Provenance",
    "Rule",
    "State",
    "Step",
    "Timeline",
    "UnknownSchema",
    "Violation",
    "Vocabulary",
    "Workflow",
    "advice",
    "defaults",
    "dialects",
    "examples",
    "names",
    "openapi",
    "operations",
    "parse",
    "problems",
    "rule",
    "rules",
    "schema",
    "vocabularies",
    "workflows",
]
