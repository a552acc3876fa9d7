"""What the report of a failed test says of its exchanges, and how that looks on a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts import VERSION
from safelight.mockserver.control.client import ControlRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from safelight.testing.safelight import Safelight

_SECTION: Final = "safelight, contract "

#: How a line of the transcript looks: by its phase where its outcome, the last word, is ok.
_LOOKS: Final = {
    r"seconds  .*  outcome": {"bold": True},
    r"\d.*  (submit|poll|image)\S*: .*  ok": {"purple": True},
    r"\d.*  done +ok": {"green": True},
    r"\d.*  running +ok": {"yellow": True},
    r"\d.*  failed +ok|\d.*  (?!ok)\S+": {"red": True},
}


def add_transcript(report: pytest.TestReport, api: Safelight, error: BaseException | None) -> None:
    """Add the transcript; and before it, why the client would have gone on for ever, unless `error` says so."""
    why = api.failure if api.failure not in str(error) else ""
    try:
        transcript = api.transcript
    except (ControlRefused, OSError) as gone:  # a running fake that runs no longer
        transcript = f"there is no transcript: {gone}"
    report.sections.append((f"{_SECTION}{VERSION}", f"{why}\n\n{transcript}".lstrip()))


def coloured(sections: list[tuple[str, str]], markup: Callable[..., str]) -> list[tuple[str, str]]:
    """The sections of a report, with colours in those of ours."""
    return [
        (name, "\n".join(markup(line, **_look(line)) for line in text.splitlines()))
        if name.startswith(_SECTION)
        else (name, text)
        for name, text in sections
    ]


def _look(line: str) -> dict[str, Any]:
    return next((look for form, look in _LOOKS.items() if re.fullmatch(form, line)), {})
