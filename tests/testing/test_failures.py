"""What a user reads when a test that used the fixture fails."""

import re
from typing import Final

import pytest

from suites import errors, run, section

BELONGS: Final = "it belongs in the header x-api-key or Authorization: Bearer"

#: What a client did, what is expected of it, and the sentence that says otherwise.
CLAIMS: Final = {
    "nothing was submitted": (
        "poll(safelight, '0')",
        "assert_submitted_once()",
        "the client never submitted anything",
    ),
    "no submit was accepted": (
        "submit(safelight, width=0)",
        "assert_submitted_once()",
        "no submit of the client was accepted; 1 came in",
    ),
    "it was submitted twice": (
        "submit(safelight), submit(safelight, width=0), submit(safelight)",
        "assert_submitted_once()",
        "the client submitted 2 times, and each submit is paid for",
    ),
    "nothing was submitted with anything": (
        "pass",
        "assert_submitted(prompt='a')",
        "the client never submitted anything",
    ),
    "a parameter was another": (
        "submit(safelight, width=512)",
        "assert_submitted(prompt='a lamp', width=1024)",
        "in the submit, width was 512, not 1024",
    ),
    "a parameter was not sent": (
        "submit(safelight, width=512), submit(safelight, steps=3)",
        "assert_submitted(width=512, seed=7)",
        "in the nearest of 2 submits, seed was not sent",
    ),
    "a parameter is misspelled": (
        "submit(safelight, width=512)",
        "assert_submitted(widht=512, cfg=3)",
        "in the submit, widht was not sent; did you mean width and cfg was not sent",
    ),
    "true is not one": (
        "submit(safelight, seed=True)",
        "assert_submitted(seed=1)",
        "in the submit, seed was true, not 1",
    ),
    "nothing was polled": (
        "poll(safelight, '0')",
        "assert_polled()",
        "the client polled 0 times; expected were 1 or more",
    ),
    "it was polled too little": (
        "words(safelight, 1)",
        "assert_polled(at_least=2)",
        "the client polled 1 time; expected were 2 or more",
    ),
    "it was polled after the end": (
        "safelight.next(id='seven'); words(safelight, 5)",
        "assert_no_poll_after_end()",
        'the client was told that task "seven" is done, and polled it 2 times more',
    ),
    "it was polled after a failure": (
        "safelight.next(id='seven', fail=True); words(safelight, 4)",
        "assert_no_poll_after_end()",
        'the client was told that task "seven" is failed, and polled it 1 time more',
    ),
    "the key is in a URL": (
        "httpx.get(f'{safelight.url}?endpoint=task_status&task_id=0&api_key={safelight.api_key}')",
        "assert_key_only_in_headers()",
        f"a key stands in the query (as api_key) of GET task_status; {BELONGS}",
    ),
    "the key is in a body": (
        "submit(safelight, api_key=safelight.api_key)",
        "assert_key_only_in_headers()",
        f"a key stands in the body (as api_key) of POST image_generation; {BELONGS}",
    ),
    "the contract is broken": (
        "submit(safelight, width=0), submit(safelight), submit(safelight, steps=51)",
        "assert_contract_kept()",
        "the client broke the contract: POST image_generation breaks image_generation.width.minimum (the first of 2)",
    ),
    "a request is none of the API's": (
        "httpx.put(safelight.url)",
        "assert_contract_kept()",
        "the client broke the contract: PUT /v1/index.php is no request of the API",
    ),
}

NO_KEY: Final = (
    "no key was sent: neither in the header x-api-key, as Authorization: Bearer, as api_key in the query nor as "
    "api_key in the body"
)

RED, GREEN, YELLOW = "\x1b[31m", "\x1b[32m", "\x1b[33m"

HOLD: Final = """
def test(safelight):
    safelight.assert_no_poll_after_end()
    assert words(safelight) == ["pending", "processing", "completed"]
    safelight.assert_submitted_once()
    safelight.assert_submitted()
    safelight.assert_submitted(prompt="a lamp")
    safelight.assert_polled()
    safelight.assert_polled(at_least=3)
    safelight.assert_no_poll_after_end()
    safelight.assert_key_only_in_headers()
    safelight.assert_contract_kept()
    submit(safelight, seed=2)
    safelight.assert_submitted(seed=2.0)
"""


def failing(did: str, then: str) -> str:
    return f"def test(safelight):\n    {did}\n    {then}\n"


def test_claims_that_hold_say_nothing(pytester: pytest.Pytester) -> None:
    run(pytester, HOLD).assert_outcomes(passed=1)


@pytest.mark.parametrize("fact", CLAIMS)
def test_a_claim_fails_with_a_sentence_when(pytester: pytest.Pytester, fact: str) -> None:
    did, expectation, sentence = CLAIMS[fact]
    result = run(pytester, failing(did, f"safelight.{expectation}"))
    result.assert_outcomes(failed=1)
    first, *rest = errors(result)
    assert first == f"safelight.UnmetExpectation: {sentence}"
    assert any(re.match(r"seconds|no request came in", line) for line in rest)
    assert any(line.startswith(">") and expectation in line for line in result.outlines), "the user's line is shown"
    assert "expectations.py" not in result.stdout.str(), "and none of ours"


