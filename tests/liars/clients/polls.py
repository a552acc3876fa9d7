"""Mistakes about polls that go wrong."""

import json
from typing import Any

from liars.clients.client import Answer, Bad, Client, Ended
from liars.clients.liar import liar


@liar("5.1", "5.2", "5.3", "5.4", "5.5", "5.8", "5.9", "5.10")
class TakesTheFirstBadPollForTheEnd(Client):
    """Takes the first bad poll for the end."""

    def is_enough(self, *_: Any) -> bool:
        return True


@liar("5.2")
class TakesThreeBadPollsForTheEnd(Client):
    """Takes three bad polls for the end."""

    def is_enough(self, bad: int, problem: Bad) -> bool:
        return bad >= 3


@liar("5.2")
class KeepsItsGap(Client):
    """Polls a service that restarts as fast as any other."""

    def longer(self, *_: Any) -> float:
        return self.interval


@liar("5.3")
class DiesWithItsConnection(Client):
    """Does not catch what becomes of a connection."""

    def is_enough(self, bad: int, problem: Bad) -> bool:
        if "no answer" in str(problem):
            raise ConnectionResetError(str(problem))
        return False


@liar("4.8", "5.4")
class WaitsWithoutATimeOut(Client):
    """Waits without any time-out."""

    has_timeout = False


@liar("5.5")
class ParsesWithoutLooking(Client):
    """Lets the parser's exception out."""

    def envelope(self, answer: Answer, *, quiet: bool = False) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(answer.body)
        return found


@liar("5.6")
class PollsForEver(Client):
    """Takes polls that fail for good for a task under way."""

    def is_enough(self, *_: Any) -> bool:
        return False

    def longer(self, gap: float, _: Bad) -> float:
        return gap


@liar("5.6")
class TakesBadPollsForAFailedTask(Client):
    """Says that the task has failed when nobody knows, and forgets its id."""

    def wait_for_end(self) -> dict[str, Any]:
        try:
            return super().wait_for_end()
        except Ended as ended:
            raise Ended(ended.code, str(ended).replace(str(self.task_id), "?")) from None


@liar("5.7")
class TakesA401ForPending(Client):
    """Takes a 401 in the middle for a task under way."""

    def check_status(self, answer: Answer) -> None:
        if answer.status == 401:
            raise Bad("HTTP 401")
        super().check_status(answer)


@liar("5.8")
class IgnoresRetryAfter(Client):
    """Polls on as if it had not been throttled."""

    def wait_of(self, _: str | None) -> float:
        return 0


@liar("5.9")
class DiesOfACutAnswer(Client):
    """Takes an answer that was cut for a failed task."""

    def is_enough(self, bad: int, problem: Bad) -> bool:
        if "no answer" in str(problem) or "cut" in str(problem):
            raise Ended(1, "the task has failed")
        return False


@liar("5.10")
class ReadsTheStatusOfNull(Client):
    """Reads `data.status` of an envelope whose data is null."""

    def data(self, answer: Answer) -> dict[str, Any]:
        data: dict[str, Any] = self.envelope(answer)["data"]
        data["status"]
        return data
