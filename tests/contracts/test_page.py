"""The table of assumed rules in docs/assumptions.md is what the schemas say; `python tests/write.py` writes it."""

import json
import re

from left_out import NPM
from parts import DOCS, Part, check_fresh, table
from safelight.contracts import Provenance, Rule, names, rules


def parts() -> list[Part]:
    return [Part("assumptions.md", "assumed rules", assumed_rules)]


def assumed_rules() -> str:
    rows = [(f"`{rule.id}`", limit(rule)) for rule in rules() if rule.provenance is Provenance.ASSUMED]
    return table(("rule", "limit"), rows)


def limit(rule: Rule) -> str:
    match rule.keyword:
        case "required":
            return "must be there"
        case "x-constraints":
            return str(rule.limit).removesuffix(".")
        case _ if rule.form:
            return rule.form
        case _ if rule.schema == "json":
            return str(rule.limit)
        case _:
            values = rule.limit if isinstance(rule.limit, list) else [rule.limit]
            return ", ".join(f"`{value}`" for value in values)


def test_the_page_names_every_assumed_rule() -> None:
    check_fresh(parts())


def test_the_table_has_a_row_for_each_assumed_rule_and_no_other() -> None:
    assumed = [rule.id for rule in rules() if rule.provenance == "assumed"]
    assert [row.split("`")[1] for row in assumed_rules().splitlines() if row.startswith("| `")] == assumed


def test_the_page_names_every_schema() -> None:
    page = (DOCS / "contract.md").read_text("utf-8")
    short = {f"task_status.response.{phase}": f"`.{phase}`" for phase in ("running", "done", "failed")}
    assert [name for name in names() if short.get(name, f"`{name}`") not in page] == []


def test_the_pages_have_the_versions_of_the_npm_packages_that_are_run() -> None:
    pages = "\n".join((DOCS / page).read_text("utf-8") for page in ("validate.md", "openapi.md"))
    packages: dict[str, str] = json.loads((NPM / "package.json").read_text("utf-8"))["dependencies"]
    rows = dict(re.findall(r"^\| (\S+?),? [^|]*\| (\d[\d.]+) \|", pages, re.MULTILINE))
    for name in packages.keys() - {"openapi-fetch", "typescript"}:
        assert rows[name] == packages[name]
