"""Text as people and programs send it: what has broken clients before, in pieces, the plainest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from safelight.strategies.weights import seldom

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

#: What texts are put together from. Examples shrink towards the first.
PIECES: Final = (
    "a",
    " ",
    "cat",
    "1girl, solo",
    "(masterpiece:1.2)",
    "<lora:ink:0.8>",
    "null",
    "429",
    '"',
    "'",
    "\\",
    "\n",
    "\r\n",
    "\t",
    "%20",
    "&",
    "../",
    "{}",
    "</b>",
    "\u00e9",
    "e\N{COMBINING ACUTE ACCENT}",
    "\u4e00\u53ea\u732b",  # a cat, in Chinese
    "\u0642\u0637\u0629",  # a cat, from right to left
    "\u05d7\u05ea\u05d5\u05dc",  # another
    "\N{CAT}",
    "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{ROCKET}",  # one picture, three characters
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "\N{ZERO WIDTH SPACE}",
    "\N{NULL}",
)

#: Pieces of a text of usual length, beyond the characters that it has to have.
_MAX_PIECES: Final = 6

#: Characters of a long text, which repeats a short one. (Hypothesis warns of examples whose repr is above 30,000.)
_MAX_CHARACTERS: Final = 2_500

#: Any character that UTF-8 can carry: no halves of surrogate pairs.
_CHARACTERS: Final = st.characters(codec="utf-8")

#: The first few pieces, which are words, make up a third.
_PIECE: Final = st.one_of(st.sampled_from(PIECES), st.sampled_from(PIECES[:6]), _CHARACTERS)

_IS_LONG: Final = seldom()


@st.composite
def texts(draw: DrawFn, min_size: int = 0, *, max_size: int | None = None) -> str:
    """Texts of `min_size` to `max_size` characters, both ends weighted; now and then a very long one."""
    text = "".join(draw(st.lists(_PIECE, min_size=min_size, max_size=min_size + _MAX_PIECES)))
    if not draw(_IS_LONG):
        return text[:max_size]
    longest = _MAX_CHARACTERS if max_size is None else max_size
    return (text * draw(st.integers(1, longest + 1)))[:longest]
