"""What is published: its address stands in one place, its version is tagged once, and its links lead somewhere."""

import re
import runpy
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from parts import Part, check_fresh, table

ROOT: Final = Path(__file__).parents[1]
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

#: Owner and name of the repository.
ADDRESS: Final = PROJECT["urls"]["Source"].removeprefix("https://github.com/")

#: The files that name it.
NAMED: Final = (
    "pyproject.toml",
    "examples/ci/gitlab.yml",
    "examples/ci/nightly.yml",
    "examples/ci/pre-commit-config.yaml",
    "examples/ci/service-github.yml",
    "examples/ci/service-gitlab.yml",
)

#: Dependency -> what needs it.
NEEDED_BY: Final = {
    "anyio": "`safelight serve`",
    "click": "the command `safelight`",
    "httpx": "a client of httpx without a socket; `check server`",
    "hypothesis": "the strategies; `fuzz` and `check server`",
    "pillow": "pictures",
    "pytest": "the plugin",
    "respx": "the fixture for clients whose tests use respx",
    "rich": "what `demo` and the judges print",
    "starlette": "`safelight serve`, the fake as an ASGI application",
    "uvicorn": "`safelight serve`",
    "httptools": "`safelight serve`",
    "uvloop": "`safelight serve`, except on Windows",
}


@dataclass(frozen=True, slots=True)
class Addressed:
    """A file that names the repository."""

    path: Path

    def placed(self, text: str) -> str:
        """The file with the address in its place."""
        where = r"(github\.com/|githubusercontent\.com/|ghcr\.io/|registry\.gitlab\.com/|uses: )[\w.-]+/safelight\b"
        return re.sub(where, rf"\g<1>{ADDRESS}", text)


def parts() -> list[Addressed | Part]:
    needed = Part(
        "install.md", "dependencies", lambda: table(("distribution", "lowest", "what needs it"), dependencies())
    )
    return [*map(Addressed, (ROOT / name for name in NAMED)), needed]


def dependencies() -> list[tuple[str, str, str]]:
    """Each with its floor, and what needs it."""
    lines = [re.match(r"([\w-]+)>=([\w.]+)", line) for line in PROJECT["dependencies"]]
    return [(line[1], line[2], NEEDED_BY[line[1]]) for line in lines if line]


def test_the_address_is_that_of_the_project_and_the_page_has_the_dependencies() -> None:
    check_fresh(parts())


def test_each_dependency_is_said_to_be_needed_and_has_a_floor() -> None:
    assert [name for name, _, _ in dependencies()] == list(NEEDED_BY)
    assert len(PROJECT["dependencies"]) == len(NEEDED_BY)


def test_the_floors_are_tried_with_tests_that_are_there_and_all_tools_but_those_left_out() -> None:
    floors = runpy.run_path(str(ROOT / ".ci" / "floors.py"))
    assert [one for one in (*floors["TESTS"], *floors["LEFT_OUT"].values()) if not (ROOT / one).exists()] == []
    left_out = {*PROJECT["optional-dependencies"]["dev"]} - {*floors["tools"]()}
    assert {floors["name_of"](line) for line in left_out} == floors["LEFT_OUT"].keys()


def test_another_address_is_written_into_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ADDRESS", "somebody/safelight")
    for part in [part for part in parts() if isinstance(part, Addressed)]:
        text = part.path.read_text("utf-8")
        assert text.count(f"{PROJECT['urls']['Source'].split('/')[-2]}/safelight") > 0
        assert "OWNER" not in part.placed(text)


def test_no_other_file_names_it() -> None:
    command = ["git", "grep", "-l", "--untracked", f"{ADDRESS.partition('/')[0]}/safelight"]
    naming = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    made_from_them = {"docs/nightly.md", "docs/validate.md", "docs/containers.md"}
    assert set(naming) - made_from_them - {"tests/test_publishing.py"} == set(NAMED)


def test_a_link_that_needs_its_folder_is_found() -> None:
    wheel_check = runpy.run_path(str(ROOT / ".ci" / "wheel_check.py"))
    page = "[a](docs/a.md) ![b](https://x.example/b.svg) [c](#c) ![d](docs/d.svg)"
    assert wheel_check["relative_links"](page) == ["docs/a.md", "docs/d.svg"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose version is cut."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "tag").write_bytes((ROOT / ".ci" / "tag").read_bytes())
    (tmp_path / "pyproject.toml").write_text('version = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n\n## [1.2.0] - 2026-01-02\n\n## [1.1.0] - 2026-01-01\n")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder: Path) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "a change")


def tag(folder: Path) -> subprocess.CompletedProcess[str]:
    who = {f"GIT_{one}_{what}": "a@b.example" for one in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    command = ["bash", str(folder / ".ci" / "tag")]
    path = "/usr/bin:/bin:/usr/local/bin"
    return subprocess.run(command, env={"PATH": path, **who}, capture_output=True, text=True, check=False)


def test_a_version_is_tagged_once_with_a_message(clone: Path) -> None:
    assert tag(clone).returncode == 0
    assert git(clone, "cat-file", "-t", "v1.2.0") == "tag\n"
    again = tag(clone)
    assert (again.returncode, "v1.2.0 is tagged already" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("file", "text", "committed", "reason"),
    [
        ("a.txt", "new", False, "there are changes that are not committed"),
        ("pyproject.toml", 'version = "1.3.0"\n', True, "the newest version of CHANGELOG.md is 1.2.0"),
        ("pyproject.toml", "name = 'a'\n", True, "pyproject.toml has no line"),
        ("CHANGELOG.md", "## [Unreleased]\n", True, "the newest version of CHANGELOG.md is none"),
    ],
)
def test_what_is_not_ready_is_not_tagged(clone: Path, file: str, text: str, committed: bool, reason: str) -> None:  # noqa: FBT001
    (clone / file).write_text(text)
    if committed:
        commit(clone)
    done = tag(clone)
    assert (done.returncode, reason in done.stderr, git(clone, "tag")) == (1, True, "")


def test_the_version_of_the_project_is_cut_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert changelog.index("## [Unreleased]") < changelog.index(f"## [{PROJECT['version']}] - ")
