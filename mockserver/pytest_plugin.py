"""The pytest plugin. Everything heavy is imported when a fixture is asked for: every pytest run imports this module."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from safelight.mockserver.factory import Factory
    from safelight.mockserver.host import Host
    from safelight.mockserver.testing import Safelight

#: Of a test, what it used last: the API, and whether its contract is judged at the end.
_USED = pytest.StashKey["tuple[Safelight, bool]"]()

#: Of a test that passed, what its client did wrong.
_JUDGED = pytest.StashKey[BaseException]()

#: The test that is running.
_RUNNING = pytest.StashKey[pytest.Item]()

_SECTION = "safelight"

#: How a line of the story looks on a terminal: by its phase where its verdict, the last word, is ok.
_LOOKS = {
    re.compile(r"seconds  .*  verdict"): {"bold": True},
    re.compile(r"\d.*  done +ok"): {"green": True},
    re.compile(r"\d.*  running +ok"): {"yellow": True},
    re.compile(r"\d.*  failed +ok|\d.*  (?!ok)\S+"): {"red": True},
}


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "safelight(queued, running, polls, fail, fail_rate, slots, vocabulary, contract=True): how tasks live in the "
        "API of the fixture `safelight`, in seconds of its clock or in polls; contract=False lets the client break "
        "the contract.",
    )
    config.pluginmanager.register(_Colours(config), "safelight-colours")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a marker that cannot be before any test runs; a worker of xdist would end without its sentence."""
    if not hasattr(config, "workerinput"):
        for item in items:
            if item.get_closest_marker("safelight"):
                _options(item)


@pytest.fixture(scope="session")
def _safelight_host() -> Iterator[Host]:
    """The one server of a run."""
    from safelight.mockserver.factory import open_host

    with open_host() as host:
        yield host


@pytest.fixture
def safelight(request: pytest.FixtureRequest, _safelight_host: Host) -> Iterator[Safelight]:
    """The API, fresh for each test, on a virtual clock: url, api_key, journal, clock, ledger, tasks, next(...)."""
    from safelight.mockserver.factory import key_of
    from safelight.mockserver.options import opened

    try:
        told = _options(request.node)
    except pytest.UsageError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    with opened(_safelight_host, key_of(request.node.nodeid), told) as api:
        request.node.stash[_USED] = api, told.get("contract", True)
        yield api


@pytest.fixture(scope="session")
def safelight_factory(request: pytest.FixtureRequest, _safelight_host: Host) -> Factory:
    """Makes fresh APIs, one for each block: what an example of Hypothesis needs."""
    from safelight.mockserver.factory import Factory

    def running() -> str:
        return request.config.stash[_RUNNING].nodeid

    def used(api: Safelight) -> None:
        request.config.stash[_RUNNING].stash[_USED] = api, False

    return Factory(_safelight_host, running, used)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Remember which test is running: a fixture of the session does not know."""
    item.config.stash[_RUNNING] = item
    return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judge the client of a test that passed: it kept the contract."""
    result = yield
    api, judged = item.stash.get(_USED, (None, False))
    if api and judged:
        try:
            api.assert_contract_kept()
        except AssertionError as error:
            item.stash[_JUDGED] = error
            raise
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the story of a test that failed."""
    report = yield
    api, _ = item.stash.get(_USED, (None, False))
    if api and report.failed:
        report.sections.append((_SECTION, api.story))
        if call.excinfo and call.excinfo.value is item.stash.get(_JUDGED, None):
            report.longrepr = call.excinfo.getrepr(style="value")
    return report


class _Colours:
    """Colours the story where it is printed: with xdist, that is not the process where it was told."""

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
                    "\n".join(markup(line, **_look(line)) for line in text.splitlines()) if name == _SECTION else text,
                )
                for name, text in report.sections
            ]


def _look(line: str) -> dict[str, bool]:
    return next((look for form, look in _LOOKS.items() if form.fullmatch(line)), {})


def _options(item: pytest.Item) -> dict[str, Any]:
    """What the markers of a test say, the nearest first. A mistake ends the run with a sentence."""
    from safelight.mockserver.options import checked

    options: dict[str, Any] = {}
    for marker in item.iter_markers("safelight"):
        if marker.args:
            raise pytest.UsageError(
                f"{item.nodeid}: @pytest.mark.safelight takes names, such as queued=2, not {marker.args[0]!r}"
            )
        options = {**marker.kwargs, **options}
    try:
        return checked(options)
    except ValueError as error:
        raise pytest.UsageError(f"{item.nodeid}: @pytest.mark.safelight: {error}") from None
