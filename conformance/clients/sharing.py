"""Stories that have broken a client, shared by searches that run at the same time, on this machine or on others."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Final

from hypothesis.database import ExampleDatabase

from safelight.conformance.clients.story import Story

#: What the stories stand under in a database.
_KEY: Final = b"safelight stories"


class SharedStories:
    """Stories in an example database of Hypothesis. What raises one of the `errors` shares nothing, and that is all."""

    def __init__(self, database: ExampleDatabase, errors: tuple[type[Exception], ...] = ()) -> None:
        self._database, self._errors = database, errors
        #: Those that were handed out, or kept, as they are written.
        self._known: set[bytes] = set()

    def news(self) -> list[Story]:
        """The stories that nobody here has seen yet; what is none is passed over."""
        texts: list[bytes] = []
        with suppress(*self._errors):
            texts = sorted({*self._database.fetch(_KEY)} - self._known)
        self._known.update(texts)
        return [story for text in texts if (story := _story(text))]

    def keep(self, story: Story) -> None:
        """Share a story."""
        text = json.dumps(story.form(), sort_keys=True).encode()
        self._known.add(text)
        with suppress(*self._errors):
            self._database.save(_KEY, text)


def _story(text: bytes) -> Story | None:
    with suppress(ValueError, RecursionError):
        form: Any = json.loads(text)
        return Story.of(form)
    return None
