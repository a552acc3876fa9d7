"""The plan of a session: what goes wrong and when, and whether it has."""

from collections.abc import Iterable, Mapping
from typing import Any

from safelight.contracts.wording import shown
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.faults.rules import FaultRule, WrongRule, read_rule
from safelight.mockserver.sessions.session import Session


@route("GET", "/plan")
def get_plan(asked: ControlCall) -> Mapping[str, Any]:
    """Say of each rule how often it struck and was delivered, and of the undelivered why they were not."""
    return _form(asked.session)


@route("PUT", "/plan", body="plan")
def put_plan(asked: ControlCall) -> Mapping[str, Any]:
    """Plan this and nothing else. Where one rule is wrong, all stays as it was."""
    rules = read_rules(asked.body["rules"], "rules")
    asked.session.plan.clear()
    asked.session.plan.add(*rules)
    return _form(asked.session)


@route("POST", "/plan", body="plan")
def add_plan(asked: ControlCall) -> Mapping[str, Any]:
    """Plan this too, below what is planned. A rule counts the requests that come from now on."""
    asked.session.plan.add(*read_rules(asked.body["rules"], "rules"))
    return _form(asked.session)


def read_rules(texts: Iterable[str], name: str) -> tuple[FaultRule, ...]:
    """The rules in the member `name`. Raises `ValueError` with the place of a mistake, in the list and in its text."""
    rules = []
    for number, text in enumerate(texts):
        try:
            rules.append(read_rule(text))
        except WrongRule as wrong:
            where = f"{name}.{number}, column {wrong.at + 1} of {shown(text)}"
            raise ValueError(f"{where}: {wrong.reason}") from None
    return tuple(rules)


def _form(session: Session) -> Mapping[str, Any]:
    plan = session.plan
    rules = [{"rule": str(rule), "struck": struck, "delivered": done} for rule, struck, done in plan.counts()]
    missed = [{"rule": one.rule, "reason": one.reason, "was_due": one.was_due} for one in plan.undelivered()]
    return {"rules": rules, "undelivered": missed}
