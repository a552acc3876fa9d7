"""A test that needs what is missing is counted aloud, and a document's block as well."""

from pathlib import Path

import pytest

from suites import ALONE, TWO_WORKERS

HERE = Path(__file__).parent


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A suite with the house's plug-in."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    pytester.makeconftest("pytest_plugins = ['left_out']")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.needs("no-such-tool")
        def test_one(): assert False

        @pytest.mark.needs("bash", "no-such-tool")
        def test_two(): assert False

        @pytest.mark.needs("bash")
        def test_three(): pass

        @pytest.mark.skip(reason="another reason")
        def test_four(): assert False
        """
    )
    return pytester


@pytest.mark.parametrize("workers", ["0", "2"])
def test_tests_are_left_out_by_name_and_counted_aloud(suite: pytest.Pytester, workers: str) -> None:
    result = suite.runpytest_inprocess(*(TWO_WORKERS if workers == "2" else ALONE), "--strict-markers")
    result.assert_outcomes(passed=1, skipped=3)
    (line,) = [line for line in result.outlines if line.startswith("left out:")]
    counted, names = line.rsplit(": ", 1)
    assert counted == "left out: 2 tests, because no-such-tool is missing"
    assert {name.rsplit("::", 1)[1] for name in names.split(", ")} == {"test_one", "test_two"}


def test_nothing_is_said_when_nothing_is_left_out(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess(*ALONE, "-k", "test_three")
    result.assert_outcomes(passed=1, deselected=3)
    result.stdout.no_fnmatch_line("*left out*")
