"""The recording that `serve` replays: its tasks, refusals and credits as settings of the fake."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safelight.cli._recordings import name_of, read
from safelight.cli._unusable import Unusable
from safelight.conformance.recordings.lives import Lives
from safelight.contracts.wording import counted, printable
from safelight.mockserver.model.credits import credits_of, is_credits

if TYPE_CHECKING:
    from safelight.cli._settings import CommandOptions


def replaying(options: CommandOptions, file: str) -> tuple[CommandOptions, str]:
    """The options with what a recording says beside them, and what that is in a sentence; or `Unusable`."""
    lives = Lives()
    read(file, lives.all)
    tasks, faults = lives.tasks(), lives.faults()
    if not (tasks or faults):
        raise Unusable(f"{printable(name_of(file))} {_nothing(lives)}")
    settings = replace(options.settings, recorded=tasks, plan=(*options.settings.plan, *faults))
    balance = round(lives.balance or 0, 3)
    if lives.balance is not None and is_credits(balance) and "balance" not in options.values:
        settings = replace(settings, balance=credits_of(balance))
    return replace(options, settings=settings), _told(file, lives, len(tasks), len(faults))


def _nothing(lives: Lives) -> str:
    """Why there is nothing to replay."""
    if lives.broken:
        return f"holds no task to replay as far as it can be read: {lives.broken}"
    if lives.is_unpolled:
        return (
            "holds a submit, and no poll of its task: it is cut, or nobody polled; record again, until that has ended"
        )
    return "holds no task to replay: it needs a submit of this API, and the polls of its task"


def _told(file: str, lives: Lives, tasks: int, faults: int) -> str:
    endless = sum(not life.has_ended for life in lives.lives())
    notes = [
        f"{counted(faults, 'refused submit')}" if faults else "",
        f"of {counted(endless, 'task')} the end was not recorded" if endless else "",
        f"it cannot be read any further: {lives.broken}" if lives.broken else "",
        f"{counted(lives.left_out, 'task')} more are too many" if lives.left_out else "",
    ]
    return "; ".join([f"It replays {counted(tasks, 'task')} of {printable(name_of(file))}", *filter(None, notes)])
