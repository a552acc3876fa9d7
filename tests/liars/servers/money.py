"""Defects about credits."""

from http import HTTPStatus

from liars.servers.changes import data, endpoint, is_submit, with_data
from liars.servers.server import RICH, BadServer, defect
from safelight.mockserver.model.messages import Reply, Request


def _balance(server: BadServer, request: Request) -> tuple[Reply, float]:
    """The reply, and the credits spent where it tells the balance."""
    reply = server.ask(request)
    is_told = endpoint(request) == "user_balance" and data(reply)
    return reply, RICH - data(reply)["balance"] if is_told else 0.0


@defect("S60")
def the_balance_never_falls(server: BadServer, request: Request) -> Reply:
    """Tells the balance of the start for ever."""
    reply, spent = _balance(server, request)
    return with_data(reply, balance=float(RICH)) if spent else reply


@defect("S60")
def tasks_are_paid_twice(server: BadServer, request: Request) -> Reply:
    """Takes the price of a task twice."""
    reply, spent = _balance(server, request)
    return with_data(reply, balance=RICH - 2 * spent) if spent else reply


@defect("S60")
def tasks_cost_more(server: BadServer, request: Request) -> Reply:
    """Takes 11 credits for a task of 10."""
    reply, spent = _balance(server, request)
    return with_data(reply, balance=RICH - spent * 1.1) if spent else reply


@defect("S60")
def refused_submits_are_paid(server: BadServer, request: Request) -> Reply:
    """Takes 10 credits for each submit that it refuses."""
    reply, _ = _balance(server, request)
    if is_submit(request) and reply.status == HTTPStatus.BAD_REQUEST:
        server.count("refused")
    refused = 10.0 * server.counts["refused"]
    return with_data(reply, balance=data(reply)["balance"] - refused) if refused and "balance" in data(reply) else reply


@defect("S60", queued=0.03, running=0.03, fail=True)
def what_a_failed_task_cost_is_kept(server: BadServer, request: Request) -> Reply:
    """Returns nothing where a task fails."""
    reply, _ = _balance(server, request)
    returned = sum(entry.credits for entry in server.session().ledger if entry.credits > 0)
    return (
        with_data(reply, balance=data(reply)["balance"] - returned) if returned and "balance" in data(reply) else reply
    )


@defect("S60")
def the_balance_is_a_text(server: BadServer, request: Request) -> Reply:
    """Tells the balance as a text."""
    reply = server.ask(request)
    is_told = endpoint(request) == "user_balance" and data(reply)
    return with_data(reply, balance=f"{data(reply)['balance']:,.2f}") if is_told else reply
