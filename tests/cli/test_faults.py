"""`safelight faults` lists what plans can name."""

from safelight.mockserver.faults.catalogue import faults
from safelight.mockserver.faults.rules import read_rule
from serving import safelight


def test_every_fault_is_listed_once_with_what_it_does() -> None:
    done = safelight(["faults"])
    names = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert sorted(names) == sorted(faults())
    assert all(line.endswith((".", ":")) or "  " in line.strip() for line in done.stdout.splitlines() if line)
    assert (done.returncode, done.stderr) == (0, "")


def test_each_can_be_planned_as_it_stands_without_settings() -> None:
    for name in faults():
        assert read_rule(f"poll#1: {name}").after is (name != "redirect")
