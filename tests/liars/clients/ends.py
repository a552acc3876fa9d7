"""Mistakes about pace, several clients at once, and the end."""

import os
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from liars.clients.client import Bad, Client
from liars.clients.liar import liar


@liar("6.1")
class PollsWithoutAWait(Client):
    """Polls again as soon as there is an answer."""

    def sleep(self, _: float) -> None:
        super().sleep(0.001)


@liar("6.2")
class PollsByATimer(Client):
    """Polls at each tick of a timer, whether or not the last answer is there."""

    def wait_for_end(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def tick() -> None:
            try:
                data = self.poll()
                if self.is_end(data):
                    found.append(data)
            except Bad:
                pass

        while not found:
            threading.Thread(target=tick, daemon=True).start()
            self.sleep(self.interval)
        return found[0]


@liar("6.3")
class KeepsTheTaskInAGlobalPlace(Client):
    """Keeps the last task where every process finds it."""

    def wait_for_end(self) -> dict[str, Any]:
        place = Path(tempfile.gettempdir(), f"task-of-{self.key[-8:]}")
        place.write_text(self.task_id, "utf-8")
        time.sleep(self.interval * 2)
        self.task_id = place.read_text("utf-8")
        return super().wait_for_end()


@liar("6.4")
class IgnoresInterrupts(Client):
    """Goes on when it is interrupted."""

    def run(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        super().run()


@liar("6.4")
class EndsWithoutAWord(Client):
    """Forgets what it paid for when it is interrupted."""

    def run(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
        super().run()


@liar("6.5")
class SubmitsAnyway(Client):
    """Submits where it was told to resume."""

    def run(self) -> None:
        self.task_id = None
        super().run()
