"""Say what is left: the balance at the start, less what was taken, plus what was returned."""

from __future__ import annotations

from safelight.mockserver.operations import Answer, Call, operation


@operation()
def user_balance(call: Call) -> Answer:
    """Say how many credits the key has left."""
    session = call.session
    user = session.user
    credits_left = float(session.credits)
    return Answer({"user_id": user.id, "username": user.name, "balance": credits_left, "currency": "credits"})
