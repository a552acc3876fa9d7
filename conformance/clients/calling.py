"""Clients in Python, called in this process instead of started, on virtual time."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from itertools import count
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any, Final

from safelight.conformance.clients.case import Trial
from safelight.conformance.clients.evidence import Ended, Evidence, Limits
from safelight.conformance.clients.sight import kind_of
from safelight.conformance.clients.trying import (
    MAX_LATE_SECONDS,
    files_in,
    out_in,
    pictures_of,
    request_of,
    stray_in,
    submitted,
    unread_in,
    url_of,
    within,
)
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.sessions.session import EnteredSession
from safelight.testing.backends.shared import SharedBackend
from safelight.testing.backends.shared_server import SharedServer
from safelight.testing.factory import shared_backend
from safelight.testing.virtual_time import kept_ready
from safelight.testing.virtual_time.connections import connected_in_memory

#: What a client that is called is given to keep, in seconds of virtual time; for one request, in the wall's.
USUAL: Final = Limits(poll=1.0, request=1.0, deadline=120.0)


@dataclass(frozen=True, slots=True)
class Job:
    """What a client is asked to do, as drivers are told it."""

    url: str
    api_key: str
    #: The whole request.
    parameters: Mapping[str, Any]
    poll_seconds: float
    request_timeout_seconds: float
    deadline_seconds: float
    #: Where pictures are saved.
    out_dir: Path
    #: The task to resume; None: submit one.
    task_id: str | None = None


#: For each interval until the deadline, sleeps that a client may take: more make a search wait.
_SLEEPS: Final = 5

#: A client: it saves the picture in `out_dir`, or returns its bytes, or raises what says why there is none.
ClientCallable = Callable[[Job], bytes | Path | str | None]

#: Exceptions that nobody raises to say that there is no picture.
_CRASHES: Final = (
    *(TypeError, AttributeError, LookupError, UnboundLocalError, AssertionError),
    *(RecursionError, UnicodeError, ArithmeticError, MemoryError),
)


#: The sessions of this process. Each has another seed, and so ids of its own.
_NUMBERS: Final = count()

#: Their keys, which come round again: all the ways to spell a new one, by which it is looked for, take milliseconds.
#: So many that what a client has left running has ended by then.
_KEYS: Final = [f"sk-{token_hex(24)}" for _ in range(64)]


def call(
    server: SharedServer, client: ClientCallable, trial: Trial, limits: Limits = USUAL, place: str | None = None
) -> Evidence:
    """Call the client in a session of its own; `place` is an empty folder, which is so afterwards."""
    number = next(_NUMBERS)
    key = _KEYS[number % len(_KEYS)]
    with _room(place) as root, shared_backend(server, key, _settings(trial, root), number) as backend:
        for task in trial.tasks:
            backend.next(**task)
        given = [submitted(server.api, key)] if trial.driver.get("resume") else []
        job = Job(
            url=url_of(trial, backend.url),
            api_key=key,
            parameters=request_of(trial),
            poll_seconds=limits.poll,
            request_timeout_seconds=limits.request,
            deadline_seconds=limits.deadline,
            out_dir=out_in(root),
            task_id=given[0] if given else None,
        )
        backend.stop_after(limits.deadline + MAX_LATE_SECONDS, round(_SLEEPS * limits.deadline / limits.poll))
        ended = _called(client, job, backend)
        files = files_in(job.out_dir)
        unread = unread_in(job.out_dir, files)
        stray = stray_in(root, [job.out_dir])
        more: dict[str, Any] = {"stray": stray, "unread": unread, "given": frozenset(given)}
        return _evidence(backend, trial, limits, url=job.url, ended=ended, files=files, **more)


@contextmanager
def in_haste(server: SharedServer) -> Iterator[str]:
    """While the block runs, calls cost little: nothing is made anew for each. Gives the `place` for them."""
    with kept_ready(), connected_in_memory(server), TemporaryDirectory() as place:
        yield place


@contextmanager
def _room(place: str | None) -> Iterator[str]:
    """A folder to work in: a new one, or the given one, of which those folders stay that each client is given."""
    if place is None:
        with TemporaryDirectory() as root:
            yield root
        return
    yield place
    out = out_in(place)
    for left in [*out.iterdir()] if not stray_in(place, [out]) else [*Path(place).iterdir()]:
        if left.is_dir() and not left.is_symlink():
            rmtree(left)
        else:
            left.unlink()


def _settings(trial: Trial, root: str) -> dict[str, Any]:
    return {**within(trial, root).fake, "virtual_time": True}


def _called(client: ClientCallable, job: Job, backend: SharedBackend) -> Ended:
    begun, code, said, printed = time.monotonic(), 0, "", StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            found = client(job)
        if isinstance(found, bytes):
            (job.out_dir / "picture.png").write_bytes(found)
    except TimeoutError as error:
        code, said = 3, str(error) or "time-out"
    except _CRASHES:
        code, said = 1, traceback.format_exc()
    except Exception as error:  # noqa: BLE001 - whatever a client raises says that there is no picture
        code, said = 1, str(error) or type(error).__name__
    except BaseException as error:
        if not backend.failure():
            raise
        said = str(error)
    seconds = time.monotonic() - begun
    if sentence := backend.failure():
        return Ended(None, seconds, printed.getvalue(), sentence)
    return Ended(code, seconds, printed.getvalue(), said)


def _evidence(
    backend: SharedBackend,
    trial: Trial,
    limits: Limits,
    *,
    url: str,
    ended: Ended,
    files: Mapping[str, bytes],
    given: frozenset[str],
    **more: Any,
) -> Evidence:
    with EnteredSession(backend.server.store, fingerprint(backend.api_key)) as session:
        # To draw what no file can be compared with would take most of the time.
        pictures = pictures_of(backend.server.api, session) if files else {}
    return Evidence(
        key=backend.api_key,
        url=url,
        request=request_of(trial),
        limits=limits,
        exchanges=[one for one in backend.seen if not (one.task_id in given and kind_of(one) == "submit")],
        ledger=list(backend.ledger),
        tasks=backend.tasks,
        pictures=pictures,
        ended=[ended],
        files=[files],
        undelivered=() if trial.may_miss else backend.plan.undelivered(),
        given=given,
        **more,
    )
