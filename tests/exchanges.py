"""Exchanges of any kind: what a journal may hold, and what a broken peer may have sent."""

from typing import Any, Final

from hypothesis import strategies as st

from safelight.contracts import Advice, Phase, Provenance, Violation
from safelight.traffic.exchange import Exchange

TEXTS: Final = st.text(max_size=12)
HEADERS: Final = st.dictionaries(st.from_regex(r"[a-z][a-z-]{0,9}", fullmatch=True), TEXTS, max_size=3)
SECONDS: Final = st.floats(0, 2e9)

#: JSON as the fake writes it, as others do, and what is none.
ANSWERS: Final = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [
            *(b"", b"null", b'{"success":true,"data":{},"error":null}', b'{"a": 1}', b'{"a":1,"a":2}', b'{"a":NaN}'),
            *(b'"text"', b"text", b"1e999", b"[" * 2_000, "é".encode(), b"\xef\xbb\xbf{}", b'{"a":"\\ud800"}', b"12"),
        ]
    ),
)

_FOUND: Final[dict[str, Any]] = {"pointer": TEXTS, "message": TEXTS, "provenance": st.sampled_from(Provenance)}


def exchanges() -> st.SearchStrategy[Exchange]:
    """Exchanges without keys: they are kept as they are."""
    return st.builds(
        Exchange,
        at=SECONDS,
        method=st.sampled_from(["GET", "POST", "BREW", ""]),
        target=st.one_of(st.sampled_from(["/", "*", "", "/v1/index.php?endpoint=x#y", "http://a/b?c=//"]), TEXTS),
        headers=HEADERS,
        body=ANSWERS,
        status=st.integers(0, 999),
        media_type=st.sampled_from(["application/json", "image/png", "text/html", ""]),
        answer=ANSWERS,
        operation=st.none() | TEXTS,
        task_id=st.none() | TEXTS,
        phase=st.none() | st.sampled_from(Phase),
        violations=st.lists(st.builds(Violation, rule=TEXTS, **_FOUND), max_size=2),
        advice=st.lists(st.builds(Advice, **_FOUND), max_size=2),
        fault=TEXTS,
        wire=st.sampled_from(["", "reset", "hang"]),
        answer_headers=HEADERS,
        took=st.none() | SECONDS,
        gap=st.none() | SECONDS,
        body_bytes=st.none() | st.integers(0, 2**40),
        answer_bytes=st.none() | st.integers(0, 2**40),
    )
