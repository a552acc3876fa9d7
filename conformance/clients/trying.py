"""One trial: a fake of its own, the client beside it, and all that was seen."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Final

from safelight.conformance.clients import process
from safelight.conformance.clients.case import Trial
from safelight.conformance.clients.evidence import Ended, Evidence, Limits, Seen
from safelight.contracts.dialects import PATHS
from safelight.mockserver.model.addresses import without_proxy
from safelight.mockserver.model.clock import RealClock
from safelight.mockserver.model.messages import Request, encoded
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import settings
from safelight.mockserver.sessions.session import EnteredSession, Session
from safelight.mockserver.transports.asgi import bare_app
from safelight.mockserver.transports.server import in_thread

#: What a client is asked to draw, unless its case says otherwise.
USUAL: Final[Mapping[str, Any]] = {"prompt": "a lighthouse at dusk", "workflow": "default", "width": 64, "height": 64}

#: Of each fake: ids and pictures are the same in each run.
SEED: Final = 7

#: Seconds after the deadline at which a client is ended.
MAX_LATE_SECONDS: Final = 5.0

#: Where absolute file names of cases lead to.
_ABSOLUTE: Final = "/tmp/"  # noqa: S108 - nothing is written there

#: Bytes of all files together that are looked at, and files: of several clients at a time.
_MAX_FILE_BYTES: Final = 32_000_000
_MAX_FILES: Final = 200_000

#: The same, in words.
MOST_READ: Final = f"{_MAX_FILES:,} files or {_MAX_FILE_BYTES // 1_000_000} MB"


@dataclass
class Fake:
    """The fake of one trial: a session of its own."""

    trial: Trial
    service: Service
    url: str
    key: str = field(default_factory=lambda: f"sk-{token_hex(24)}", repr=False)
    #: Tasks that were there before the client was started.
    given: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = self.service.sessions.open(self.key, settings(self.trial.fake)).name
        self.seen = Seen(self.name)
        with self._session() as session:
            for task in self.trial.tasks:
                session.override(TaskOverride(**task))
        if self.trial.driver.get("resume"):
            self.given.append(submitted(self.service, self.key))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note what comes in while the block runs."""
        with self.service.watched(self.seen.begin, self.seen.end):
            yield

    def _session(self) -> EnteredSession:
        return EnteredSession(self.service.sessions.store, self.name)

    def evidence(self, limits: Limits, ended: Sequence[Ended], **more: Any) -> Evidence:
        """What the fake has seen, beside what the processes left."""
        with self._session() as session:
            tasks, ledger, undelivered = session.tasks, list(session.ledger), session.plan.undelivered()
            pictures = pictures_of(self.service, session)
        return Evidence(
            key=self.key,
            url=self.url,
            request=request_of(self.trial),
            limits=limits,
            exchanges=list(self.seen.exchanges),
            ledger=ledger,
            tasks=tasks,
            pictures=pictures,
            ended=ended,
            undelivered=() if self.trial.may_miss else undelivered,
            given=frozenset(self.given),
            **more,
        )


def submitted(service: Service, key: str) -> str:
    """The id of a task that somebody has submitted before."""
    headers = {"x-api-key": key, "content-type": "application/json"}
    request = Request("POST", PATHS["published"], "endpoint=image_generation", headers, encoded({**USUAL}))
    task_id: str = json.loads(service.handle(request).body)["data"]["id"]
    return task_id


def pictures_of(service: Service, session: Session) -> Mapping[str, bytes]:
    """Task id -> its file, as it would be served."""
    return {task.id: service.uploads.reply(session, task).body for task in session.tasks}


def url_of(trial: Trial, url: str) -> str:
    """The entry point that a client is given: below a prefix, where the trial has one."""
    return url.replace(PATHS["published"], trial.driver.get("prefix", "") + PATHS["published"])


@contextmanager
def fake_of(trial: Trial) -> Iterator[Fake]:
    """The fake of a trial, on a port of its own, while the block runs."""
    service = Service(seed=SEED, clock=RealClock)
    with in_thread(bare_app(service)) as server:
        fake = Fake(trial, service, url_of(trial, server.url))
        with fake.watching():
            yield fake


def request_of(trial: Trial) -> Mapping[str, Any]:
    """The parameters that a client is to send."""
    return {name: value for name, value in {**USUAL, **trial.request}.items() if value is not None}


def limits_of(trial: Trial, usual: Limits) -> Limits:
    """What a client is given to keep: a trial can need more time."""
    deadline = max(usual.deadline, float(trial.driver.get("deadline", 0)))
    return Limits(usual.poll, usual.request, max(deadline, 3 * usual.request))


