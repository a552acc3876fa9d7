"""The table of assumed rules in docs/contract.md is what the schemas say.

`python tests/contracts/test_page.py` writes it anew.
"""

from parts import DOCS, Part, stale, table, write
from safelight.contracts import Provenance, Rule, names, rules


def part() -> Part:
    """The assumed rules."""
    rows = [(f"`{rule.id}`", limit(rule)) for rule in rules() if rule.provenance is Provenance.ASSUMED]
    return Part("contract.md", "assumed rules", "contracts/test_page.py", table(("rule", "limit"), rows))


def limit(rule: Rule) -> str:
    match rule.keyword:
        case "required":
            return "must be there"
        case "x-constraints":
            return str(rule.limit).removesuffix(".")
        case _ if rule.schema == "json":
            return str(rule.limit)
        case _:
            values = rule.limit if isinstance(rule.limit, list) else [rule.limit]
            return ", ".join(f"`{value}`" for value in values)


def test_the_page_names_every_assumed_rule() -> None:
    assert stale([part()]) == [], "the table is stale: run `python tests/contracts/test_page.py`"


def test_the_table_has_a_row_for_each_assumed_rule_and_no_other() -> None:
    assumed = [rule.id for rule in rules() if rule.provenance == "assumed"]
    assert [row.split("`")[1] for row in part().text.splitlines() if row.startswith("| `")] == assumed


def test_what_stands_around_a_part_is_kept() -> None:
    small = Part("a.md", "things", "test_a.py", table(("a", "b"), [("1", "2")]))
    text = "<!-- things: written by tests/test_a.py -->\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<!-- end of things -->"
    old = "a\n<!-- things: written by tests/test_a.py -->\nold\n<!-- end of things -->\nb\n"
    assert small.placed(old) == f"a\n{text}\nb\n"


def test_the_page_names_every_schema() -> None:
    page = (DOCS / "contract.md").read_text("utf-8")
    short = {f"task_status.response.{phase}": f"`.{phase}`" for phase in ("running", "done", "failed")}
    assert [name for name in names() if short.get(name, f"`{name}`") not in page] == []


if __name__ == "__main__":
    write([part()])
