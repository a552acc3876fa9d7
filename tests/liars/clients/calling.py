"""A client of this folder as a function, as `fuzz` and `ClientSuite` take it."""

from typing import Any, cast

from liars.clients.client import Client, Ended
from safelight.conformance.clients.calling import ClientCallable, Job

GAVE_UP = 3


def called(made: type[Client]) -> ClientCallable:
    """The client, which raises where there is no picture."""

    def client(job: Job) -> None:
        try:
            made(cast("Any", job)).run()  # the fields of both jobs are the same
        except Ended as ended:
            if ended.code == GAVE_UP:
                raise TimeoutError(str(ended)) from None
            if ended.code:
                raise

    return client
