"""Where a server differs from a recording: the same requests, sent again, compared by shape and by rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from safelight.conformance.recordings.judging import Found, Judging
from safelight.conformance.recordings.script import Again, Script
from safelight.conformance.recordings.shapes import SHAPES, Seen, types
from safelight.conformance.report.timeline import timeline
from safelight.conformance.results import Result, Tried
from safelight.conformance.servers.curl import curl
from safelight.conformance.servers.probe import Probe
from safelight.conformance.verdicts import Finding, Severity, Verdict, verdict_of
from safelight.contracts import FINAL, Phase
from safelight.contracts.wording import brief, counted, either
from safelight.traffic.exchange import Exchange


class Difference(NamedTuple):
    """What is compared, under an id that is never used again."""

    id: str
    name: str
    fact: str


#: Id -> difference: those of shapes, and others.
DIFFERENCES: Final[Mapping[str, Difference]] = {
    one.id: one
    for one in sorted(
        [
            *(Difference(shape.id, shape.name, shape.fact) for shape in SHAPES.values()),
            Difference("D20", "missing", "Each field that was always recorded is there"),
            Difference("D21", "further", "There is no field that was never recorded"),
            Difference("D31", "end", "A task ends as it was recorded"),
            Difference("D40", "contract", "Each rule of the contract that the recording keeps is kept"),
            Difference("D70", "sent-again", "Each request of the recording can be sent again, and is answered"),
        ]
    )
}

#: The title of all of them.
_GROUP: Final = "What was recorded, and what is answered now"


class Shown(NamedTuple):
    """An exchange with the server, by which request it was seen."""

    seen: Seen
    probe: Probe


@dataclass(slots=True)
class Comparison:
    """Takes each exchange with the server, and keeps where it differs from the recording."""

    script: Script
    url: str
    judging: Judging = field(default_factory=Judging)
    found: dict[str, Found] = field(default_factory=lambda: defaultdict(Found))
    #: Why something was not sent, or not answered -> how often.
    missing: Counter[str] = field(default_factory=Counter)

    def see(self, shown: Shown) -> None:
        """Compare one exchange."""
        seen = shown.seen
        if wire := seen.exchange.wire:
            self.missing[f"no answer: {wire}"] += 1
            return
        for shape in SHAPES.values():
            known = self.script.recorded.of(shape, seen)
            self.found[shape.id].judged += bool(known)
            for place, fact in shape.facts(seen):
                if known.get(place) and fact not in known[place]:
                    self._add(shape.id, shown, f"{place} is {fact}", either(sorted(known[place])), fact)
        if self.script.recorded.answers[seen.told]:
            self._fields(shown)

    def _fields(self, shown: Shown) -> None:
        told, there = shown.seen.told, dict(types(shown.seen))
        for pointer in self.script.recorded.always(told):
            if pointer not in there:
                self._add("D20", shown, f"{pointer} is missing", "always there", "absent")
        for pointer, kind in there.items():
            if not self.script.recorded.fields[told][pointer]:
                self._add("D21", shown, f"{pointer} was never recorded, and is {kind}", "absent", kind)

    def end(self, again: Again, phase: Phase | None, shown: Shown) -> None:
        """Compare how a task ended; None: it has not."""
        ends = {one.end for one in self.script.requests if one.asked == again.asked and one.is_polled}
        self.found["D31"].judged += ends <= FINAL
        if ends <= FINAL and phase not in ends:
            now = f"ended as {phase}" if phase else "has not ended"
            self._add("D31", shown, f"the task {now}", either(sorted(map(str, ends))), str(phase or "no end"))

    def kept(self, exchanges: Iterable[Exchange]) -> None:
        """Hold all that was answered against the contract: what the recording breaks too is no difference."""
        self.judging.all(exchanges)
        before = {rule for found in self.script.judging.found.values() for rule, _ in found.counts}
        self.found["D40"].judged = self.judging.of_api
        for found in self.judging.found.values():
            for (rule, _), findings in found.told.items():
                for finding in findings if rule not in before else ():
                    is_info = finding.severity is Severity.INFO
                    one = finding if is_info else replace(finding, severity=Severity.MUST)
                    self.found["D40"].add(one, found.drawn[0])

    def _add(self, name: str, shown: Shown, sentence: str, expected: str, got: str) -> None:
        finding = Finding(
            DIFFERENCES[name].name,
            Severity.MUST,
            f"{shown.seen.told}: {brief(sentence, 200)}",
            pointer=sentence.partition(" ")[0] if sentence.startswith("/") else "",
            expected=expected,
            got=got,
            curl=curl(self.url, shown.probe),
        )
        if all(finding.sentence != one.sentence for one in self.found[name].findings()):
            self.found[name].add(finding, shown.seen.exchange)

    # --- what it came to --------------------------------------------------------------------------------------------

    def results(self, again: str) -> list[Result]:
        """A result for each difference that was looked for."""
        for name in ("D20", "D21"):
            self.found[name].judged = self.found["D22"].judged
        return [
            self._result(one, again) for one in DIFFERENCES.values() if one.id == "D70" or self.found[one.id].judged
        ]

    def _result(self, difference: Difference, again: str) -> Result:
        found = self.found[difference.id]
        findings = found.findings()
        verdict, remark = verdict_of(findings), ""
        if difference.id == "D70" and (remark := self._remark()):
            verdict = Verdict.INCOMPLETE
        rows: Sequence[Mapping[str, object]] = timeline(found.drawn)
        tried = Tried("", verdict, findings, timeline=rows, remark=remark)
        does = f"compared {counted(found.judged, 'answer')}"
        return Result(difference.id, difference.fact, Severity.MUST, verdict, _GROUP, does, trials=[tried], again=again)

    def _remark(self) -> str:
        """What was not sent again, or not answered."""
        if not self.script.judging.of_api or self.script.judging.broken:
            return self.script.judging.summary()
        return "; ".join(f"{why} ({count:,} times)" if count > 1 else why for why, count in self.missing.items())
