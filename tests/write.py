"""Write all parts of pages and all examples that are made from the code: `python tests/write.py`."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from parts import Written, write

TESTS: Final = Path(__file__).parent


def everything() -> Iterator[Written]:
    """What the `parts()` of all test files list."""
    for file in sorted(TESTS.rglob("test_*.py")):
        if "\ndef parts() -> " in file.read_text("utf-8"):
            yield from _module(file).parts()


def _module(file: Path) -> ModuleType:
    """A test file as a module, under a name that pytest does not use."""
    spec = importlib.util.spec_from_file_location(f"parts of {file.relative_to(TESTS)}", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    for path in dict.fromkeys(write(everything())):
        print(f"wrote {path.relative_to(TESTS.parent)}")  # noqa: T201 - what a command did
