"""What `python tests/write.py` writes is all that pages say it writes, and leaves the rest as it is."""

import re
from pathlib import Path

import pytest

from parts import DOCS, WRITER, Part, Whole, check_fresh, write
from write import everything


def test_every_part_that_a_page_says_is_written_is_written_and_no_other() -> None:
    said = {
        (page.name, name)
        for page in DOCS.glob("*.md")
        for name in re.findall(rf"<!-- (.+): written by {WRITER} -->", page.read_text("utf-8"))
    }
    assert {(part.page, part.name) for part in everything() if isinstance(part, Part)} == said


def test_what_stands_around_a_part_is_kept() -> None:
    begin, end = f"<!-- things: written by {WRITER} -->", "<!-- end of things -->"
    part = Part("a.md", "things", lambda: "new")
    assert part.placed(f"a\n{begin}\nold\n{end}\nb\n") == f"a\n{begin}\n\nnew\n\n{end}\nb\n"


def test_what_is_stale_is_named_until_it_is_written(tmp_path: Path) -> None:
    file = Whole(tmp_path / "a.json", lambda: "{}\n")
    with pytest.raises(AssertionError, match=r"a\.json; run `python tests/write\.py`"):
        check_fresh([file])
    assert write([file]) == [file.path]
    check_fresh([file])
    assert write([file]) == []
