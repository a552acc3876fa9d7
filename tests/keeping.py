"""What any order of tasks does: submits, time, ticks and polls, against room for a few that have ended."""

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fake import Fake
from safelight.contracts import Axis
from safelight.mockserver.model.session_state import Bounds
from safelight.mockserver.model.task import Task
from safelight.mockserver.storage.indexed_tasks import IndexedTasks


def indexed(**options: Any) -> Fake:
    """A fake in memory, whose tasks are in the order in which a database has them."""
    fake = Fake(**options)
    fake.session.data.order = IndexedTasks.of(fake.session.data)
    return fake


def kept(fake: Fake) -> list[int]:
    """The numbers of the tasks that are kept."""
    return [task.number for task in fake.tasks]


class Keeping(RuleBasedStateMachine):
    """Submits, time, ticks and polls in any order, against a store with room for five finished tasks."""

    FINISHED: Final = 5
    BYTES: Final = 600

    def __init__(self) -> None:
        super().__init__()
        self.fake = self.made(Bounds(self.FINISHED, self.BYTES))
        self.gone: set[str] = set()
        self.submitted: list[str] = []
        self.most_alive = self.most_alive_bytes = 0

    def made(self, bounds: Bounds) -> Fake:
        """The fake."""
        return Fake(bounds=bounds)

    def living(self) -> list[Task]:
        """The tasks that are still to change."""
        return [task for task in self.fake.tasks if not self.fake.session.state(task).is_final]

    def finished(self) -> list[Task]:
        """The others, the one first that is to go first."""
        living = self.living()
        return [task for task in self.fake.tasks if task not in living]

    def most(self, alive: int, bound: int) -> float:
        """How many, or how many bytes of them, may be kept."""
        return max(bound, 1.5 * (alive + 0.9 * bound))

    @rule(
        queued=st.sampled_from([0, 0, 0, 1, 3]),
        running=st.sampled_from([0, 0, 0, 2, "never"]),
        fail=st.booleans(),
        axis=st.sampled_from(Axis),
        prompt=st.sampled_from(["a", "b" * 100, "c" * 1_000]),
    )
    def submit(self, queued: float, running: float | str, *, fail: bool, axis: Axis, prompt: str) -> None:
        before, finished = self.fake.tasks, self.finished()
        self.fake.next(queued=queued, running=running, fail=fail, axis=axis)
        self.submitted.append(self.fake.submit(prompt=prompt))
        gone = {task.id for task in before if task not in self.fake.tasks}
        assert gone == {task.id for task in finished[: len(gone)]}, "those that are to go first"
        self.gone |= gone
        if (queued, running) == (0, 0):
            self.gone.add(self.submitted[-1])  # done at once, and perhaps larger than all the room there is
        self.most_alive = max(self.most_alive, len(self.living()))
        self.most_alive_bytes = max(self.most_alive_bytes, sum(task.size for task in self.living()))

    @rule(seconds=st.integers(0, 4))
    def wait(self, seconds: int) -> None:
        self.fake.clock.advance(seconds)

    @precondition(lambda self: self.fake.tasks)
    @rule(data=st.data())
    def poll_and_release(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from(self.fake.tasks))
        self.fake.poll(task.id)
        self.fake.session.release(task.id)
        self.finished()

    @invariant()
    def a_living_task_answers(self) -> None:
        assert all(self.fake.session.find(task_id) or task_id in self.gone for task_id in self.submitted)

    @invariant()
    def what_is_kept_is_bounded(self) -> None:
        tasks = self.fake.tasks
        assert len(tasks) <= self.most(self.most_alive, self.FINISHED)
        assert sum(task.size for task in tasks) <= self.most(self.most_alive_bytes, self.BYTES)

    @invariant()
    def the_ledger_counts_every_submit(self) -> None:
        entries = list(self.fake.ledger)
        assert self.fake.ledger.total == sum(entry.credits for entry in entries)
        returned = [entry.task_id for entry in entries if entry.reason == "refund"]
        assert len(returned) == len(set(returned))
