"""Cases without a driver: a client that cannot be started walks through them itself, and is judged by what it sends.

Under `/_safelight/cases/` it gets the next case, and says that it has ended one. Who does not want to ask points the
client at each URL and key by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any, ClassVar, Final, Self

from safelight.conformance.clients.case import Case, Trial
from safelight.conformance.clients.evidence import Ended, Evidence, Limits
from safelight.conformance.clients.runner import result_of, tried
from safelight.conformance.clients.trying import SEED, Fake, limits_of, told, url_of
from safelight.conformance.results import Result, Tried
from safelight.contracts import parse
from safelight.contracts.wording import shown
from safelight.mockserver.control.access import check_access
from safelight.mockserver.model.clock import RealClock
from safelight.mockserver.model.messages import Refused, Reply, Request, encoded, failure
from safelight.mockserver.service.service import Service
from safelight.mockserver.transports.asgi import bare_app
from safelight.mockserver.transports.server import in_thread

PREFIX: Final = "/_safelight/cases"


@dataclass(eq=False)
class Stop:
    """One trial on the way through the cases."""

    case: Case
    trial: Trial
    fake: Fake
    limits: Limits
    #: `open`, `begun` or `ended`.
    state: str = "open"
    ended: Sequence[Ended] = ()

    @property
    def name(self) -> str:
        """The number of the case, and the name of the trial where it has several."""
        return f"{self.case.id}/{self.trial.name.replace(' ', '-')}".rstrip("/")

    def form(self) -> Mapping[str, Any]:
        """What a client has to know, named as drivers are told it, in lower case."""
        environment = told(self.fake, self.limits, Path())
        names = {name.removeprefix("SAFELIGHT_").lower(): value for name, value in environment.items()}
        del names["out_dir"]
        return {"case": self.name, "fact": self.case.fact, "state": self.state, **names}

    def evidence(self) -> Evidence:
        """What was seen so far."""
        return self.fake.evidence(self.limits, self.ended, files=[])


@dataclass(eq=False)
class Walk:
    """All trials of the selected cases at one server; what takes the place of `Control` there."""

    service: Service
    cases: Sequence[Case]
    limits: Limits
    url: str = ""
    stops: dict[str, Stop] = field(default_factory=dict)
    #: Every case was ended.
    is_over: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self._open, self._lock = ExitStack(), Lock()

    def __enter__(self) -> Self:
        for case in self.cases:
            for trial in case.trials:
                if trial.driver.keys() & _NEEDS_A_DRIVER:
                    continue
                fake = Fake(trial, self.service, url_of(trial, self.url))
                self._open.enter_context(fake.watching())
                stop = Stop(case, trial, fake, limits_of(trial, self.limits))
                self.stops[stop.name] = stop
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def results(self) -> list[Result]:
        """A result for each case; what nobody has come by is incomplete."""
        return [result_of(case, [self._tried(case)], again="") for case in self.cases]

    def _tried(self, case: Case) -> list[Tried]:
        stops = [stop for stop in self.stops.values() if stop.case is case]
        if not all(stop.fake.seen.exchanges or stop.state == "ended" for stop in stops):
            return []
        return [tried(case, stop.trial, stop.evidence()) for stop in stops]

    # What a server asks of `Control`.

    #: Whoever is on this machine may walk.
    token: ClassVar[None] = None

    def takes(self, _method: str, path: str, *_: object) -> bool:
        """A request for this path is for the walk."""
        return path == PREFIX or path.startswith(f"{PREFIX}/")

    async def answer(self, _: Service, request: Request) -> Reply:
        """The reply to one request."""
        try:
            check_access(request, None)
            return self._answer(request)
        except Refused as refused:
            return failure(refused.status, refused.message, refused.headers)

    def _answer(self, request: Request) -> Reply:
        path = request.path.removeprefix(PREFIX).strip("/")
        match request.method, path:
            case "GET", "":
                return _json({"cases": [stop.form() for stop in self.stops.values()]})
            case "POST", "next":
                return self._next()
            case "POST", _ if path.endswith("/end"):
                return self._end(path.removesuffix("/end"), request.body or b"")
        raise Refused(404, f"There are GET {PREFIX}/, POST {PREFIX}/next and POST {PREFIX}/CASE/end")

    def _next(self) -> Reply:
        with self._lock:
            for stop in self.stops.values():
                if stop.state == "open":
                    stop.state = "begun"
                    return _json(stop.form())
        return Reply(204, b"")

    def _end(self, name: str, body: bytes) -> Reply:
        stop = self.stops.get(name)
        if stop is None:
            raise Refused(404, f"There is no case {shown(name)} here")
        said = parse(body).document if body.strip() else {}
        said = said if isinstance(said, dict) else {}
        code, output = said.get("exit_code"), said.get("output", "")
        if code is not None and type(code) is not int:
            raise Refused(400, "exit_code is a whole number, or left out")
        if not isinstance(output, str):
            raise Refused(400, "output is a text, or left out")
        stop.state = "ended"
        if code is not None:
            stop.ended = [Ended(code, 0, output, "")]
        if all(one.state == "ended" for one in self.stops.values()):
            self.is_over.set()
        found = tried(stop.case, stop.trial, stop.evidence())
        return _json({"case": name, "verdict": found.verdict, "findings": [one.sentence for one in found.findings]})


#: Ways to start a client that only a driver has.
_NEEDS_A_DRIVER: Final = frozenset({"copies", "interrupt"})


@contextmanager
def walk(cases: Sequence[Case], limits: Limits, port: int) -> Iterator[Walk]:
    """A server of all the cases, while the block runs. Raises `CannotListen`."""
    service = Service(seed=SEED, clock=RealClock)
    made = Walk(service, cases, limits)
    with in_thread(bare_app(service, control=made), port=port) as server:
        made.url = server.url
        with made:
            yield made


def _json(document: Mapping[str, Any]) -> Reply:
    return Reply(200, encoded(document))


def table(walk: Walk) -> str:
    """The cases with their keys, for people."""
    lines = [f"{stop.name:<16} {stop.fake.key}  {stop.case.fact}" for stop in walk.stops.values()]
    return "\n".join([f"Every case answers at {walk.url}, each to its own key:", "", *lines])
