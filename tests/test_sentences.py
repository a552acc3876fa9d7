"""What is kept of a test is compared word for word, and a snapshot has nothing of tests that are no more."""

from pathlib import Path

import pytest

from sentences import SUFFIX, has_test, read
from suites import ALONE

TESTS = Path(__file__).parent

SUITE = """
import pytest

@pytest.mark.parametrize("word", ["a", "b\\nc"])
def test_says(check_sentence, tmp_path, word):
    check_sentence(f"{tmp_path}/{word} # is said")
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite whose sentences are kept."""
    pytester.makepyfile(test_suite=SUITE)
    run(pytester, "--write-sentences").assert_outcomes(passed=2)
    return pytester


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*ALONE, "-p", "sentences", *options)


def change(pytester: pytest.Pytester, before: str, after: str) -> None:
    file = pytester.path / "test_suite.py"
    file.write_text(file.read_text().replace(before, after))


def test_what_was_kept_is_said_again(suite: pytest.Pytester) -> None:
    assert read(suite.path / f"test_suite{SUFFIX}") == {
        "test_says[a]": ["FOLDER/a # is said"],
        "test_says[b\\nc]": ["FOLDER/b\nc # is said"],
    }
    run(suite).assert_outcomes(passed=2)


def test_another_word_fails(suite: pytest.Pytester) -> None:
    change(suite, "is said", "is told")
    result = run(suite, "-k", "a]")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines(["E * is not what test_suite.sentences keeps: *; see --write-sentences"])


def test_a_sentence_that_is_not_kept_fails(suite: pytest.Pytester) -> None:
    change(suite, '"a", ', '"z", ')
    run(suite).assert_outcomes(failed=1, passed=1)


def test_the_sentences_of_a_test_that_is_no_more_are_not_kept(suite: pytest.Pytester) -> None:
    change(suite, "test_says", "test_tells")
    run(suite, "--write-sentences")
    assert {name.partition("[")[0] for name in read(suite.path / f"test_suite{SUFFIX}")} == {"test_tells"}


def test_no_snapshot_has_sentences_of_a_test_that_is_no_more() -> None:
    kept = [(file, name) for file in TESTS.rglob(f"*{SUFFIX}") for name in read(file)]
    assert kept
    assert [(file.name, name) for file, name in kept if not has_test(file, name)] == []
