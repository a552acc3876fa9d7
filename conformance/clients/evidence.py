"""All that a client is judged by, from outside: journal, ledger, timing, exit code, output and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from safelight.mockserver.model.ledger import Entry
from safelight.mockserver.model.task import Task
from safelight.traffic.exchange import Exchange
from safelight.traffic.expectations import Missed


@dataclass(eq=False)
class Seen:
    """The exchanges of one key, and those without one, each as it ended."""

    #: What stands for the key.
    name: str
    exchanges: list[Exchange] = field(default_factory=list)

    def begin(self, name: str | None, exchange: Exchange) -> None:
        """Note an exchange."""
        if name in (None, self.name):
            self.exchanges.append(exchange)

    def end(self, name: str | None, exchange: Exchange, earlier: Exchange) -> None:
        """Note how one ended that was late or slow."""
        if name in (None, self.name) and earlier in self.exchanges:
            self.exchanges[self.exchanges.index(earlier)] = exchange


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client is given to keep, in seconds."""

    #: From one poll to the next.
    poll: float = 0.2
    #: For one request.
    request: float = 1.0
    #: For all of it: at least three times that for one request.
    deadline: float = 6.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How one process of the client ended."""

    #: Its exit code; None where it had to be ended, and the number of a signal as a negative one.
    code: int | None
    #: How long it ran.
    seconds: float
    #: Of both outputs, the beginning and the end where there was too much.
    stdout: str
    stderr: str
    #: Bytes that it wrote.
    written: int = 0
    #: Processes that it started and left running; they were ended.
    left: int = 0
    #: The most memory that it took, in bytes; 0 where that is not known.
    memory: int = 0

    @property
    def output(self) -> str:
        """Both outputs."""
        return f"{self.stdout}\n{self.stderr}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen of one trial."""

    key: str = field(repr=False)
    #: The entry point that the client was given.
    url: str
    #: The parameters that it was to send.
    request: Mapping[str, object]
    limits: Limits
    #: In the order of their answers, in seconds of the session's clock; also what came without a key.
    exchanges: Sequence[Exchange]
    ledger: Sequence[Entry]
    tasks: Sequence[Task]
    #: Task id -> its file, as it would be served.
    pictures: Mapping[str, bytes]
    #: One for each process.
    ended: Sequence[Ended]
    #: One for each process: path within its own folder -> contents.
    files: Sequence[Mapping[str, bytes]]
    #: Files that were written elsewhere.
    stray: Sequence[str] = ()
    #: Files that were not looked through, as there are too many or they are too large.
    unread: int = 0
    #: Faults that were planned and never delivered.
    undelivered: Sequence[Missed] = ()
    #: When the client was interrupted, in seconds of the session's clock.
    interrupted: float | None = None
    #: Tasks that were there before the client was started.
    given: frozenset[str] = frozenset()

    @property
    def output(self) -> str:
        """What all processes wrote."""
        return "\n".join(one.output for one in self.ended)
