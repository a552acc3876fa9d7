"""Say what is left: the balance at the start, less what was taken, plus what was returned."""

from __future__ import annotations

from safelight.mockserver.operations import Answer, Call, operation
from safelight.mockserver.session import fingerprint


@operation("GET")
def user_balance(call: Call) -> Answer:
    """Say how many credits the key has left."""
    session = call.session
    name = fingerprint(session.key)
    return Answer(
        {
            "user_id": int(name, 16) % 1_000_000,  # of no meaning, and the same for a key each time
            "username": f"user-{name[:6]}",
            "balance": float(session.credits),
            "currency": "credits",
        }
    )