def test_a_failure_tells_the_story(pytester: pytest.Pytester) -> None:
    result = run(pytester, failing("words(safelight, 4)", "assert False"))
    result.assert_outcomes(failed=1)
    assert [re.split("  +", line) for line in section(result)] == [
        ["seconds", "request", "task", "answer", "phase", "outcome"],
        ["0.0", "submit", "1", "200 queued", "queued", "ok"],
        ["0.0", "poll", "1", "200 pending", "queued", "ok"],
        ["0.0", "poll", "1", "200 processing, 0 %", "running", "ok"],
        ["0.0", "2 polls", "1", "200 completed", "done", "ok"],
    ]


def test_a_story_without_requests_is_told(pytester: pytest.Pytester) -> None:
    assert section(run(pytester, failing("pass", "assert False"))) == ["no request came in"]


def test_a_request_without_the_key_is_in_the_story(pytester: pytest.Pytester) -> None:
    result = run(pytester, failing("httpx.post(f'{safelight.url}?endpoint=image_generation')", "assert False"))
    assert section(result)[1:] == [
        "0.0      submit   401     refused",
        "    Unauthorized: Invalid API Key",
        f"    advice: {NO_KEY}",
    ]


def test_no_key_is_in_a_story(pytester: pytest.Pytester) -> None:
    did = "key = safelight.api_key; httpx.get(f'{safelight.url}/{key}?api_key={key}'), poll(safelight, key)"
    result = run(pytester, failing(f"{did}; print('KEY', safelight.api_key[3:])", "assert False"))
    (key,) = [line.removeprefix("KEY ") for line in result.outlines if line.startswith("KEY ")]
    told = "\n".join(section(result))
    assert "sk-..." in told
    assert key not in told


def test_a_test_that_passes_tells_nothing(pytester: pytest.Pytester) -> None:
    assert section(run(pytester, failing("words(safelight)", "pass"), "-rA")) == []


def test_a_client_that_breaks_the_contract_fails_a_test_that_passed(pytester: pytest.Pytester) -> None:
    result = run(pytester, failing("submit(safelight, width=2049)", "pass"))
    result.assert_outcomes(failed=1)
    broke = "the client broke the contract: POST image_generation breaks image_generation.width.maximum"
    sentence = f"the test passed, but {broke}"
    assert sentence in result.outlines
    assert section(result)[-1] == "    width is 2049; the most is 2048"
    assert not [line for line in result.outlines if "pluggy/" in line or line.startswith(">")]


def test_a_test_that_fails_is_not_judged_as_well(pytester: pytest.Pytester) -> None:
    result = run(pytester, failing("submit(safelight, width=2049)", "assert 1 == 2"))
    assert errors(result) == ["assert 1 == 2"]


def test_a_test_that_is_skipped_is_not_judged(pytester: pytest.Pytester) -> None:
    run(pytester, failing("submit(safelight, width=2049)", "pytest.skip()")).assert_outcomes(skipped=1)


def test_the_factory_judges_each_of_its_blocks_and_shows_the_block(pytester: pytest.Pytester) -> None:
    tests = """
        from hypothesis import given, strategies as st

        @given(st.integers(1, 99))
        def test(safelight_factory, steps):
            with safelight_factory() as api:
                submit(api, steps=steps)
    """
    result = run(pytester, tests)
    result.assert_outcomes(failed=1)
    assert errors(result)[0].endswith("POST image_generation breaks image_generation.steps.maximum")
    assert ">       with safelight_factory() as api:" in result.outlines
    assert section(result)[-1] == "    steps is 51; the most is 50"


def test_the_factory_lets_other_failures_through(pytester: pytest.Pytester) -> None:
    tests = """
        def test(safelight_factory):
            with safelight_factory() as api:
                submit(api, width=0)
                assert 1 == 2
    """
    result = run(pytester, tests)
    assert errors(result) == ["assert 1 == 2"]
    assert section(result)[-1] == "    width is 0; the least is 1"


def test_the_story_is_coloured_on_a_terminal_alone(pytester: pytest.Pytester) -> None:
    tests = "def test(safelight):\n    words(safelight)\n    submit(safelight, width=0)\n    assert False\n"
    coloured = run(pytester, tests, "--color=yes", "--junitxml=report.xml", "-o", "junit_logging=all")
    lines = [line for line in coloured.outlines if re.search(r"\d\.\d  +(submit|poll)", line)]
    assert [line.split("0.0")[0] for line in lines] == ["", "", YELLOW, GREEN, RED]
    assert "\x1b" not in pytester.path.joinpath("report.xml").read_text()
    assert "\x1b" not in run(pytester, tests, "--color=no").stdout.str()
