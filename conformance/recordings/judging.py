"""A record from its first exchange to its last: what each check found, bounded, and the results that a report has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from safelight.conformance.checks import CHECKS, Check
from safelight.conformance.oracle.oracle import Impossible, Oracle
from safelight.conformance.recordings.checks import RECORDED, Asked
from safelight.conformance.recordings.speech import Speech
from safelight.conformance.report.timeline import timeline
from safelight.conformance.results import Result, Tried
from safelight.conformance.verdicts import Finding, Severity, Verdict, verdict_of, worst
from safelight.contracts.wording import counted, listed, printable
from safelight.traffic.exchange import Exchange
from safelight.traffic.ndjson import Unreadable
from safelight.traffic.recognition import recognized
from safelight.traffic.request_kinds import REQUEST_KINDS

#: Findings of one rule that are told one by one, and exchanges of one check that are drawn.
MAX_TOLD: Final = 5
MAX_DRAWN: Final = 20

#: Bytes of an answer that is kept to be drawn.
_MAX_DRAWN_BYTES: Final = 10_000

#: Hosts that are counted and named.
_MAX_HOSTS, _MAX_NAMED_HOSTS = 1_000, 5

#: What the oracle asks, beside what the checks do.
_OF_TASKS: Final = ("S51", "S52", "S54", "S57", "S60", "S63")

#: Check of the oracle -> the kind of request without which it has nothing to judge.
_NEEDS: Final = {"S60": "balance", "S63": "submit"}


def asked_of_records() -> list[Check]:
    """The checks that a record is judged by, in the order of their ids."""
    return [check for check in CHECKS.values() if check.id in RECORDED or check.id in _OF_TASKS]


@dataclass(slots=True)
class Found:
    """What one check found: the first of each rule whole, all of them counted."""

    judged: int = 0
    counts: Counter[tuple[str, Severity]] = field(default_factory=Counter)
    told: dict[tuple[str, Severity], list[Finding]] = field(default_factory=dict)
    drawn: list[Exchange] = field(default_factory=list)

    def add(self, finding: Finding, exchange: Exchange) -> None:
        """Count it, and keep it while there are few."""
        rule = finding.rule, finding.severity
        self.counts[rule] += 1
        kept = self.told.setdefault(rule, [])
        if len(kept) < MAX_TOLD:
            kept.append(finding)
            if len(self.drawn) < MAX_DRAWN and exchange not in self.drawn[-1:]:
                self.drawn.append(_light(recognized(exchange)))

    def findings(self) -> list[Finding]:
        """Those that were kept; and of each rule of which there are more, how many."""
        return [finding for rule, kept in self.told.items() for finding in [*kept, *self._more(rule, len(kept))]]

    def _more(self, rule: tuple[str, Severity], kept: int) -> list[Finding]:
        more = self.counts[rule] - kept
        return [Finding(*rule, f"and {more:,} more")] if more else []


@dataclass(slots=True)
class Judging:
    """Takes each exchange of a record, and keeps what there is to say of it."""

    speech: Speech = field(default_factory=Speech)
    is_strict: bool = False
    #: Takes each finding at once.
    on_finding: Callable[[Finding], None] = lambda _: None
    #: Exchanges in all, of the API, and those that a planned fault of the fake has spoiled.
    read: int = 0
    of_api: int = 0
    struck: int = 0
    unrecorded: int = 0
    hosts: Counter[str] = field(default_factory=Counter)
    found: dict[str, Found] = field(default_factory=dict)
    broken: str = ""
    oracle: Oracle = field(default_factory=Oracle)
    _began: float = 0

    def __post_init__(self) -> None:
        self.oracle.vocabulary = self.speech.vocabulary

    def all(self, exchanges: Iterable[Exchange]) -> None:
        """Judge a record as far as it can be read. Raises `Unreadable` where that is nothing."""
        try:
            for exchange in exchanges:
                self.see(exchange)
        except Unreadable as error:
            if not self.read:
                raise
            self.broken = str(error)
        self.end()

    def end(self) -> None:
        """Judge what is judged when nothing more comes."""
        self._add(self.oracle.finish(), None)

    def see(self, exchange: Exchange) -> None:
        """Judge one exchange."""
        self.read += 1
        asked = Asked(exchange, self.speech)
        if not asked.is_of_api:
            self._count_host(exchange)
            return
        self._began = self._began if self.of_api else exchange.at
        self.of_api += 1
        if exchange.fault:  # the answer was spoiled on purpose, and the fault says how: it is as good as lost
            self.struck += 1
            exchange = exchange._replace(wire=exchange.wire or "fault")
        else:
            self._check(asked)
        self._ask_oracle(exchange)

    def _check(self, asked: Asked) -> None:
        self.unrecorded += not (asked.exchange.wire or asked.is_whole)
        for check in RECORDED.values():
            if check.is_asked(asked):
                found = self._found(check.id)
                found.judged += 1
                for breach in check.breaches(asked):
                    severity = Severity.INFO if breach.is_assumed and not self.is_strict else CHECKS[check.id].severity
                    sentence = f"{self._place(asked.exchange)}: {breach.sentence}"
                    self._keep(found, Finding(breach.rule, severity, sentence), asked.exchange)

    def _ask_oracle(self, exchange: Exchange) -> None:
        kind = REQUEST_KINDS.get(getattr(Asked(exchange, self.speech).operation, "name", ""), "")
        for check in _OF_TASKS:
            if kind == _NEEDS.get(check, "poll"):
                self._found(check).judged += 1
        self._add(self.oracle.see(exchange), exchange)

    def _add(self, impossible: Iterable[Impossible], now: Exchange | None) -> None:
        """Keep what the oracle says; of what it says later than it was seen, the place is not known any more."""
        for one in impossible:
            place = f"{self._place(now)}: " if now is one.exchange and now else ""
            task = f"task {printable(one.task_id)[:60]}: " if one.task_id else ""
            finding = Finding(one.check, one.severity, f"{place}{task}{one.sentence}")
            self._keep(self._found(one.check), finding, one.exchange)

    def _keep(self, found: Found, finding: Finding, exchange: Exchange) -> None:
        found.add(finding, exchange)
        self.on_finding(finding)

    def _found(self, check: str) -> Found:
        return self.found.setdefault(check, Found())

    def _place(self, exchange: Exchange) -> str:
        """Where in the record it stands, and when it was asked."""
        return f"exchange {self.read:,} ({exchange.at - self._began:.1f} s)"

    def _count_host(self, exchange: Exchange) -> None:
        host = exchange.headers.get("host", "") or urlsplit(exchange.target).netloc or "no host that is named"
        if host in self.hosts or len(self.hosts) < _MAX_HOSTS:
            self.hosts[host] += 1

    # --- what it came to --------------------------------------------------------------------------------------------

    def results(self, again: str = "") -> list[Result]:
        """A result for each check that had something to judge, and one for the record."""
        self._found("S70")
        return [self._result(check, again) for check in asked_of_records() if check.id in self.found]

    def _result(self, check: Check, again: str) -> Result:
        found = self.found[check.id]
        findings = found.findings()
        verdict, remark = verdict_of(findings), ""
        if verdict is Verdict.PASS and findings:
            verdict = Verdict.INFO
        if check.id == "S70" and (self.broken or not self.of_api):
            verdict, remark = worst([verdict, Verdict.INCOMPLETE]), self.summary()
        tried = Tried("", verdict, findings, timeline=self._timeline(found.drawn), remark=remark)
        does = f"looked at {counted(found.judged, 'exchange')}"
        return Result(check.id, check.fact, check.severity, verdict, check.group, does, trials=[tried], again=again)

    def _timeline(self, drawn: Sequence[Exchange]) -> Sequence[Mapping[str, Any]]:
        """Rows in seconds since the record began."""
        late = drawn[0].at - self._began if drawn else 0
        return [{**row, "at": round(row["at"] + late, 3)} for row in timeline(drawn)]

    def summary(self) -> str:
        """What was read, and what of it could not be judged."""
        if not self.read:
            return "the record holds no exchange"
        if not self.of_api:
            return f"{self._none()}{self._and_cut()}"
        told = [
            f"{self.of_api:,} of {counted(self.read, 'exchange')} are of this API",
            *([f"{self.oracle.lost:,} submits were lost: they may have been booked"] if self.oracle.lost else []),
            *([f"{self.struck:,} answers were spoiled by planned faults, and are not judged"] if self.struck else []),
            *([f"{self.unrecorded:,} answers were not recorded"] if self.unrecorded else []),
            *([f"{self.oracle.forgotten:,} tasks were too many to be remembered"] if self.oracle.forgotten else []),
        ]
        return "; ".join(told) + self._and_cut()

    def _and_cut(self) -> str:
        return f"; it cannot be read any further: {self.broken}" if self.broken else ""

    def _none(self) -> str:
        """That nothing here is of the API, and where it went instead."""
        named = [f"{printable(host)[:100]} ({times:,})" for host, times in self.hosts.most_common(_MAX_NAMED_HOSTS)]
        more = len(self.hosts) - len(named)
        others = [*named, *([f"{more:,} others"] if more > 0 else [])]
        return (
            f"none of {counted(self.read, 'exchange')} is of this API: they went to {listed(others)}; its requests "
            "have ?endpoint= in their address, such as /v1/index.php?endpoint=task_status"
        )


def _light(exchange: Exchange) -> Exchange:
    """What a drawing shows of it."""
    answer = exchange.answer if len(exchange.answer) <= _MAX_DRAWN_BYTES else b""
    return exchange._replace(body=b"", answer=answer, headers={}, answer_headers={})
