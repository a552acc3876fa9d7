"""The dialects: where servers of this API are known to differ, a setting each, and a name for each variant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from safelight.contracts.vocabularies import vocabularies
from safelight.contracts.wording import did_you_mean, echoed, listed

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Dialect:
    """A value of a setting: its name, and what a server that speaks it says."""

    setting: str
    name: str
    says: str


#: The name of a form of errors -> the schema of its envelope.
ERRORS: Final[Mapping[str, str]] = {"object": "error", "string": "error.string", "message": "error.message"}

#: The name of an entry point -> its path. A server answers under all of them.
PATHS: Final[Mapping[str, str]] = {"published": "/v1/index.php", "earlier": "/TS-AI-API/v1/index.php", "root": "/"}

#: A workflow of any name is taken.
_ANY_WORKFLOW: Final = frozenset({"image_generation.workflow.enum"})


@dataclass(frozen=True, slots=True)
class Requests:
    """How a server reads requests: what it says of itself, and what it takes beyond what is published."""

    says: str
    #: The ids of the rules that it does not ask.
    spared: frozenset[str] = frozenset()
    #: Parameters may stand in `settings`, and the prompt within a prompt.
    is_nested: bool = False


#: The name of a dialect of requests -> how a server that speaks it reads them. An edit without a picture stands in the
#: documentation of the Linux DO edition; that it takes workflows of any name is assumed.
REQUESTS: Final[Mapping[str, Requests]] = {
    "published": Requests("an unknown workflow is answered with 400"),
    "lenient": Requests("a workflow of any name is taken, and answered as the default one", _ANY_WORKFLOW),
    "linux-do": Requests(
        "as lenient; parameters may stand in settings, the prompt in a prompt; /api.php?action=generate answers",
        _ANY_WORKFLOW | {"image_editing.image.required"},
        is_nested=True,
    ),
}

_LIMITS: Final = {
    "reject": "a value over its maximum is answered with 400",
    "clamp": "a value over its maximum is brought down to it",
}


@cache
def dialects() -> Mapping[str, Mapping[str, Dialect]]:
    """Setting -> name -> dialect; the first of each setting is the default."""
    wordings: Mapping[str, Mapping[str, str]] = {
        "vocabulary": {name: ", ".join(vocabularies()[name].words.values()) for name in ("published", "plain")},
        "errors": {
            "object": '"error": {"message": "..."}',
            "string": '"error": "..."',
            "message": '"message": "...", and no error',
        },
        "limits": _LIMITS,
        "requests": {name: one.says for name, one in REQUESTS.items()},
        "path": PATHS,
    }
    return {
        setting: {name: Dialect(setting, name, says) for name, says in names.items()}
        for setting, names in wordings.items()
    }


def check_dialect(setting: str, name: str) -> None:
    """Raises `ValueError` with a sentence where the setting has no dialect of this name."""
    known = dialects()[setting]
    if name not in known:
        near = did_you_mean(name, known) or f": there are {listed(known)}"
        raise ValueError(f"{setting} cannot be {echoed(name)}{near}")


def error_of(envelope: object) -> str:
    """The message of an error in any dialect, or an empty string."""
    match envelope:
        case {"error": {"message": str(message)}} | {"error": str(message)} | {"message": str(message)}:
            return message
    return ""
