"""The pytest plugin. Everything heavy is imported when a fixture is asked for: every pytest run imports this module."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

# Before any test can mock them.
from safelight.testing import real_time as _wall  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from safelight.mockserver.faults.scenarios import Scenario
    from safelight.testing.controlled import ControlledServer
    from safelight.testing.external import ExternalServer, Server
    from safelight.testing.factory import Factory
    from safelight.testing.session import Safelight
    from safelight.testing.shared import SharedServer


@dataclass(frozen=True, slots=True)
class _Judged:
    """The API of a test's fixture, and what of it is judged when the test has passed."""

    api: Safelight | ControlledServer
    contract: bool
    scenario: Scenario | None


_FIXTURE = pytest.StashKey[_Judged]()

#: Of a test, the API that it used last: that one's transcript is told.
_TOLD = pytest.StashKey["Safelight | ControlledServer"]()

#: Of a test that passed, what its client did wrong.
_FOUND_WRONG = pytest.StashKey[BaseException]()

#: The test that is running.
_RUNNING = pytest.StashKey[pytest.Item]()

#: The server that the tests run against in the place of the fake.
_SERVER = pytest.StashKey[Any]()

#: What is wrong with the markers of scenarios.
_MISTAKES = pytest.StashKey[list[str]]()

#: The one server of a run, while there is one.
_HOST = pytest.StashKey["SharedServer"]()

#: Whether the server of the user's own is a fake that can be controlled.
_STEERABLE = pytest.StashKey[bool]()

_SECTION = "safelight, contract "

