"""Requests as a dialect has them: parameters in `settings`, a prompt within a prompt, workflows of any name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from safelight.contracts.dialects import REQUESTS
from safelight.strategies.texts import texts
from safelight.strategies.weights import seldom

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

#: Workflows that no page of the service names.
_WORKFLOWS: Final = st.one_of(st.sampled_from(["flux", "sdxl-turbo", "Default"]), texts())

_IS_UNKNOWN: Final = seldom(4)
_IS_MOVED: Final = st.booleans()
_PLACES: Final = st.sampled_from(["its own", "nested", "settings", "both"])


def in_dialect(requests: SearchStrategy[dict[str, Any]], dialect: str, *, any_workflow: bool) -> SearchStrategy[Any]:
    """The requests in a dialect; `any_workflow` where they have workflows, and none was asked for."""
    found = REQUESTS[dialect]
    if found.spared and any_workflow:
        requests = _with_any_workflow(requests)
    return _nested(requests) if found.is_nested else requests


@st.composite
def _with_any_workflow(draw: DrawFn, requests: SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    document = draw(requests)
    return {**document, "workflow": draw(_WORKFLOWS)} if draw(_IS_UNKNOWN) else document


@st.composite
def _nested(draw: DrawFn, requests: SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    document = draw(requests)
    prompt, place = document.pop("prompt"), draw(_PLACES)
    document, _ = draw(moved(document))
    if place in ("settings", "both"):
        document.setdefault("settings", {})["prompt"] = prompt
    if place != "settings":
        document["prompt"] = prompt if place == "its own" else {"prompt": prompt}
    return document


@st.composite
def moved(draw: DrawFn, document: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The document with some of its members in `settings`, and their names."""
    names = {name for name in document if draw(_IS_MOVED)}
    rest = {name: value for name, value in document.items() if name not in names}
    nested = {name: value for name, value in document.items() if name in names}
    return ({**rest, "settings": nested} if nested else rest), names
