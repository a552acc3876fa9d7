"""A client that is called is judged by the URL it was given, and by what it prints."""

import sys

from safelight.conformance.clients.calling import Job, call
from safelight.conformance.clients.runner import of_story
from safelight.conformance.clients.story import PLAIN, Story
from safelight.testing.factory import open_server


def rules_broken_by(text: str, story: Story) -> set[str]:
    """The rules that a client breaks which prints this, with {url} and {key} in it, and sends nothing."""

    def client(job: Job) -> None:
        sys.stdout.write(text.format(url=job.url, key=job.api_key))
        raise ValueError("no picture")

    with open_server() as server:
        return {one.rule for one in of_story(story, call(server, client, story.trial())).findings}


def test_a_key_that_is_printed_is_seen() -> None:
    assert "U9" in rules_broken_by("{key}", Story(PLAIN))
    assert "U9" not in rules_broken_by("a lamp", Story(PLAIN))


def test_the_evidence_has_the_url_that_the_client_was_given() -> None:
    story, given = Story(PLAIN, prefix="/s/abc"), []
    with open_server() as server:
        evidence = call(server, lambda job: given.append(job.url), story.trial())
    assert [evidence.url] == given
    assert "/s/abc/" in evidence.url


def test_a_story_without_a_fault_keeps_the_others() -> None:
    story = Story(PLAIN, faults=("poll#2: hang", "poll#4: reset"))
    assert story.without({"hang"}).faults == ("poll#4: reset",)
    assert story.without(()) == story
