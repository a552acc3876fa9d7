"""The table of assumed rules in docs/contract.md is what the schemas say.

`python tests/test_contracts_page.py` writes it anew.
"""

from pathlib import Path
from typing import Final

from safelight.contracts import Provenance, Rule, names, rules

PAGE: Final = Path(__file__).parents[1] / "docs" / "contract.md"
BEGIN: Final = "<!-- assumed rules: written by tests/test_contracts_page.py -->\n"
END: Final = "<!-- end of assumed rules -->"


def table() -> str:
    """The assumed rules as a Markdown table."""
    rows = [f"| `{rule.id}` | {limit(rule)} |\n" for rule in rules() if rule.provenance is Provenance.ASSUMED]
    return "\n| rule | limit |\n|---|---|\n" + "".join(rows) + "\n"


def limit(rule: Rule) -> str:
    match rule.keyword:
        case "required":
            return "must be there"
        case "x-promises":
            return str(rule.limit).removesuffix(".")
        case _ if rule.schema == "json":
            return str(rule.limit)
        case _:
            values = rule.limit if isinstance(rule.limit, list) else [rule.limit]
            return ", ".join(f"`{value}`" for value in values)


def with_table(page: str) -> str:
    """The page with the table between the two comments."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


def test_the_page_names_every_assumed_rule() -> None:
    page = PAGE.read_text("utf-8")
    assert page == with_table(page), "the table is stale: run `python tests/test_contracts_page.py`"


def test_the_table_has_a_row_for_each_assumed_rule_and_no_other() -> None:
    assumed = [rule.id for rule in rules() if rule.provenance == "assumed"]
    assert [row.split("`")[1] for row in table().splitlines() if row.startswith("| `")] == assumed


def test_what_stands_around_the_table_is_kept() -> None:
    assert with_table(f"a\n{BEGIN}old\n{END}\nb\n") == f"a\n{BEGIN}{table()}{END}\nb\n"


def test_the_page_names_every_schema() -> None:
    page = PAGE.read_text("utf-8")
    short = {f"task_status.response.{phase}": f"`.{phase}`" for phase in ("running", "done", "failed")}
    assert [name for name in names() if short.get(name, f"`{name}`") not in page] == []


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
