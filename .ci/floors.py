"""Run what the dependencies matter for, with the lowest of them that `pyproject.toml` allows, or with the newest.

    python .ci/floors.py lowest
    python .ci/floors.py newest --python python3.13 -- -n auto

The Python is the one that runs this, unless `--python` names another. What follows `--` goes to pytest, in the place of
all that it gets otherwise.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

#: How uv chooses.
RESOLUTIONS: Final = {"lowest": "lowest-direct", "newest": "highest"}

#: What calls a dependency of ours.
TESTS: Final = ("tests/cli", "tests/mockserver", "tests/strategies", "tests/testing", "tests/traffic")

#: Tools that ask for newer dependencies than we do -> the tests that need them.
LEFT_OUT: Final = {"schemathesis": "tests/mockserver/service/test_schemathesis.py"}


def main() -> None:
    """Install and run; end as pytest does."""
    asked = parsed()
    with tempfile.TemporaryDirectory(prefix="floors-") as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        uv("venv", "--python", asked.python, python.parents[1])
        pins = Path(folder) / "pins.txt"
        uv("pip", "compile", "pyproject.toml", "--extra", "redis", "--no-deps", "--python", python,
           "--resolution", RESOLUTIONS[asked.which], "--output-file", pins)  # fmt: skip
        print(pins.read_text("utf-8"), flush=True)
        uv("pip", "install", "--python", python, "--editable", ".[redis]", "--constraint", pins, *tools())
        ignored = [f"--ignore={test}" for test in LEFT_OUT.values()]
        sys.exit(subprocess.call([python, "-m", "pytest", *asked.pytest, *ignored], cwd=ROOT))


def parsed() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=RESOLUTIONS)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("pytest", nargs="*", default=["-n", "1", *TESTS])
    return parser.parse_args()


def tools() -> list[str]:
    """What the tests need beside the dependencies: always the newest that goes with these."""
    return [line for line in PROJECT["optional-dependencies"]["dev"] if name_of(line) not in LEFT_OUT]


def name_of(requirement: str) -> str:
    """The name of a distribution, without its versions."""
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return found[0]


def uv(*arguments: object) -> None:
    """Run uv, quietly."""
    clean = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run([sys.executable, "-m", "uv", "--quiet", *map(str, arguments)], cwd=ROOT, env=clean, check=True)


if __name__ == "__main__":
    main()
