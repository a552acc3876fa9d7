"""What registers itself is found, or it is said that it cannot be; what was not found once is found later."""

import subprocess
import sys
from typing import Final

import pytest

#: Looks without a file descriptor, and again with some.
LOOKS: Final = """
import resource
from {module} import {name} as found
limits = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
try:
    found()
except OSError:
    print("not now")
resource.setrlimit(resource.RLIMIT_NOFILE, limits)
print(len(found()) > 3)
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("safelight.mockserver.operations", "operations"),
        ("safelight.mockserver.faults.catalogue", "faults"),
        ("safelight.mockserver.control.routes", "routes"),
    ],
)
def test_what_cannot_be_read_without_a_file_descriptor_is_read_later(module: str, name: str) -> None:
    looked = subprocess.run(
        [sys.executable, "-c", LOOKS.format(module=module, name=name)], capture_output=True, check=True, text=True
    )
    assert looked.stdout.split("\n")[:2] == ["not now", "True"]
