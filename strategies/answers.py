"""Valid answers of the service: to a submit, and to a poll."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from hypothesis import strategies as st

from safelight.contracts import Phase, names, operations, vocabularies
from safelight.contracts.schemas import known
from safelight.contracts.wording import echoed, not_among
from safelight.strategies.texts import texts
from safelight.strategies.values import merged, values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hypothesis.strategies import DrawFn, SearchStrategy

#: The variant whose schema is the envelope of an error.
ERROR: Final = "error"

#: Sentences of errors: documented ones, one that sounds like another error, and any.
_MESSAGES: Final = st.one_of(
    st.sampled_from(["Insufficient balance", "Unauthorized: Invalid API Key", "Upstream error: 429"]), texts(1)
)

_HOSTS: Final = st.sampled_from(["localhost", "cdn.example.com", "127.0.0.1:8123", "[::1]", "b\u00fccher.example"])

_FILES: Final = st.sampled_from(["1.png", "uploads/a.png", "uploads/a%20b.png?v=2", "", "\N{CAT}.png"])

#: Absolute addresses of pictures: the pattern alone lets through what is no URL.
_URLS: Final = st.builds("{}://{}/{}".format, st.sampled_from(["http", "https"]), _HOSTS, _FILES)

_TIMES: Final = st.one_of(st.none(), st.just("2026-01-31T09:00:00Z"), st.integers(0, 2**31), texts())


def responses(variant: str | None = None, *, operation: str = "image_generation") -> SearchStrategy[dict[str, Any]]:
    """Valid answers to a submit, or to `user_balance`, in their envelope; `error` is that of an error.

    Of any variant or of one: `comfyui`, `rr3` and `grok` of `image_generation`, `i2v` and `t2v` of `video_generation`,
    `success` of `user_balance`.
    """
    _is_one_of(operation, [name for name in operations() if name != "task_status"], "operation")
    found = _variants(operation)
    if variant is None:
        return st.one_of(*(responses(each, operation=operation) for each in found))
    _is_one_of(variant, found, "variant")
    return values(known(ERROR), plausible={"message": _MESSAGES}) if variant == ERROR else _accepted(found[variant])


def statuses(phase: Phase | str | None = None, *, vocabulary: str = "published") -> SearchStrategy[dict[str, Any]]:
    """Valid answers of `task_status` in their envelope, in any phase or in one, in the words of the vocabulary."""
    _is_one_of(vocabulary, vocabularies(), "vocabulary")
    if phase is None:
        return st.one_of(*(statuses(each, vocabulary=vocabulary) for each in Phase))
    _is_phase(phase)
    word = vocabularies()[vocabulary].words[Phase(phase)]
    plausible = {"id": _ids(), "status": st.just(word), "created_at": _TIMES, "image_url": _URLS, "video_url": _URLS}
    return values(known(f"task_status.response.{phase}"), plausible=plausible)


@st.composite
def _accepted(draw: DrawFn, schema: str) -> dict[str, Any]:
    answer: dict[str, Any] = draw(values(known(schema), plausible={"id": _ids_of(schema)}))
    data = answer["data"]
    if "check_status" in data:  # so far the beginning, which the pattern states
        data["check_status"] += quote(data["id"], safe="")
    return answer


def _ids() -> SearchStrategy[str]:
    """Task ids of each engine, the plainest first."""
    found = [schema for name, schema in _variants("image_generation").items() if name != ERROR]
    return st.one_of(*map(_ids_of, reversed(found)))


def _ids_of(schema: str) -> SearchStrategy[Any]:
    """From the pattern; but a UUID in one draw, since 32 digits of a pattern shrink singly."""
    stated = merged(known(schema))["properties"]["data"]["properties"].get("id", {"type": "null"})
    if stated == _UUID:
        uuids = st.uuids(version=4)
        return st.one_of(uuids.map(str), uuids.map(lambda uuid: str(uuid).upper()))
    return values(stated)


_UUID: Final = known("image_generation.response.comfyui")["properties"]["data"]["properties"]["id"]


def _variants(operation: str) -> dict[str, str]:
    """Variant -> the schema of its answer."""
    whole = operations()[operation].response
    found = {name.removeprefix(f"{whole}."): name for name in names() if name.startswith(f"{whole}.")}
    return {**found, ERROR: ERROR}


def _is_phase(name: str) -> None:
    """The name is that of a phase; a word on the wire is not, and says which phase it spells."""
    spelled = (words.phase(name) for words in vocabularies().values())
    if meant := next(filter(None, spelled), None):
        if name != meant:
            raise ValueError(f"no phase is called {echoed(name)}, which is a status word; did you mean {meant}?")
        return
    _is_one_of(name, Phase, "phase")


def _is_one_of(name: str, options: Iterable[str], kind: str) -> None:
    known_ones = list(options)
    if name not in known_ones:
        raise ValueError(not_among(kind, name, known_ones))
