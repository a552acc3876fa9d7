"""A run with faults that is long for its bounds: what is kept stays within them, and no longer grows.

`python benchmarks/soak.py` is the same for an hour, on a socket, and looks at the memory of the process.
"""

import json
from random import Random
from typing import Final

from fake import RICH, SUBMIT, Fake, status_of
from safelight.mockserver.model.ledger import Ledger
from safelight.mockserver.model.messages import Reply, Request
from safelight.mockserver.model.session_state import Bounds
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.storage.codec import encoded

BOUNDS: Final = Bounds(max_finished_tasks=200, max_task_bytes=100_000)
FAULTS: Final = ("poll 5%: http 502", "poll 3%: reset", "poll 3%: stall", "submit 3%: close after", "image 30%: cut")

#: Requests after which journal, ledger and store have been full for long, and as many again.
REQUESTS: Final = 1_500


def test_in_a_long_run_with_faults_nothing_goes_on_growing() -> None:
    settings = Settings(task_profile(queued="0..1", running="0..3", fail_rate=0.1), plan=FAULTS, balance=RICH)
    fake, random = Fake(settings, bounds=BOUNDS), Random(0)
    fake.session.data.ledger = Ledger(max_entries=300)
    taken = []
    for _ in range(2):
        _run(fake, random)
        taken.append(len(encoded(fake.session.data)))
        assert len(fake.journal) == 1_000
        assert sum(exchange.size for exchange in fake.journal) <= 16_000_000
        assert fake.session.data.task_bytes <= 1.5 * BOUNDS.max_task_bytes
        kept = {task.id for task in fake.tasks}
        assert len(kept) <= 1.5 * BOUNDS.max_finished_tasks
        assert fake.session.data.counts.keys() | fake.session.data.plan.numbers.keys() <= {*kept, ""}
    assert taken[1] < 1.2 * taken[0], "the same, whatever prompts are kept just now"


def _run(fake: Fake, random: Random) -> None:
    tasks = [fake.submit()]
    for _ in range(REQUESTS):
        fake.clock.advance(0.1)
        if random.randrange(2):
            body = json.dumps({"prompt": "a lamp " * random.randrange(100)}).encode() if random.randrange(50) else b"{"
            answer = _sent(fake, "POST", SUBMIT, body)
            if answer.status == 200 and not answer.wire:
                tasks.append(json.loads(answer.body)["data"]["id"])
        else:
            _sent(fake, "GET", status_of(random.choice(tasks[-100:])))


def _sent(fake: Fake, method: str, target: str, body: bytes = b"") -> Reply:
    path, _, query = target.partition("?")
    reply = fake.api.handle(Request(method, path, query, {"x-api-key": fake.key}, body))
    reply.deliver()
    reply.end(0)
    return reply
