"""The plan of a session: what goes wrong and when, and whether it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.control.rules import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.sessions.session import Session


@route("GET", "/plan")
def get_plan(asked: ControlCall) -> Mapping[str, Any]:
    """Say of each rule how often it struck and was delivered, and of the undelivered why they were not."""
    return _form(asked.session)


@route("PUT", "/plan", body="plan")
def put_plan(asked: ControlCall) -> Mapping[str, Any]:
    """Plan this and nothing else. Where one rule is wrong, all stays as it was."""
    session, rules = asked.session, read(asked.body["rules"], "rules")
    session.plan.clear()
    session.plan.add(*rules)
    return _form(session)


@route("POST", "/plan", body="plan")
def add_plan(asked: ControlCall) -> Mapping[str, Any]:
    """Plan this too, below what is planned. A rule counts the requests that come from now on."""
    session, rules = asked.session, read(asked.body["rules"], "rules")
    session.plan.add(*rules)
    return _form(session)


def _form(session: Session) -> Mapping[str, Any]:
    plan = session.plan
    rules = [{"rule": str(rule), "struck": struck, "delivered": done} for rule, struck, done in plan.counts()]
    missed = [{"rule": one.rule, "reason": one.reason, "was_due": one.was_due} for one in plan.undelivered()]
    return {"rules": rules, "undelivered": missed}
