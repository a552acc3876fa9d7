"""What pages about servers have from elsewhere: the table of the checks, and files of `examples/ci`."""

from typing import Final

from parts import DOCS, Part, check_fresh, table, yaml_file
from safelight.conformance.checks import CHECKS, GROUPS
from safelight.conformance.servers.check import checks

CI: Final = DOCS.parent / "examples" / "ci"


def parts() -> list[Part]:
    return [
        Part("nightly.md", "workflow", lambda: yaml_file(CI / "nightly.yml")),
        Part("nightly.md", "gitlab", lambda: yaml_file(CI / "gitlab.yml")),
        Part("validate.md", "hook", lambda: yaml_file(CI / "pre-commit-config.yaml")),
        Part("checks.md", "checks", lambda: table(("id", "name", "a good server", "cost", "level"), _rows())),
    ]


def _rows() -> list[tuple[str, ...]]:
    return [(one.id, one.about.name, one.about.fact, one.cost, one.about.severity) for one in checks().values()]


def test_the_page_has_the_checks_and_the_files() -> None:
    check_fresh(parts())


def test_each_check_is_of_a_group() -> None:
    assert {one[:2] for one in CHECKS} == set(GROUPS)


def test_the_page_says_how_many_checks_there_are() -> None:
    assert f"It has {len(checks())} checks" in (DOCS / "servers.md").read_text("utf-8")