#: How a line of the transcript looks on a terminal: by its phase where its outcome, the last word, is ok.
_LOOKS = {
    r"seconds  .*  outcome": {"bold": True},
    r"\d.*  (submit|poll|image)\S*: .*  ok": {"purple": True},
    r"\d.*  done +ok": {"green": True},
    r"\d.*  running +ok": {"yellow": True},
    r"\d.*  failed +ok|\d.*  (?!ok)\S+": {"red": True},
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("safelight")
    group.addoption(
        "--safelight-url",
        metavar="URL",
        help="Run the tests against this server in the place of the fake, with the key in SAFELIGHT_API_KEY; tests "
        "that need the fake's powers are skipped.",
    )
    group.addoption(
        "--safelight-allow",
        metavar="HOST",
        action="append",
        default=[],
        help="Let clients connect to this host too, beside those of this machine. Repeatable.",
    )
    parser.addini(
        "safelight_virtual_time", "Virtual time for each test that does not say otherwise.", type="bool", default=False
    )
    parser.addini("safelight_allow", "Hosts that clients may connect to, as with --safelight-allow.", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and take in which server is meant."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)
    config.pluginmanager.register(_Colours(config), "safelight-colours")
    if url := config.getoption("safelight_url"):
        from safelight.testing.external import server_at

        try:
            config.stash[_SERVER] = server_at(url, os.environ)
        except ValueError as error:
            raise pytest.UsageError(f"--safelight-url: {error}") from None


_MARKERS = (
    (
        "safelight(**settings): what the API of the fixture `safelight` is like, such as queued=2, polls=(1, 2) or "
        "balance=25; docs/pytest.md has all settings."
    ),
    "safelight_faults(*rules): what goes wrong, and when, such as 'poll#2: http 502'.",
    "safelight_scenarios(*names): run the test once for each of these scenarios; without names for all.",
)

#: Their names.
_MARKS = [line.partition("(")[0] for line in _MARKERS]


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse what cannot be before any test runs; a worker of xdist would end without its sentence."""
    if not hasattr(config, "workerinput"):
        for sentence in config.stash.get(_MISTAKES, ()):
            raise pytest.UsageError(sentence)
        users = [item for item in items if "safelight" in _fixtures_of(item)]
        if users:
            _check_fixtures(session)
        for item in items:
            if any(mark.name.startswith("safelight") for mark in item.iter_markers()) or _has_scenario(item):
                from safelight.testing.markers import check

                check(item, _MARKS)


def _has_scenario(item: pytest.Item) -> bool:
    given = getattr(item, "callspec", None)
    return given is not None and "safelight_scenario" in given.params


def _fixtures_of(item: pytest.Item) -> Sequence[str]:
    return getattr(item, "fixturenames", ())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each scenario that its marker names."""
    marker = metafunc.definition.get_closest_marker("safelight_scenarios")
    if marker:
        from safelight.testing.markers import scenarios_of

        try:
            found = scenarios_of(marker, metafunc.fixturenames)
        except ValueError as error:
            sentence = f"{metafunc.definition.nodeid}: @pytest.mark.safelight_scenarios{error}"
            if hasattr(metafunc.config, "workerinput"):
                raise pytest.Collector.CollectError(sentence) from None
            # Raised here it would be an error of the collection, traceback and all.
            metafunc.config.stash.setdefault(_MISTAKES, []).append(sentence)
        else:
            names = [scenario.name for scenario in found]
            metafunc.parametrize("safelight_scenario", found, ids=names, indirect=True)


@pytest.fixture
def safelight_scenario(request: pytest.FixtureRequest) -> Scenario | None:
    """The scenario of this test, where the marker `safelight_scenarios` gives it one."""
    return getattr(request, "param", None)


@pytest.fixture(scope="session")
def _safelight_host(request: pytest.FixtureRequest) -> Iterator[SharedServer]:
    """The one server of a run."""
    from safelight.mockserver.transports.server import CannotListen
    from safelight.testing.factory import open_host

    try:
        with open_host() as host:
            request.config.stash[_HOST] = host
            yield host
            del request.config.stash[_HOST]
    except CannotListen as error:
        sentence = f"the fixture safelight needs a port of this machine: {error}"
        if hasattr(request.config, "workerinput"):  # where the end of a run would be one of a worker
            raise pytest.fail.Exception(sentence, pytrace=False) from None
        pytest.exit(sentence, pytest.ExitCode.USAGE_ERROR)


@pytest.fixture
def safelight(
    request: pytest.FixtureRequest, safelight_scenario: Scenario | None
) -> Iterator[Safelight | ControlledServer | ExternalServer]:
    """The API, fresh for each test: url, api_key, journal, clock, plan, ledger, tasks, next(...), timeline(...)."""
    from safelight.testing.factory import key_of
    from safelight.testing.guard import guard
    from safelight.testing.markers import options_of

    try:
        told = options_of(request.node)
    except pytest.UsageError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    server = request.config.stash.get(_SERVER, None)
    with guard(_allowed(request.config)):
        if server and _is_steerable(request.config, server):
            from safelight.testing.controlled import ControlledServer

            with ControlledServer(server, key_of(request.node.nodeid), told) as api:
                request.node.stash[_TOLD] = api
                request.node.stash[_FIXTURE] = _Judged(api, told.get("contract", True), safelight_scenario)
                yield api
            return
        if server:
            from safelight.testing.external import ExternalServer, skip_what_needs_the_fake

            skip_what_needs_the_fake(told, server)
            yield ExternalServer(server)
            return
        from safelight.testing.options import opened

        # Asked for by name each time, the fixture would cost as much as a request.
        host = request.config.stash.get(_HOST, None) or request.getfixturevalue("_safelight_host")
        with opened(host, key_of(request.node.nodeid), told) as api:
            request.node.stash[_TOLD] = api
            request.node.stash[_FIXTURE] = _Judged(api, told.get("contract", True), safelight_scenario)
            yield api


def _is_steerable(config: pytest.Config, server: Server) -> bool:
    """A fake of ours answers there: asked once."""
    from safelight.testing.controlled import is_steerable

    if _STEERABLE not in config.stash:
        config.stash[_STEERABLE] = is_steerable(server)
    return config.stash[_STEERABLE]


@pytest.fixture(scope="session")
def safelight_factory(request: pytest.FixtureRequest) -> Factory:
    """Makes fresh APIs, one for each block: what an example of Hypothesis needs."""
    from safelight.testing.factory import Factory

    def running() -> str:
        return request.config.stash[_RUNNING].nodeid

    def used(api: Safelight) -> None:
        request.config.stash[_RUNNING].stash[_TOLD] = api

    at = request.config.stash.get(_SERVER, None) or request.getfixturevalue("_safelight_host")
    virtual_time = bool(request.config.getini("safelight_virtual_time"))
    return Factory(at, running, used, _allowed(request.config), virtual_time=virtual_time)


def _allowed(config: pytest.Config) -> list[str]:
    """The hosts that clients may connect to, beside those of this machine."""
    server = config.stash.get(_SERVER, None)
    ours = [server.host] if server else []
    return [*config.getoption("safelight_allow"), *config.getini("safelight_allow"), *ours]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Remember which test is running: a fixture of the session does not know."""
    item.config.stash[_RUNNING] = item
    result = yield
    if places := sys.modules.get("safelight.testing.virtual_time.patches"):
        places.put_back()
    return result


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judge a test that passed: the client kept the contract, and what was to go wrong did."""
    result = yield
    if judged := item.stash.get(_FIXTURE, None):
        try:
            _judge(judged)
        except AssertionError as error:
            item.stash[_FOUND_WRONG] = error
            raise
    return result


def _judge(judged: _Judged) -> None:
    """The client kept the contract, and all that was planned struck.

    What a scenario planned may not have come about: a client that fetches no pictures finds none missing. Then
    nothing was tested, and nothing is said to be good.
    """
    from safelight.traffic.expectations import Undelivered, UnmetExpectation

    try:
        if judged.contract:
            judged.api.assert_contract_kept()
        judged.api.assert_plan_delivered()
    except UnmetExpectation as wrong:
        if judged.scenario and isinstance(wrong, Undelivered):
            sentence = f"the scenario {judged.scenario.name} never came about: {wrong.sentence}"
            # pytest's own way to say that it is the test that is left out, and not this line.
            raise pytest.skip.Exception(sentence, _use_item_location=True) from None
        wrong.sentence = f"the test passed, but {wrong.sentence}"
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the transcript of a test that failed."""
    report = yield
    api = item.stash.get(_TOLD, None)
    if api and report.failed:
        from safelight.contracts import VERSION

        report.sections.append((f"{_SECTION}{VERSION}", api.transcript))
        if call.excinfo and call.excinfo.value is item.stash.get(_FOUND_WRONG, None):
            report.longrepr = call.excinfo.getrepr(style="value")
    return report


class _Colours:
    """Colours the transcript where it is printed: with xdist, that is not the process where it was told."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Do so once others, who write files, have read it."""
        if report.failed and self._config.pluginmanager.has_plugin("terminalreporter"):
            markup = self._config.get_terminal_writer().markup
            report.sections = [
                (
                    name,
                    "\n".join(markup(line, **_look(line)) for line in text.splitlines())
                    if name.startswith(_SECTION)
                    else text,
                )
                for name, text in report.sections
            ]


def _look(line: str) -> dict[str, bool]:
    return next((look for form, look in _LOOKS.items() if re.fullmatch(form, line)), {})


def _check_fixtures(session: pytest.Session) -> None:
    """Refuse a second plugin with a fixture of our name; a suite may have one, and build on ours."""
    found = session._fixturemanager.getfixturedefs("safelight", session)  # noqa: SLF001 - nothing public tells
    for fixture in found or ():
        module = fixture.func.__module__
        if module != __name__ and "safelight" not in fixture.argnames:
            raise pytest.UsageError(
                f"two plugins have a fixture called safelight, this one and {module}: leave one out, with "
                f"-p no:safelight or -p no:{module}"
            )
