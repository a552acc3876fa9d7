"""`safelight explain`: a case in full, and why it is there."""

from __future__ import annotations

from typing import Final

import click

from safelight.cli._completion import offered
from safelight.cli._unusable import Unusable
from safelight.conformance.clients.case import Case, Trial, selected
from safelight.conformance.clients.expectations import expectations

#: How a shell completes the number of a case.
CASES: Final = offered(lambda _: {case.id: case.fact for case in selected()})


@click.command()
@click.argument("numbers", metavar="CASE...", nargs=-1, required=True, shell_complete=CASES)
def command(numbers: tuple[str, ...]) -> None:
    """Say what a client case is about: `safelight explain 4.7`."""
    try:
        chosen = selected(numbers)
    except ValueError as error:
        raise Unusable(str(error)) from None
    click.echo("\n\n".join(map(_in_full, chosen)))


def _in_full(case: Case) -> str:
    lines = [
        f"{case.id}  {case.fact}  ({case.severity}, since edition {case.since})",
        f"  the fake       {case.does}",
        f"  a good client  {case.good}",
        f"  why            {case.why}",
    ]
    for trial in case.trials:
        lines += [
            "",
            f"  trial {trial.name}" if trial.name else "  judged by",
            *map("    {}".format, _expected(case, trial)),
        ]
    return "\n".join([*lines, "", f"  run it         safelight check client --only {case.id} -- CMD"])


def _expected(case: Case, trial: Trial) -> list[str]:
    """What the fake is told, and what is expected."""
    rules = [f"the plan: {rule}" for rule in trial.fake.get("faults", ())]
    least, most = trial.accepted
    accepted = (
        f"{least} to {most} submits are accepted" if most > least else f"{most} accepted submits, neither more nor less"
    )
    own = []
    for expected in trial.expect:
        severity = "" if expected.severity is case.severity else f" ({expected.severity})"
        own.append(f"{expectations()[expected.name].fact_with(expected.given)}{severity}")
    return [*rules, accepted, *own]
