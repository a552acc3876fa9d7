"""The cases as a pytest class for clients in Python: one test a case, on virtual time, in this process.

class TestMyClient(ClientSuite):
def client(self, job):
return my_client.picture(job.url, job.api_key, job.parameters, poll=job.poll_seconds)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from safelight.conformance.clients.calling import USUAL, ClientCallable, Job, call, in_haste
from safelight.conformance.clients.case import Case, Trial, cases
from safelight.conformance.clients.evidence import Limits
from safelight.conformance.clients.fuzzing import Found, Search
from safelight.conformance.clients.runner import of_story, tried
from safelight.conformance.clients.story import Story
from safelight.conformance.results import Tried
from safelight.conformance.verdicts import MUSTS, Finding, Verdict
from safelight.testing.backends.shared_server import SharedServer
from safelight.testing.factory import open_server
from safelight.traffic.expectations import UnmetExpectation
from safelight.traffic.transcript import transcript

#: Ways to start a client that there are for processes alone.
_OF_PROCESSES = frozenset({"copies", "interrupt"})


def _trials() -> Iterator[object]:
    for case in cases().values():
        for trial in case.trials:
            if not trial.driver.keys() & _OF_PROCESSES:
                yield pytest.param(case, trial, id=f"{case.id} {trial.name}".strip())


class ClientSuite:
    """Derive from it, and give it `client`: each case is a test, which fails where a MUST is broken.

    The cases about processes are left out: 6.3 and 6.4, for which `safelight check client` is there.
    """

    #: What the client is given to keep, in seconds of virtual time; for one request, in the wall's.
    limits: ClassVar[Limits] = USUAL
    #: A SHOULD that is broken fails a test too.
    strict: ClassVar[bool] = False

    def client(self, job: Job) -> bytes | Path | str | None:
        """One picture: save it in `job.out_dir`, or return its bytes, or raise what says why there is none."""
        raise NotImplementedError("write the method `client(self, job)`: it asks the API at job.url for one picture")

    @pytest.fixture(scope="class")
    @classmethod
    def safelight_server(cls) -> Iterator[SharedServer]:
        """The server of all the cases."""
        with open_server() as server:
            yield server

    @pytest.mark.parametrize(("case", "trial"), list(_trials()))
    def test_case(self, case: Case, trial: Trial, safelight_server: SharedServer) -> None:
        """The client survives the case."""
        __tracebackhide__ = True
        evidence = call(safelight_server, self.client, trial, self.limits)
        result = tried(case, trial, evidence)
        broken = [one for one in result.findings if self.strict or one.severity in MUSTS]
        if result.verdict is Verdict.INCONCLUSIVE:
            raise UnmetExpectation(f"case {case.id} says nothing: {result.remark}")
        if broken and result.verdict is not Verdict.INFO:
            raise UnmetExpectation(_sentence(case, broken), transcript=transcript(evidence.exchanges))


def _sentence(case: Case, broken: list[Finding]) -> str:
    found = "\n".join(f"  {one.rule} ({one.severity}): {one.sentence}" for one in broken)
    return f"case {case.id}: {case.fact}\na good client {case.good}\n{found}"


def fuzz(
    client: ClientCallable,
    *,
    seconds: float = 10.0,
    examples: int = 100_000,
    seed: int = 0,
    limits: Limits = USUAL,
    strict: bool = False,
) -> Found:
    """Search for the smallest story that a client in Python does not survive, on virtual time.

    A client that blocks is answered in its own thread; one that is asynchronous, or has threads, on a socket, where a
    time-out takes real seconds.
    Raises `UnmetExpectation`, with the story, where one is found; else gives how many were tried.
    """
    __tracebackhide__ = True
    with open_server(plain_pictures=True) as server, in_haste(server) as place:

        def try_story(story: Story) -> Tried:
            return of_story(story, call(server, client, story.trial(), limits, place))

        found = Search(try_story, seconds, examples, seed, strict=strict).run()
    if found.story and found.result:
        sentences = "\n".join(f"  {one.rule}: {one.sentence}" for one in found.result.findings)
        raise UnmetExpectation(f"the client does not survive: {found.story}\n{sentences}")
    return found
