"""docs/wrong.md shows the suite of examples/wrong and what it says; the page itself runs it and compares."""

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Final

from documents.shell import COLUMNS
from parts import Part, check_fresh
from suites import ALONE

WRONG: Final = Path(__file__).parents[2] / "examples" / "wrong"

#: What stands above each part: also because two comments above one block would both be taken for its markers.
SENTENCES: Final = {
    "wrong.py": "The client, `wrong.py`:",
    "test_wrong.py": "Its tests, `test_wrong.py`, use nothing but [the pytest plugin](pytest.md):",
    "output": "And this is what they say:",
}
FILES: Final = ("wrong.py", "test_wrong.py")

#: What is different in each run, and how the page has it.
VARYING: Final = {
    r"0x[0-9a-f]+": "0x...",
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "...",
    r" in [\d.]+s\b": " in ...s",
    r"(?m)^[F.]+ +\[100%\]$": "FFFF ... [100%]",
}


def parts() -> list[Part]:
    """The two files, and what they say."""
    files = [Part("wrong.md", name, partial(_file, name)) for name in FILES]
    return [*files, Part("wrong.md", "output", _output, is_run=True)]


def _file(name: str) -> str:
    return f"{SENTENCES[name]}\n\n<!-- file: {name} -->\n\n```python\n{(WRONG / name).read_text()}```"


def _output() -> str:
    command = [sys.executable, "-m", "pytest", "-q", *ALONE, "-p", "no:cacheprovider"]
    wide = {**os.environ, "COLUMNS": str(COLUMNS)}
    said = subprocess.run(command, cwd=WRONG, env=wide, capture_output=True, text=True, check=False).stdout
    for varying, written in VARYING.items():
        said = re.sub(varying, written, said)
    run = "<!-- exit: 1 -->\n\n```bash\npytest -q test_wrong.py\n```"
    return f"{SENTENCES['output']}\n\n{run}\n\n<!-- output -->\n\n```text\n{said.strip()}\n```"


def test_the_page_has_the_files_as_they_are() -> None:
    check_fresh(part for part in parts() if not part.is_run)
