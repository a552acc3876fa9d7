"""Build the wheel and use it: it holds every file of the folders and nothing else, and works away from the sources.

So does its pytest plugin: the suite of `examples/lamp` passes with it, and each test of `examples/wrong` fails.
From an archive that was unpacked without links comes the same wheel: links serve an editable install alone.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
PACKAGE = "src/safelight"

#: What unpacking without links makes of one: a file that holds its target (a ZIP, Git on Windows), or nothing.
LINKLESS: Mapping[str, Callable[[Path, str], object]] = {
    "links as text files": lambda path, target: path.write_text(target),
    "links left out": lambda _path, _target: None,
}

#: What tells how a wheel was built, and not what it is.
BUILD_RECORDS = re.compile(r"[^/]+\.dist-info/(WHEEL|RECORD)")

#: Run in the clean environment, isolated: each schema in the wheel is JSON, and comes from the wheel.
LOAD_SCHEMAS = """
import importlib.resources, json, pathlib, sys
import safelight.contracts
home = pathlib.Path(safelight.contracts.__file__)
assert home.is_relative_to(sys.prefix), f"{home} is not in the clean environment"
schemas = importlib.resources.files("safelight.contracts") / "schemas"
print(json.dumps([json.loads(s.read_text("utf-8"))["$schema"] for s in schemas.iterdir() if s.name.endswith(".json")]))
"""


def main() -> None:
    """Check the wheel, or end with what is wrong with it."""
    with tempfile.TemporaryDirectory(prefix="wheel-") as folder:
        place = Path(folder)
        sources = tracked_files(ROOT)
        wheel = built_wheel(sources, place / "release")
        wrong = list(differences(expected_files(sources), wheel_files(wheel)))
        if wrong:
            sys.exit("\n".join(["the wheel is not what the folders hold:", *wrong]))
        check_published(wheel)
        print(f"wheel: {wheel.name} holds the {len(expected_files(sources))} files of the folders and nothing else")
        for number, (loss, unpack) in enumerate(LINKLESS.items()):
            other = linkless_wheel(sources, place / f"archive-{number}", unpack)
            if wrong := list(changes(contents(wheel), contents(other))):
                sys.exit("\n".join([f"the wheel from an archive with its {loss} is not the same:", *wrong]))
            print(f"wheel: from an archive with its {loss} it is the same")
        commands = installed(wheel, place / "venv")
        smoke_test(commands, place)
        try_suites(commands, copied_suites(sources, place / "suites"))


def tracked_files(root: Path) -> list[str]:
    """The files of a clone, and those that would be in one once they are added."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in names.split("\0") if name and os.path.lexists(root / name))


def expected_files(sources: Iterable[str]) -> set[str]:
    """What the wheel has to hold: the package's own files, and those of the folders that its links lead to."""
    sources = list(sources)
    own = {name.removeprefix("src/") for name in sources if name.startswith(f"{PACKAGE}/")}
    links = {name for name in own if (ROOT / "src" / name).is_symlink()}
    folders = {link.removeprefix("safelight/") for link in links}
    return (own - links) | {f"safelight/{name}" for name in sources if name.split("/")[0] in folders}


def check_published(wheel: Path) -> None:
    """An index takes the wheel and the source distribution beside it, and what it shows leads somewhere from there."""
    run(sys.executable, "-m", "twine", "check", "--strict", *map(str, sorted(wheel.parent.iterdir())), cwd=wheel.parent)
    with ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        shown = archive.read(metadata).decode("utf-8")
    if wrong := relative_links(shown):
        sys.exit(f"links that lead nowhere in what an index shows: {', '.join(wrong)}")
    print("wheel: twine takes it and the source distribution, and all links of the description are absolute")


def relative_links(page: str) -> list[str]:
    """The links and pictures of a Markdown page that need its folder."""
    return re.findall(r"\]\((?!https?://|#)([^)]*)\)", page)


def wheel_files(wheel: Path) -> set[str]:
    """What it holds beside its own metadata."""
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not re.match(r"[^/]+\.dist-info/", name)}


def differences(expected: Collection[str], actual: Collection[str]) -> Iterator[str]:
    """What is missing and what is too much, a line each."""
    yield from (
        f"  missing: {name} (is it in tool.hatch.build.targets.wheel?)" for name in sorted({*expected} - {*actual})
    )
    yield from (f"  too much: {name}" for name in sorted({*actual} - {*expected}))


def contents(wheel: Path) -> dict[str, str]:
    """The digest of each file, the metadata's too."""
    with ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not BUILD_RECORDS.fullmatch(name)]
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """What is missing, too much or not the same, a line each."""
    yield from differences(before, after)
    both = sorted(before.keys() & after.keys())
    yield from (f"  other bytes: {name}" for name in both if before[name] != after[name])


