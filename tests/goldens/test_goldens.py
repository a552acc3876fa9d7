"""The fake answers, books and writes down what it did when the corpus was recorded.

Where a change of behaviour is wanted, `python tests/goldens/record.py` writes the recordings again, and the diff of
the commit shows what changed.
"""

import json
from functools import cache

import pytest

from goldens.binding import engine_names, fault_names, operation_names
from goldens.corpus import SEEDS, stories
from goldens.differences import differences, told
from goldens.reading import Recording, occurrences, recordings
from goldens.recording import recorded

#: What is done to a story beside requests.
DEEDS = ("advance", "release", "next", "fail", "plan add", "plan clear", "revoke", "reopen", "close")

WAYS = ("header", "bearer", "query", "body", "none", "header wrong", "bearer wrong", "query wrong", "header+query")

#: Why a fault was never delivered.
MISSED = (
    "not due: no such request came",
    "not due:  such requests came, and none that it strikes",
    "due: it was due time, and there was nothing for it to spoil",
    "due: it struck, and the client was gone before its fault was delivered",
)

#: What occurs in the recording, whatever else does.
OCCURS = [
    *(f"operation {name}" for name in (*operation_names(), "upload", None)),
    *(f"fault {name}" for name in fault_names()),
    *(f"axis {name}" for name in ("seconds", "polls", "ticks")),
    *(f"phase {name}" for name in ("queued", "running", "done", "failed")),
    *(
        f"workflow {name}"
        for name in ("default", "anime", "z-image", "rr3", "grok", "image_editing", "video_generation")
    ),
    *(f"vocabulary {name}" for name in ("published", "plain")),
    *(f"errors {name}" for name in ("object", "string", "message")),
    *(f"limits {name}" for name in ("reject", "clamp")),
    *(f"path {name}" for name in ("/v1/index.php", "/TS-AI-API/v1/index.php", "/", "/elsewhere/")),
    *(f"down {name}" for name in engine_names()),
    *(f"paid for {name}" for name in ("image_generation", "image_editing", "video_generation")),
    *(f"way {name}" for name in WAYS),
    *(f"do {name}" for name in DEEDS),
    *(f"method {name}" for name in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS")),
    *(f"status {name}" for name in (200, 400, 401, 402, 404, 405, 413, 500, 502)),
    *("refund", "strike before", "strike after"),
    *(f"missed, {reason}" for reason in MISSED),
]


@cache
def kept() -> list[Recording]:
    return [recording for theme in SEEDS for recording in recordings(theme)]


def mismatch(recording: Recording, store: str) -> str:
    """Where the replay of a story first leaves its recording; nothing where it does not."""
    for step, (expected, got) in enumerate(zip(recording.lines, recorded(recording.story, store), strict=True)):
        if places := list(differences(expected, got)):
            return told(recording.name, step, expected, places[0], len(places) - 1)
    return ""


@pytest.mark.parametrize("store", ["memory", "json"])
@pytest.mark.parametrize("theme", SEEDS)
def test_the_fake_does_what_was_recorded(theme: str, store: str) -> None:
    every = list(recordings(theme))[:: 1 if store == "memory" else 5]  # a session of JSON is written with each request
    wrong = [sentence for recording in every if (sentence := mismatch(recording, store))]
    if wrong:
        pytest.fail(f"{len(wrong)} stories of {theme} differ; the first:\n{wrong[0]}", pytrace=False)


def test_the_recording_is_of_at_least_5_400_exchanges_in_320_stories() -> None:
    assert sum(len(recording.requests) for recording in kept()) >= 5_400
    assert len(kept()) >= 320


def test_everything_there_is_occurs_in_the_recording() -> None:
    found = occurrences(kept())
    assert [name for name in OCCURS if not found[name]] == []


@pytest.mark.parametrize("theme", SEEDS)
def test_the_corpus_is_the_one_that_was_recorded(theme: str) -> None:
    drawn = json.loads(json.dumps(list(stories(theme))))
    assert [story["name"] for story in drawn] == [recording.name for recording in recordings(theme)]
    changed = [
        recording.name for recording, story in zip(recordings(theme), drawn, strict=True) if recording.story != story
    ]
    assert changed == []


def test_a_mismatch_is_told_in_three_short_lines() -> None:
    line = {"step": {"do": "request", "method": "GET", "path": "/", "query": "endpoint=user_balance"}, "then": {}}
    expected, got = {"then": {"status": 200, "body": "x" * 900}}, {"then": {"status": 402, "body": "x" * 800 + "y"}}
    places = list(differences(expected, got))
    sentence = told("money-03", 4, line, places[1], len(places) - 1)
    assert sentence.splitlines() == [
        "story money-03, step 4 (request GET / endpoint=user_balance): then.status differs, and 1 more in this step",
        "  expected 200",
        "  got      402",
    ]
    assert max(map(len, told("money-03", 4, line, places[0], 0).splitlines())) < 200
