"""Searches share what they have found: what broke a client in one is tried at once in the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis.database import InMemoryExampleDatabase

import redis_server
from safelight.cli._database import shared_stories
from safelight.conformance.clients.fuzzing import Search
from safelight.conformance.clients.sharing import SharedStories
from safelight.conformance.clients.story import PLAIN, Story
from safelight.conformance.results import Tried
from safelight.conformance.verdicts import Finding, Severity, Verdict
from serving import SAFELIGHT, safelight

STORY: Final = Story(PLAIN, faults=("poll#2: http 502",))

#: A client that does not survive it.
CLIENT: Final = (
    *(sys.executable, "-S", "-E", str(Path(__file__).parents[2] / "run_liar.py")),
    "takes-the-first-bad-poll-for-the-end",
)


def tried(*, is_broken: bool) -> Tried:
    broken = [Finding("U1", Severity.MUST, "it was billed twice")] if is_broken else []
    return Tried("", Verdict.FAIL if broken else Verdict.PASS, broken)


def test_a_story_that_another_search_keeps_is_news_once() -> None:
    database = InMemoryExampleDatabase()
    one, other = SharedStories(database), SharedStories(database)
    one.keep(STORY)
    assert (one.news(), other.news(), other.news()) == ([], [STORY], [])


def test_what_is_no_story_is_passed_over() -> None:
    database = InMemoryExampleDatabase()
    for text in (b"{", b"[1]", b"\xff"):
        database.save(b"safelight stories", text)
    SharedStories(database).keep(STORY)
    assert SharedStories(database).news() == [STORY]


def test_a_database_that_is_gone_shares_nothing() -> None:
    class Gone(InMemoryExampleDatabase):
        def fetch(self, key: bytes) -> Iterator[bytes]:
            raise ConnectionError(key)

        def save(self, key: bytes, value: bytes) -> None:
            raise ConnectionError(key, value)

    shared = SharedStories(Gone(), (ConnectionError,))
    shared.keep(STORY)
    assert shared.news() == []


def test_what_others_have_found_meanwhile_is_tried_before_the_next_story() -> None:
    database = InMemoryExampleDatabase()
    stories: list[Story] = []

    def try_story(story: Story) -> Tried:
        stories.append(story)
        if len(stories) == 3:
            SharedStories(database).keep(STORY)
        return tried(is_broken=story == STORY)

    found = Search(try_story, max_faults=0, news=SharedStories(database).news).run()
    assert (found.story, found.examples, stories[3]) == (STORY, 4, STORY)


@pytest.mark.needs("redis-server")
def test_what_another_process_finds_ends_a_search_that_finds_nothing_by_itself(tmp_path: Path) -> None:
    url, heard = redis_server.empty(), list[Story]()
    shared = shared_stories(url)
    command = [SAFELIGHT, "fuzz", "--database", url, "--", "false"]

    def news() -> list[Story]:
        heard.extend(found := shared.news())
        return found

    def try_story(story: Story) -> Tried:
        return tried(is_broken=story in heard)

    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as other:
        found = Search(try_story, 300, 10**9, news=news).run()
        said, _ = other.communicate()
    assert other.returncode == 1
    assert heard[:1] == [found.story]
    assert f"  the story   {found.story}\n" in said


@pytest.mark.needs("redis-server")
def test_a_story_that_is_shared_is_tried_first(tmp_path: Path) -> None:
    url = redis_server.empty()
    shared_stories(url).keep(STORY)
    command = [SAFELIGHT, "fuzz", "--database", url, "--max-faults", "0", "--", *CLIENT]
    found = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=False)
    assert (found.returncode, found.stdout.startswith("story 1 broke it")) == (1, True)
    assert "fault: poll" in found.stdout


@pytest.mark.needs("redis-server")
def test_a_database_that_is_not_there_is_refused_without_its_password() -> None:
    found = safelight(["fuzz", "--database", "redis://user:s3cret@127.0.0.1:1/0", "--", "true"])
    assert found.returncode == 2
    assert "--database redis://...@127.0.0.1:1/0: " in found.stderr
    assert "s3cret" not in found.stderr