def built_wheel(sources: Iterable[str], place: Path) -> Path:
    """A wheel from a copy of the sources, by way of the source distribution, as a release is built."""
    copy_sources(sources, place / "sources", lambda path, target: path.symlink_to(target))
    return built(place)


def linkless_wheel(sources: Iterable[str], place: Path, unpack: Callable[[Path, str], object]) -> Path:
    """A wheel straight from an archive without links, by the hatchling of this environment: that is quick."""
    copy_sources(sources, place / "sources", unpack)
    return built(place, "--wheel", "--no-isolation")


def copy_sources(sources: Iterable[str], place: Path, link: Callable[[Path, str], object]) -> None:
    """Lay the sources down in a folder; `link` gets the path of each link, and what it leads to."""
    for name in sources:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            link(place / name, (ROOT / name).readlink().as_posix())
        else:
            shutil.copy2(ROOT / name, place / name)


def built(place: Path, *options: str) -> Path:
    """The wheel that `python -m build` makes of the folder `sources`."""
    run(sys.executable, "-m", "build", *options, "--outdir", str(place / "dist"), str(place / "sources"), cwd=place)
    (wheel,) = (place / "dist").glob("*.whl")
    return wheel


def installed(wheel: Path, place: Path) -> Path:
    """A clean environment that has nothing but the wheel and what it asks for; the folder of its commands."""
    venv.create(place, with_pip=True)
    commands = place / ("Scripts" if os.name == "nt" else "bin")
    run(str(commands / "python"), "-m", "pip", "install", "--quiet", str(wheel), cwd=place)
    run(str(commands / "python"), "-m", "pip", "check", cwd=place)
    return commands


def smoke_test(commands: Path, away: Path) -> None:
    """The command and the schemas work away from the sources."""
    safelight = str(commands / "safelight")
    run(safelight, "--help", cwd=away)
    print("wheel:", run(safelight, "--version", cwd=away).strip())
    listed = [line.split()[0] for line in run(safelight, "schema", "list", cwd=away).splitlines() if line.strip()]
    for name in listed:
        json.loads(run(safelight, "schema", "show", name, cwd=away))
    loaded = json.loads(run(str(commands / "python"), "-I", "-c", LOAD_SCHEMAS, cwd=away))
    if not listed or len(listed) != len(loaded):
        sys.exit(f"the wheel holds {len(loaded)} schemas, and `safelight schema list` lists {len(listed)}")
    print(f"wheel: {len(listed)} schemas are listed, shown and loaded in a clean environment")


def copied_suites(sources: Iterable[str], place: Path) -> Path:
    """The folder that now holds the suites of `examples`: their modules alone, as they need no configuration."""
    for name in sources:
        if name.startswith("examples/") and name.endswith(".py"):
            copy = place / name.removeprefix("examples/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy)
    return place


def try_suites(commands: Path, suites: Path) -> None:
    """The good clients pass their suites; the wrong one fails each test of its own, and the transcript is told."""
    pytest = [str(commands / "pytest"), "-q", "--color=no", "-rpfEsxX"]
    for name in ("lamp", "tour"):
        passed = outcomes(run(*pytest, cwd=suites / name))
        if set(passed) != {"PASSED"}:
            sys.exit(f"all tests of examples/{name} have to pass; they are {dict(passed)}")
        print(f"wheel: {passed['PASSED']} tests of examples/{name} pass")
    output = run(*pytest, cwd=suites / "wrong", ends=1)
    failed, told = outcomes(output), transcripts(output)
    if set(failed) != {"FAILED"} or told != failed["FAILED"]:
        sys.exit(f"all tests of examples/wrong have to fail with a transcript; {dict(failed)}, {told} told:\n{output}")
    print(f"wheel: {told} tests of examples/wrong fail, each with a transcript")


def outcomes(output: str) -> Counter[str]:
    """How many tests had which outcome, as the summary of a run of pytest lists them."""
    *_, summary = output.partition(" short test summary info ")
    return Counter(re.findall(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b", summary, re.MULTILINE))


def transcripts(output: str) -> int:
    """How many reports of a run of pytest have the section `safelight`."""
    return len(re.findall(r"^-+ safelight, contract [0-9.]+ -+$", output, re.MULTILINE))


def run(*command: str, cwd: Path, ends: int = 0) -> str:
    """What a command prints; if it does not end with this code, we fail, with all it said."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    done = subprocess.run(
        command, cwd=cwd, env=clean, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != ends:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