def told(fake: Fake, limits: Limits, out: Path, number: int = 0) -> dict[str, str]:
    """How a driver is told what to do: the environment of the process with this number, from 0."""
    request = dict(request_of(fake.trial))
    if fake.trial.driver.get("copies"):
        request["prompt"] = f"{request['prompt']}, picture {number + 1}"
    values = {
        "BASE_URL": fake.url,
        "API_KEY": fake.key,
        "PROMPT": str(request["prompt"]),
        "WORKFLOW": str(request.get("workflow", "default")),
        "PARAMETERS": json.dumps(request),
        "POLL_SECONDS": f"{limits.poll:g}",
        "DEADLINE_SECONDS": f"{limits.deadline:g}",
        "REQUEST_TIMEOUT_SECONDS": f"{limits.request:g}",
        "OUT_DIR": str(out),
        **({"TASK_ID": fake.given[0]} if fake.given else {}),
    }
    return {f"SAFELIGHT_{name}": value for name, value in values.items()}


def try_client(command: Sequence[str], trial: Trial, usual: Limits, stop: Event) -> Evidence:
    """Run the client against the fake of a trial, until `stop` is set at most. Raises `CannotStart`."""
    limits, copies = limits_of(trial, usual), int(trial.driver.get("copies", 1))
    with (
        _folder() as root,
        fake_of(within(trial, root)) as fake,
        ThreadPoolExecutor(copies) as threads,
    ):
        outs = [out_in(root, number) for number in range(copies)]
        interruption = _Interruption(fake, trial.driver.get("interrupt"))
        environments = [told(fake, limits, out, number) for number, out in enumerate(outs)]
        seconds = limits.deadline + MAX_LATE_SECONDS
        ended = list(threads.map(lambda one: _run(command, one, seconds, interruption, stop), environments))
        files = [files_in(out) for out in outs]
        unread = sum(map(unread_in, outs, files))
        stray = stray_in(root, outs)
        return fake.evidence(limits, ended, files=files, unread=unread, stray=stray, interrupted=interruption.at)


@contextmanager
def _folder() -> Iterator[str]:
    """A folder that is gone after the block, whatever a client has made in it."""
    folder = TemporaryDirectory(prefix="safelight-", ignore_cleanup_errors=True)
    try:
        yield folder.name
    finally:
        try:
            folder.cleanup()
        except RecursionError:  # folders in folders, deeper than Python goes
            subprocess.run(["rm", "-rf", folder.name], check=False, capture_output=True)  # noqa: S603, S607


def _run(
    command: Sequence[str], told: Mapping[str, str], seconds: float, interruption: _Interruption, stop: Event
) -> Ended:
    name, mark = "SAFELIGHT_TRIAL", token_hex(16)
    environment = {**os.environ, **without_proxy(os.environ), **told, name: mark}
    return process.run(
        command, environment, seconds=seconds, mark=f"{name}={mark}", stop=stop, during=interruption.look
    )


@dataclass
class _Interruption:
    """Sends the client a signal, some seconds after its first poll."""

    fake: Fake
    seconds: float | None
    at: float | None = None

    def look(self, send: Callable[[int], None]) -> None:
        """Send it once it is due."""
        if self.seconds is None or self.at is not None:
            return
        now = self.fake.service.now(self.fake.name)
        if any(
            one.operation == "task_status" and now - one.at >= (self.seconds or 0) for one in self.fake.seen.exchanges
        ):
            self.at = now
            send(15)


def files_in(folder: Path) -> dict[str, bytes]:
    """Path within the folder -> contents, of the files below it, within bounds. Links are not followed.

    The smallest come first: a file that fills all there is room for hides no picture.
    """
    found, room = {}, _MAX_FILE_BYTES
    for path in sorted(islice(_paths(folder), _MAX_FILES), key=_size):
        contents = _contents(path, room)
        room -= len(contents)
        found[path.relative_to(folder).as_posix()] = contents
    return dict(sorted(found.items()))


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_size
    return 0


def unread_in(folder: Path, files: Mapping[str, bytes]) -> int:
    """How many files below a folder do not stand whole in what was read of it."""
    read = {path: len(contents) for path, contents in files.items()}
    return sum(path.lstat().st_size > read.get(path.relative_to(folder).as_posix(), -1) for path in _paths(folder))


def _paths(folder: Path) -> Iterator[Path]:
    """The files below a folder. One that is a link itself has none."""
    waiting = [] if folder.is_symlink() else [str(folder)]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield Path(entry)


def _contents(path: Path, room: int) -> bytes:
    """What stands in a file; nothing where the client lets nobody read it."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(room)
    return b""


def out_in(root: str, number: int = 0) -> Path:
    """A folder to save in: so deep that a name which climbs out of it stays within what is looked through."""
    out = Path(root, "1", "2", "3", "4", f"out-{number}")
    out.mkdir(parents=True, exist_ok=True)
    return out


def stray_in(root: str, outs: Sequence[Path]) -> list[str]:
    """The files below `root` that stand in none of the folders that were given."""
    stray = (path for path in _paths(Path(root)) if not any(path.is_relative_to(out) for out in outs))
    return [path.relative_to(root).as_posix() for path in islice(stray, _MAX_FILES)]


def within(trial: Trial, root: str) -> Trial:
    """The trial with its absolute file names below `root`, where what is written to them is seen."""
    faults = [rule.replace(f": filename {_ABSOLUTE}", f": filename {root}/") for rule in trial.fake.get("faults", ())]
    return replace(trial, fake={**trial.fake, **({"faults": faults} if faults else {})})
