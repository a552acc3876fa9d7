"""The checks of .ci can fail, and the README's commands can be found."""

import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
TOOL: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]

#: The top-level folders, as the links of an editable install name them.
LINKS = sorted(path.name for path in (ROOT / "src" / "safelight").iterdir() if path.is_symlink())


@pytest.fixture(scope="module")
def wheel_check() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / ".ci" / "wheel_check.py"))


@pytest.fixture(scope="module")
def build_hook() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / ".ci" / "build_hook.py"))


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


def test_a_wheel_of_other_files_or_other_bytes_is_not_the_same(wheel_check: dict[str, Any]) -> None:
    before = {"safelight/a.py": "1", "safelight/b.py": "2", "safelight/c.py": "3"}
    missing, surplus, other = wheel_check["changes"](
        before, {"safelight/a.py": "1", "safelight/b.py": "3", "d.py": "4"}
    )
    assert missing.startswith("  missing: safelight/c.py ")
    assert (surplus, other) == ("  too much: d.py", "  other bytes: safelight/b.py")


@pytest.mark.parametrize("loss", ["links as text files", "links left out"])
def test_an_archive_without_links_has_all_files_and_no_link(
    loss: str, wheel_check: dict[str, Any], tmp_path: Path
) -> None:
    link = f"src/safelight/{LINKS[0]}"
    wheel_check["copy_sources"](["LICENSE", link], tmp_path, wheel_check["LINKLESS"][loss])
    assert (tmp_path / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    texts = [path.read_text() for path in (tmp_path / "src" / "safelight").iterdir() if not path.is_symlink()]
    assert texts == ([f"../../{LINKS[0]}"] if loss == "links as text files" else [])


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("only-include", TOOL["hatch"]["build"]["targets"]["wheel"]["only-include"]),
        ("sources", TOOL["hatch"]["build"]["targets"]["wheel"]["sources"]),
        ("testpaths", TOOL["pytest"]["ini_options"]["testpaths"]),
        ("coverage", TOOL["coverage"]["run"]["source"]),
        ("layers", re.findall(r"(?<=safelight\.)\w+", " ".join(TOOL["importlinter"]["contracts"][0]["layers"]))),
    ],
)
def test_each_folder_that_has_a_link_is_named_wherever_folders_are_listed(place: str, names: list[str]) -> None:
    assert set(LINKS) <= set(names), place


def wheel_table(*names: str) -> dict[str, Any]:
    return {"only-include": ["src/safelight/py.typed", *names], "sources": {"src": "", **dict.fromkeys(names, "")}}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """One folder and its link."""
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__init__.py").touch()
    (tmp_path / "src" / "safelight").mkdir(parents=True)
    (tmp_path / "src" / "safelight" / "cli").symlink_to("../../cli")
    return tmp_path


def test_a_folder_with_its_link_is_built_and_installed(clone: Path, build_hook: dict[str, Any]) -> None:
    assert not list(build_hook["folder_problems"](clone, wheel_table("cli")))
    assert not list(build_hook["link_problems"](clone, wheel_table("cli")))


def test_a_build_stops_where_a_folder_is_not_there(clone: Path, build_hook: dict[str, Any]) -> None:
    (problem,) = build_hook["folder_problems"](clone, wheel_table("cli", "traffic"))
    assert problem.startswith("traffic/__init__.py is not there: ")


@pytest.mark.parametrize("place", ["only-include", "sources"])
def test_a_build_stops_where_a_folder_is_listed_once(place: str, clone: Path, build_hook: dict[str, Any]) -> None:
    table = wheel_table("cli")
    table[place] = {"src": ""} if place == "sources" else []
    (problem,) = build_hook["folder_problems"](clone, table)
    assert problem.startswith(f"cli is missing in `{place}` ")


@pytest.mark.parametrize("instead", ["text", "nothing", "another folder"])
def test_an_editable_install_stops_where_a_link_is_none(instead: str, clone: Path, build_hook: dict[str, Any]) -> None:
    link = clone / "src" / "safelight" / "cli"
    link.unlink()
    match instead:
        case "text":
            link.write_text("../../cli")
        case "another folder":
            link.mkdir()
    (problem,) = build_hook["link_problems"](clone, wheel_table("cli"))
    assert problem.startswith("src/safelight/cli is no link to ../../cli: ")


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


@pytest.fixture(scope="module")
def page_check() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / ".ci" / "page_check.py"))


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("<pre><code>short</code></pre>", None),
        (f"<pre><code style='display: block; overflow: auto'>{'x' * 300}</code></pre>", "300 characters is cut"),
        ("<p style='width: 600px'>wide</p>", "wide on a phone"),
        ("<p style='height: 9000px'>long</p>", "high on a phone"),
        ("<table><tr><td style='height: 9000px'>looked up</table>", None),
    ],
)
def test_a_page_fits_a_laptop_and_a_phone(
    body: str, problem: str | None, page_check: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text(f"<!DOCTYPE html><body style='margin: 0'>{body}")
    with page_check["served"](tmp_path) as url, page_check["browser"]() as window:
        found = list(page_check["problems"](window, url, is_read=True))
    assert [problem in one for one in found] == [True] if problem else found == []


def test_the_pages_under_reference_are_known(page_check: dict[str, Any]) -> None:
    nav = [{"Home": "index.md"}, {"Reference": [{"A": "a.md"}, {"B": "b.md"}]}, {"C": [{"D": "d.md"}]}]
    assert page_check["reference"](nav) == {"a", "b"}


def test_every_debian_package_is_named_as_its_command_or_followed_by_it() -> None:
    lines = (ROOT / ".ci" / "debian-packages.txt").read_text().splitlines()
    assert all(re.fullmatch(r"#.*|[a-z0-9][a-z0-9.+-]*( [a-z0-9.+-]+)?", line) for line in lines)
