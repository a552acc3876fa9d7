"""Runs as one HTML file: what stands in it."""

import base64
import json
import re
from hashlib import sha256
from html import escape
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reports import KEY, each_verdict, reports, run
from safelight.conformance.report.document import Document, document
from safelight.conformance.report.html import html

SCRIPTS = re.compile(r"<script(?: type=\"([^\"]+)\" id=\"data\")?>(.*?)</script>", re.DOTALL)


def data_of(page: str) -> Any:
    """What stands in the page as data."""
    (data,) = [text for kind, text in SCRIPTS.findall(page) if kind]
    return json.loads(data)


@given(st.lists(reports, min_size=1, max_size=2))
def test_what_was_seen_stands_in_the_page_as_data_alone(documents: list[Document]) -> None:
    page = html(documents)
    assert page.isascii()
    assert KEY not in page
    assert [{**one, "headline": ...} for one in data_of(page)["runs"]] == [
        {**one, "headline": ...} for one in documents
    ]
    assert (page.count("<script"), page.count("</script"), page.count("<!--")) == (2, 2, 0)
    title = escape(" and ".join(one["name"] for one in documents)).encode("ascii", "xmlcharrefreplace").decode()
    assert f"<title>Safelight: {title}</title>" in page


def test_the_policy_lets_only_the_style_and_the_script_of_the_page_run() -> None:
    page = html([each_verdict()])
    (policy,) = re.findall(r'http-equiv="content-security-policy" content="([^"]+)"', page)
    style, (script,) = (
        re.findall(r"<style>(.*?)</style>", page, re.DOTALL)[0],
        [t for k, t in SCRIPTS.findall(page) if not k],
    )
    hashes = [base64.b64encode(sha256(text.encode()).digest()).decode() for text in (style, script)]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_page_names_nothing_that_is_elsewhere() -> None:
    shell = html([document(run())])
    assert not re.search(r"(?:src|href|action)=|url\(|@import|innerHTML|insertAdjacent|document\.write|\beval\b", shell)
    assert set(re.findall(r"https?://[^\s\"']+", shell)) == {"http://www.w3.org/2000/svg"}
