"""Mistakes about submits."""

import time
from typing import Any

from liars.clients.client import Answer, Bad, Client, Ended
from liars.clients.liar import liar


class _TriesAgain(Client):
    """Sends a refused submit again."""

    status = 0

    def check_status(self, answer: Answer) -> None:
        if answer.status == self.status:
            raise Bad(f"HTTP {answer.status}")
        super().check_status(answer)

    def is_sent_again(self, bad: Bad) -> bool:
        return str(self.status) in str(bad)


@liar("4.1")
class TriesARejectedOneAgain(_TriesAgain):
    """Sends what was rejected again."""

    status = 400


@liar("4.2")
class TriesABadKeyAgain(_TriesAgain):
    """Sends a bad key again."""

    status = 401


@liar("4.3")
class TriesAnEmptyAccountAgain(_TriesAgain):
    """Sends again what cannot be paid."""

    status = 402


@liar("4.1")
class KeepsTheMessage(Client):
    """Says that it was refused, and not why."""

    def reason(self, _: Any) -> str:
        return "something went wrong"


@liar("4.4")
class DoesNotWaitAsAsked(Client):
    """Sends a throttled submit again at once."""

    submits_again_after = ("429",)

    def pause_before_submit(self, number: int, bad: Bad) -> None:
        time.sleep(self.interval)


@liar("4.5")
class ReadsRetryAfterAsANumber(Client):
    """Reads Retry-After as a number."""

    submits_again_after = ("429",)

    def wait_of(self, stated: str | None) -> float:
        return float(stated or 0)


@liar("4.6")
class TriesInABurst(Client):
    """Sends a submit that was refused for the moment again and again."""

    submits_again_after = ("503",)
    max_submits = 10

    def post(self) -> Answer:
        for _ in range(6):
            answer = super().post()
        return answer


@liar("4.7")
class SubmitsAgainAfterAReset(Client):
    """Takes a lost connection for a submit that was not accepted."""

    submits_again_after = ("no answer",)


@liar("4.8")
class SubmitsAgainAfterATimeOut(Client):
    """Takes a time-out for a submit that was not accepted."""

    submits_again_after = ("time-out",)


@liar("4.9")
class SubmitsAgainAfterAGateway(Client):
    """Takes a 502 for a submit that was not accepted."""

    submits_again_after = ("502",)


@liar("4.10")
class LooksAtTheStatusAlone(Client):
    """Takes 200 for success."""

    def data(self, answer: Answer) -> dict[str, Any]:
        self.check_status(answer)
        data: dict[str, Any] = self.envelope(answer)["data"]
        data.get("id")
        return data


@liar("4.11")
class PollsNull(Client):
    """Polls task_id=null for ever after a submit without an id."""

    def id_of(self, data: dict[str, Any]) -> Any:
        return "null" if data.get("id") is None else data["id"]

    def is_enough(self, bad: int, problem: Bad) -> bool:
        return bad > 1000


@liar("4.12")
class SubmitsAgainAfterGarbage(Client):
    """Takes an answer that it cannot read for a refusal."""

    submits_again_after = ("no JSON",)


@liar("4.13")
class ShowsObjects(Client):
    """Reports an unreadable reason."""

    def reason(self, error: Any) -> str:
        return "[object Object]" if isinstance(error, dict) else super().reason(error)


@liar("4.13")
class ReadsTheMessageOfTheError(Client):
    """Reads `error.message`, whatever the error is."""

    def reason(self, error: Any) -> str:
        return str(error["error"]["message"])


@liar("4.14")
class WantsTwoHundred(Client):
    """Needs HTTP 200 where 201 came."""

    def check_status(self, answer: Answer) -> None:
        super().check_status(answer)
        if answer.status != 200:
            raise Ended(1, f"HTTP {answer.status}")
