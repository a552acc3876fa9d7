"""Each bad server is caught by the checks that are about its defect, and the fake itself by none."""

import pytest

from checking import checked
from run_bad_server import DEFECTS, bad_server
from safelight.conformance.servers.preflight import NotThisApi
from safelight.conformance.servers.sending import ServerGone
from safelight.conformance.verdicts import Verdict
from safelight.contracts.operations import operations
from safelight.contracts.secrets import MARK

SUBMITS = tuple(operation.name for operation in operations().values() if operation.is_submit)


@pytest.mark.parametrize("name", [name for name, defect in DEFECTS.items() if defect.checks])
def test_its_own_checks_catch_it(name: str) -> None:
    checks = DEFECTS[name].checks
    riders = ("S33",) if "S60" in checks else ()  # what is refused may be paid for
    paid = SUBMITS if "S50" in checks else SUBMITS[1:2]
    with bad_server(name) as server:
        found = checked(server.url, [*checks, *riders], operations=paid)
    assert set(checks) <= set(found.caught())
    for finding in (finding for result in found.results for finding in result.findings):
        whole = finding.expected and finding.got and finding.curl.startswith("curl ")
        assert whole or finding.rule == "more", finding
        assert f"{MARK}'" not in finding.curl  # a key is a variable of the shell


def test_the_fake_passes_every_check() -> None:
    with bad_server("good") as server:
        found = checked(server.url, operations=SUBMITS)
        made = server.tasks
    assert found.verdicts() == dict.fromkeys(found.verdicts(), Verdict.PASS)
    assert len(found.run.followed) == made == len(found.run.plan.orders)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("is-down", "the server cannot be reached: it answers 502"),
        ("redirects-elsewhere", "the server sends us on to"),
        ("streams-for-ever", "this is no server of this API"),
        ("answers-nothing", "the server cannot be reached: no answer within 1 s"),
    ],
)
def test_what_is_no_server_of_the_api_is_said_to_be_none(name: str, sentence: str) -> None:
    with bad_server(name) as server, pytest.raises((ServerGone, NotThisApi), match=sentence):
        checked(server.url, timeout=1)
