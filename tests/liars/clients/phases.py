"""Mistakes about the course of a task."""

import time
from typing import Any

from liars.clients.client import Bad, Client, Ended
from liars.clients.liar import liar


@liar("2.1")
class WantsToSeeItRun(Client):
    """Takes done for an error when the task was never seen to run."""

    has_run = False

    def is_end(self, data: dict[str, Any]) -> bool:
        self.has_run = self.has_run or data.get("status") == "processing"
        if data.get("status") == "completed" and not self.has_run:
            raise Ended(1, "the task never ran")
        return super().is_end(data)


@liar("2.2")
class CountsPolls(Client):
    """Gives up after twenty polls."""

    polls = 0

    def poll(self) -> dict[str, Any]:
        self.polls += 1
        if self.polls > 20:
            raise Ended(3, f"no end of task {self.task_id} in twenty polls")
        return super().poll()


@liar("2.3")
class KnowsLegalMoves(Client):
    """Takes a task that is queued again for an error."""

    last = ""

    def is_end(self, data: dict[str, Any]) -> bool:
        before, self.last = self.last, str(data.get("status"))
        if (before, self.last) == ("processing", "pending"):
            raise Ended(1, "a task cannot go back")
        return super().is_end(data)


@liar("2.4")
class IgnoresFailures(Client):
    """Waits for done alone, whatever else comes."""

    def is_end(self, data: dict[str, Any]) -> bool:
        return data.get("status") != "failed" and super().is_end(data)


@liar("2.4")
class KeepsTheReason(Client):
    """Says that it failed, and not why."""

    def is_end(self, data: dict[str, Any]) -> bool:
        return super().is_end({**data, "error": None} if data.get("status") == "failed" else data)


@liar("2.5")
class ReadsTheReasonFirst(Client):
    """Takes the error for a text without looking."""

    def is_end(self, data: dict[str, Any]) -> bool:
        if data.get("status") == "failed":
            raise Ended(1, "failed: " + data["error"].strip())
        return super().is_end(data)


@liar("2.6", "2.7")
class TakesTheRestForDone(Client):
    """Takes each word that it does not know for done."""

    def is_end(self, data: dict[str, Any]) -> bool:
        return data.get("status") not in ("pending", "processing", "failed") or super().is_end(data)

    def result_url(self, data: dict[str, Any]) -> str:
        if not data.get("result"):
            raise Ended(0, "done")
        return super().result_url(data)


@liar("2.7", "2.8")
class HasNoDeadline(Client):
    """Waits for ever."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def is_end(self, data: dict[str, Any]) -> bool:
        return data.get("status") != "cancelled" and super().is_end(data)


@liar("2.8")
class ForgetsTheTask(Client):
    """Gives up without saying on what."""

    def give_up(self) -> None:
        raise Ended(3, "time is up")


@liar("2.9")
class AsksOnceMore(Client):
    """Polls once more to be sure."""

    def wait_for_end(self) -> dict[str, Any]:
        super().wait_for_end()
        return super().wait_for_end()


@liar("2.10", "2.11")
class SubmitsAgainWhenItIsUnknown(Client):
    """Takes an unknown task for a lost one, and submits again."""

    def poll(self) -> dict[str, Any]:
        try:
            return super().poll()
        except Bad as bad:
            if "404" in str(bad):
                self.task_id = self.submit()
            raise


@liar("2.11")
class WaitsForTheUnknown(Client):
    """Polls a task that is not there until the deadline."""

    def is_enough(self, bad: int, problem: Bad) -> bool:
        return bad > 100

    def longer(self, gap: float, _: Bad) -> float:
        return gap


@liar("2.12")
class TakesAnyAnswer(Client):
    """Does not look whose answer it is."""

    def is_end(self, data: dict[str, Any]) -> bool:
        return super().is_end({**data, "id": self.task_id})


@liar("2.13")
class DecidesByProgress(Client):
    """Takes 100 percent for done."""

    def is_end(self, data: dict[str, Any]) -> bool:
        return data.get("progress") == 100 or super().is_end(data)


@liar("2.13")
class CountsWithProgress(Client):
    """Shows the progress as a number, whatever it is."""

    def is_end(self, data: dict[str, Any]) -> bool:
        if data.get("status") == "processing":
            print(f"{data['progress'] / 100:.0%}")
        return super().is_end(data)


@liar("2.14")
class KnowsLowerCaseAlone(Client):
    """Waits for a word in lower case."""

    def is_end(self, data: dict[str, Any]) -> bool:
        word = str(data.get("status"))
        return word == word.lower() and super().is_end(data)


@liar("2.15")
class LooksForNumbersInTexts(Client):
    """Takes a reason with 429 in it for throttling, and submits again."""

    def is_end(self, data: dict[str, Any]) -> bool:
        if "429" in str(data.get("error")):
            time.sleep(self.interval)
            self.task_id = self.submit()
            return False
        return super().is_end(data)
