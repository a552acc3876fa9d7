"""Hypothesis strategies for both sides of the wire: requests, broken ones, answers, timelines and fault plans.

Limits are read from the contract's schemas, and drawn far more often than chance would have it.
"""

from safelight.strategies.answers import responses, statuses
from safelight.strategies.broken import BrokenRequest, UnknownRule, UnreachableRule, broken_requests, reachable_rules
from safelight.strategies.graphs import comfyui_workflows
from safelight.strategies.plans import fault_plans
from safelight.strategies.requests import prompts, requests
from safelight.strategies.timelines import timelines

__all__ = [
    "BrokenRequest",
    "UnknownRule",
    "UnreachableRule",
    "broken_requests",
    "comfyui_workflows",
    "fault_plans",
    "prompts",
    "reachable_rules",
    "requests",
    "responses",
    "statuses",
    "timelines",
]
