"""The search for a story that a client does not survive, and for the smallest such story."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from time import monotonic
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings

from safelight.conformance.clients.stories import MAX_FAULTS, openings, stories
from safelight.conformance.clients.story import Story, simpler
from safelight.conformance.results import Tried
from safelight.conformance.verdicts import MUSTS, Finding, Severity

#: Tries a story on the client.
Try = Callable[[Story], Tried]

#: Seconds that making a story smaller may take, beyond the time for finding one.
MAX_SHRINKING_SECONDS: Final = 30.0


class _TimeIsUp(KeyboardInterrupt):
    """Hypothesis lets this through at once."""


class _Broken(KeyboardInterrupt):
    """A story that the client does not survive, drawn here or news: Hypothesis lets this through as well."""


@dataclass
class Found:
    """What a search came to."""

    #: Stories that were tried until the first that broke the client, that one among them; else all.
    examples: int = 0
    #: Stories that were tried in all.
    tried: int = 0
    #: The smallest story that breaks the client; None: none was found.
    story: Story | None = None
    result: Tried | None = None


@dataclass
class Search:
    """A search within a time, or a number of stories."""

    try_story: Try
    seconds: float = 60.0
    max_examples: int = 100_000
    seed: int = 0
    max_faults: int = MAX_FAULTS
    #: Findings that are a SHOULD count too.
    strict: bool = False
    #: Names of faults that no story has.
    leaves_out: Collection[str] = ()
    #: Asked before each story that is drawn for those that others have found meanwhile: they are tried first.
    news: Callable[[], Iterable[Story]] = tuple
    #: Called with each story that was tried.
    seen: Callable[[Story, Tried], None] = lambda *_: None

    def run(self, first: Iterable[Story] = ()) -> Found:
        """Try the stories that come first, the openings, then drawn ones; make the first that breaks it smaller."""
        self._found, self._end = Found(), monotonic() + self.seconds
        try:
            for story in islice(chain(first, openings(self.seed, self.max_faults)), self.max_examples):
                self._check_with_news(story)
            self._draw(self.max_examples - self._found.tried)
        except _Broken:
            with suppress(KeyboardInterrupt):  # what was found is kept, as small as it has become
                self._shrink()
        except _TimeIsUp:
            pass
        return self._found

    def _draw(self, examples: int) -> None:
        if examples <= 0:
            return

        # Hypothesis draws; to make a story smaller it takes ten times as many runs as `simpler`.
        @seed(self.seed)
        @settings(
            database=None,
            deadline=None,
            max_examples=examples,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(stories(max_faults=self.max_faults))
        def search(story: Story) -> None:
            self._check_with_news(story)

        search()

    def _check_with_news(self, story: Story) -> None:
        for one in (*self.news(), story):
            self._check(one)

    def _check(self, story: Story) -> None:
        """Raises `_Broken` where the client does not survive."""
        if monotonic() > self._end:
            raise _TimeIsUp
        story = story.without(self.leaves_out)
        result = self.try_story(story)
        self._found.tried += 1
        self.seen(story, result)
        if self._is_broken(result):
            self._found.examples, self._found.story, self._found.result = self._found.tried, story, result
            raise _Broken

    def _shrink(self) -> None:
        """Go from story to simpler story as long as the client does not survive."""
        self._end, tried = monotonic() + MAX_SHRINKING_SECONDS, set[str]()
        while self._found.story and self._found.result:
            rules = {finding.rule for finding in self._broken(self._found.result)}
            for story in simpler(self._found.story):
                if str(story) in tried or monotonic() > self._end:
                    continue
                tried.add(str(story))
                result = self.try_story(story)
                self._found.tried += 1
                if rules & {finding.rule for finding in self._broken(result)}:
                    self._found.story, self._found.result = story, result
                    break
            else:
                return

    def _is_broken(self, result: Tried) -> bool:
        return bool(self._broken(result))

    def _broken(self, result: Tried) -> list[Finding]:
        counted = MUSTS | {Severity.SHOULD} if self.strict else MUSTS
        return [finding for finding in result.findings if finding.severity in counted]


def kept(folder: Path) -> Iterator[Story]:
    """The stories of a corpus, the newest first; what is none is passed over."""
    for file in sorted(folder.glob("*.json"), key=lambda file: -file.stat().st_mtime):
        try:
            yield story_in(file)
        except ValueError:
            continue


def story_in(file: Path) -> Story:
    """The story of a file. Raises `ValueError` with a sentence."""
    try:
        form: Any = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{file} is no story: {error}") from None
    return Story.of(form["story"] if isinstance(form, dict) and "story" in form else form)


def keep(folder: Path, story: Story, sentences: Sequence[str]) -> Path:
    """Write a story into a corpus, beside what it showed; gives the file."""
    text = json.dumps({"story": story.form(), "in words": str(story), "showed": list(sentences)}, indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{sha256(json.dumps(story.form(), sort_keys=True).encode()).hexdigest()[:12]}.json"
    file.write_text(text + "\n", "utf-8")
    return file
