"""`serve --upstream`: a proxy in front of an API, whose traffic is judged and recorded."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli._log import LOGS, ReadableLog
from safelight.cli._terminal import say, warn_if_open
from safelight.cli._unusable import Unusable
from safelight.conformance.recordings.judging import Judging
from safelight.conformance.recordings.proxy import Proxy
from safelight.conformance.recordings.recorder import CannotRecord, Recorder
from safelight.conformance.servers.budget import Budget
from safelight.conformance.servers.entry import Entry, entry
from safelight.conformance.verdicts import Finding
from safelight.contracts.dialects import PATHS
from safelight.contracts.wording import counted, printable
from safelight.mockserver.transports.server import AppServer, CannotListen, entry_of, listen

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from safelight.mockserver.service.service import Listener
    from safelight.traffic.exchange import Exchange


def pass_on(values: Mapping[str, Any], ready: Callable[[str], None]) -> None:
    """Serve the proxy until a signal; `ready` takes what the ready file says. Raises `Unusable`."""
    upstream = _entry(values["upstream"])
    try:
        with listen(values["host"], values["port"]) as bound:
            _check_other(upstream, bound)
            recorder = Recorder(Path(values["recording"]), time.time()) if values["recording"] else None
            watch = Watch(LOGS[values["log"]](), recorder)
            budget = Budget(values["max_paid"] or 0, 0)
            proxy = Proxy(upstream, budget, values["body_limit"], watch.see, watch.not_sent)
            try:
                AppServer(proxy, bound, ready=lambda: _announce(bound, upstream, values, ready)).run()
            finally:
                watch.end()
    except (CannotListen, CannotRecord) as error:
        raise Unusable(str(error)) from None


def _entry(url: str) -> Entry:
    try:
        return entry(url)
    except ValueError as error:
        raise Unusable(f"--upstream: {error}") from None


def _check_other(upstream: Entry, bound: socket.socket) -> None:
    """A proxy that passed on to itself would do so for ever."""
    if upstream.is_loopback and upstream.port == bound.getsockname()[1]:
        raise Unusable("--upstream is the address of this server itself: choose another --port")


def _announce(bound: socket.socket, upstream: Entry, values: Mapping[str, Any], ready: Callable[[str], None]) -> None:
    url, paid = entry_of(bound, PATHS["published"]), values["max_paid"] or 0
    ready(json.dumps({"url": url}) + "\n")
    money = f"It lets {counted(paid, 'paid task')} through" if paid else _FREE
    recording = f"It records into {printable(values['recording'])}" if values["recording"] else _UNRECORDED
    say(_BANNER.format(url=click.style(url, bold=True), upstream=printable(upstream.url), more=f"{money}\n{recording}"))
    warn_if_open(bound)


_BANNER: Final = """\
Safelight answers at  {url}
and passes on to      {upstream}

{more}
"""
_FREE: Final = "It lets no submit through: --max-paid N says how many tasks may be paid for"
_UNRECORDED: Final = "It records nothing: --recording FILE keeps what passes"


@dataclass(slots=True)
class Watch:
    """Whoever sees each exchange: the log, the recording and the judge."""

    log: Listener | None
    recorder: Recorder | None
    judging: Judging = field(init=False)
    #: Rule -> findings.
    _found: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.judging = Judging(on_finding=self._tell)

    def see(self, exchange: Exchange) -> None:
        """Log an exchange, write it down, and judge it."""
        self.not_sent(exchange)
        if self.recorder:
            try:
                self.recorder.add(exchange)
            except CannotRecord as error:
                self.recorder = None
                say(click.style(f"It records no more: {error}", fg="red"))
        self.judging.see(exchange)

    def not_sent(self, exchange: Exchange) -> None:
        """Log a request that did not get through: it says nothing of the upstream."""
        if self.log:
            self.log(None, exchange)

    def _tell(self, finding: Finding) -> None:
        self._found[finding.rule] += 1
        if isinstance(self.log, ReadableLog):
            rule = click.style(f"{finding.rule} ({finding.severity})", fg="yellow")
            say(f"          {rule}: {printable(finding.sentence)}")

    def end(self) -> None:
        """End the recording, and say what was seen."""
        if isinstance(self.log, ReadableLog):
            self.log.end()
        self.judging.end()
        said = [f"\n{self.judging.summary()}", *([_told(self._found)] if self.judging.read else [])]
        if self.recorder:
            try:
                self.recorder.close()
            except CannotRecord as error:
                said.append(str(error))
            else:
                said.append(f"safelight check recording {self.recorder.path} says it all")
        say("\n".join(said))


def _told(found: Counter[str]) -> str:
    rules = ", ".join(f"{printable(rule)} ({count:,})" for rule, count in found.most_common())
    return f"{counted(found.total(), 'finding')}: {rules}" if found else "nothing was found that breaks the contract"
