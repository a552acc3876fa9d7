"""The pytest plugin. Everything heavy is imported when a fixture is used: every pytest run imports this module."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

# Before any test can mock them.
from safelight.mockserver.model import real_time as _wall  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from safelight.mockserver.faults.scenarios import Scenario
    from safelight.testing.backends.shared_server import SharedServer
    from safelight.testing.factory import Factory
    from safelight.testing.safelight import Safelight

#: Of a test with the fixture, what of it is judged when it has passed.
_JUDGED = pytest.StashKey[Any]()

#: Of a test, the API that it used last: that one's transcript is in its report.
_USED = pytest.StashKey["Safelight"]()

#: Of a test that passed, what its client did wrong.
_FOUND_WRONG = pytest.StashKey[BaseException]()

#: The test that is running.
_RUNNING = pytest.StashKey[pytest.Item]()

#: The server that the tests run against in the place of the fake.
_SERVER = pytest.StashKey[Any]()

#: What is wrong with the markers of scenarios.
_MISTAKES = pytest.StashKey[list[str]]()

#: The one server of a run, while there is one.
_SHARED = pytest.StashKey["SharedServer"]()


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
        "safelight_virtual_time", "Virtual time for each test that does not say otherwise.", type="bool", default=True
    )
    parser.addini("safelight_allow", "Hosts that clients may connect to, as with --safelight-allow.", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and take in which server is meant."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)
    config.pluginmanager.register(_Colours(config), "safelight-colours")
    if url := config.getoption("safelight_url"):
        from safelight.testing.backends.external import server_at

        try:
            config.stash[_SERVER] = server_at(url, os.environ)
        except ValueError as error:
            raise pytest.UsageError(f"--safelight-url: {error}") from None


_MARKERS = (
    (
        "safelight(**settings): what the API of the fixture `safelight` is like, such as queued=2, polls=(1, 2) or "
        "balance=25; docs/settings.md has all settings."
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
def _safelight_server(request: pytest.FixtureRequest) -> Iterator[SharedServer]:
    """The one server of a run."""
    from safelight.testing.factory import open_server

    with open_server() as server:
        request.config.stash[_SHARED] = server
        yield server
        del request.config.stash[_SHARED]


def _server(request: pytest.FixtureRequest) -> Any:
    """The user's own server, or that of the run. Found by name each time, it would cost as much as a request."""
    stash = request.config.stash
    return stash.get(_SERVER, None) or stash.get(_SHARED, None) or request.getfixturevalue("_safelight_server")


@pytest.fixture
def safelight(request: pytest.FixtureRequest, safelight_scenario: Scenario | None) -> Iterator[Safelight]:
    """The API, fresh for each test: url, api_key, journal, clock, plan, ledger, tasks, next(...), timeline(...)."""
    from safelight.testing.factory import backend_at, key_of
    from safelight.testing.guard import guard
    from safelight.testing.judgement import Judged, switches_of
    from safelight.testing.markers import options_of
    from safelight.testing.safelight import Safelight

    try:
        options = options_of(request.node)
    except pytest.UsageError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    server = _server(request)
    with guard(_allowed(request.config)), backend_at(server, key_of(request.node.nodeid), options) as backend:
        api = Safelight(backend=backend)
        if backend.is_fake:
            request.node.stash[_USED] = api
            request.node.stash[_JUDGED] = Judged(api, switches_of(options), safelight_scenario)
        yield api


@pytest.fixture(scope="session")
def safelight_factory(request: pytest.FixtureRequest) -> Factory:
    """Makes fresh APIs, one for each block: what an example of Hypothesis needs."""
    from safelight.testing.factory import Factory

    def running() -> str:
        return request.config.stash[_RUNNING].nodeid

    def used(api: Safelight) -> None:
        request.config.stash[_RUNNING].stash[_USED] = api

    virtual_time = bool(request.config.getini("safelight_virtual_time"))
    return Factory(_server(request), running, used, _allowed(request.config), virtual_time=virtual_time)


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
    """Judge a test that passed: its client made no mistake, and each fault of its plan was delivered."""
    result = yield
    if judged := item.stash.get(_JUDGED, None):
        from safelight.testing.judgement import judge

        try:
            judge(judged)
            if sentence := judged.api.slowness:
                item.warn(pytest.PytestWarning(sentence))
        except (AssertionError, pytest.PytestWarning) as error:
            item.stash[_FOUND_WRONG] = error
            raise
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give the report of a test that failed its transcript."""
    report = yield
    api = item.stash.get(_USED, None)
    if api and report.failed:
        from safelight.testing.reports import add_transcript

        if call.excinfo and call.excinfo.value is item.stash.get(_FOUND_WRONG, None):
            report.longrepr = call.excinfo.getrepr(style="value")
        add_transcript(report, api, call.excinfo and call.excinfo.value)
    return report


class _Colours:
    """Colours the transcript where it is printed: with xdist, that is not the process where the test ran."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Do so once others, who write files, have read it."""
        if report.failed and self._config.pluginmanager.has_plugin("terminalreporter"):
            from safelight.testing.reports import coloured

            report.sections = coloured(report.sections, self._config.get_terminal_writer().markup)


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
