"""The checks of .ci can fail, and the README's commands can be found."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel_check() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / ".ci" / "wheel_check.py"))


@pytest.fixture(scope="module")
def site_check() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / ".ci" / "site_check.py"))


def test_a_file_forgotten_and_a_file_too_much_are_both_named(wheel_check: dict[str, Any]) -> None:
    missing, surplus = wheel_check["differences"](
        {"safelight/a.json", "safelight/b.py"}, {"safelight/b.py", "tests/t.py"}
    )
    assert missing.startswith("  missing: safelight/a.json ")
    assert surplus == "  too much: tests/t.py"


def test_the_wheel_has_the_files_behind_the_links_and_not_the_links(wheel_check: dict[str, Any]) -> None:
    sources = [
        "README.md",
        "contracts/schemas/a.json",
        "src/safelight/contracts",
        "src/safelight/py.typed",
        "tests/t.py",
    ]
    assert wheel_check["expected_files"](sources) == {"safelight/py.typed", "safelight/contracts/schemas/a.json"}


@pytest.mark.parametrize(
    ("tag", "problem"),
    [
        ('<a href="other/">', None),
        ('<a href="./#part">', None),
        ('<a href="https://example.org/">', None),
        ('<img src="lamp.svg?v=1">', None),
        ('<link rel="canonical" href="https://example.org/">', None),
        ('<a href="lost/">', "lost/ does not exist"),
        ('<img src="lost.png">', "lost.png does not exist"),
        ('<script src="//example.org/x.js">', "//example.org/x.js is fetched from elsewhere"),
        (
            '<link rel="stylesheet" href="https://example.org/x.css">',
            "https://example.org/x.css is fetched from elsewhere",
        ),
    ],
)
def test_a_reference_leads_somewhere_in_the_site(
    tag: str, problem: str | None, site_check: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    for page in ("index.html", "other/index.html", "lamp.svg"):
        (tmp_path / page).write_text(tag)
    problems = list(site_check["problems"](tmp_path / "index.html", tmp_path))
    assert problems == ([problem] if problem else [])


def test_every_debian_package_is_named_as_its_command_or_followed_by_it() -> None:
    lines = (ROOT / ".ci" / "debian-packages.txt").read_text().splitlines()
    assert all(re.fullmatch(r"#.*|[a-z0-9][a-z0-9.+-]*( [a-z0-9.+-]+)?", line) for line in lines)
