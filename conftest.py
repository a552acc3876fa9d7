"""What holds for every test: documents run, and what cannot run here is left out aloud."""

import os
import signal
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import certifi
import pytest
from hypothesis import settings
from sybil.integration.pytest import SybilItem

from documents.collection import documents, folders
from safelight.mockserver.model.addresses import without_proxy

pytest_plugins = ["left_out", "sentences", "pytester"]

# No deadlines: how long an example takes is a matter for benchmarks, not for a busy machine.
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("thorough", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

pytest_collect_file = documents().pytest()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let pytest 8 take an option of pytest 9, which `pyproject.toml` sets; see `.ci/floors.py`."""
    with suppress(ValueError):  # this pytest has it
        parser.addini("faulthandler_exit_on_timeout", "only pytest 9 heeds it", type="bool")


_END_OF_CERTIFICATE = "-----END CERTIFICATE-----\n"


def pytest_configure(config: pytest.Config) -> None:
    """Trust one certificate instead of all: loading them takes each `httpx.Client` 25 ms, and no test needs them.

    Ask no proxy for this machine, where the suite runs behind one.

    Obey SIGINT also as a job in the background, which ignores it: what a test starts would ignore it as well. So it
    would SIGQUIT and, beneath `nohup`, SIGHUP, which this process goes on ignoring.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    one, end, _ = Path(certifi.where()).read_text("utf-8").partition(_END_OF_CERTIFICATE)
    folder = tempfile.TemporaryDirectory(prefix="certificate-")
    config.add_cleanup(folder.cleanup)
    file = Path(folder.name) / "one.pem"
    file.write_text(one + end, "utf-8")
    os.environ["SSL_CERT_FILE"] = str(file)
    os.environ.update(without_proxy(os.environ))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: a third of the time a worker waits for a socket or a process."""
    return (os.cpu_count() or 1) + 1


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect docstrings without importing the folders: they are importable only by their installed names."""
    if any(path.is_relative_to(folder) for folder in folders()):
        return pytest.Dir.from_parent(parent, path=path)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with documents and with files of few tests, which may be long ones, so that workers end at one time."""
    number = Counter(item.path for item in items)
    items.sort(key=lambda item: (not isinstance(item, SybilItem), number[item.path]))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Leave out a block of a document that calls a tool this machine lacks."""
    if isinstance(item, SybilItem):
        for tool in item.example.parsed.needs:
            item.add_marker(pytest.mark.needs(tool))
