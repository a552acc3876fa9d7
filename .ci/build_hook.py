"""Stop a build whose folders are not all there, and an editable install whose links are none; say what to do.

Hatchling runs it before each wheel, from the source distribution too: `tool.hatch.build.targets.wheel.hooks.custom`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: What to do about links that are none.
REMEDY = """\
From an archive, install without -e.
In a clone on Windows, turn on developer mode, then run `git config core.symlinks true` and `git checkout -- src`."""


class FoldersAndLinks(BuildHookInterface[Any]):
    """The hook: it adds nothing to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """End the build with all that is wrong."""
        root, wheel = Path(self.root), self.build_config.target_config
        if wrong := list(folder_problems(root, wheel)):
            self.app.abort("\n".join(wrong))
        if version == "editable" and (wrong := list(link_problems(root, wheel))):
            self.app.abort("\n".join([*wrong, REMEDY]))


def folders(wheel: Mapping[str, Any]) -> list[str]:
    """The top-level folders that are installed as `safelight.NAME`."""
    return [folder for folder in wheel["sources"] if folder != "src"]


def folder_problems(root: Path, wheel: Mapping[str, Any]) -> Iterator[str]:
    """Why a wheel would lack a folder, or hold it under another name."""
    for folder in folders(wheel):
        if not (root / folder / "__init__.py").is_file():
            yield f"{folder}/__init__.py is not there: without it the wheel has no safelight.{folder}."
    included = {name for name in wheel["only-include"] if not name.startswith("src/")}
    for folder in sorted(included ^ set(folders(wheel))):
        table = "sources" if folder in included else "only-include"
        yield f"{folder} is missing in `{table}` of tool.hatch.build.targets.wheel in pyproject.toml."


def link_problems(root: Path, wheel: Mapping[str, Any]) -> Iterator[str]:
    """Why an editable install, which is the path `src`, would not find a folder."""
    for folder in folders(wheel):
        link = root / "src" / "safelight" / folder
        if not (link.is_dir() and link.samefile(root / folder)):
            yield f"src/safelight/{folder} is no link to ../../{folder}: an editable install has no safelight.{folder}."
