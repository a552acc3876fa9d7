"""Runs as one HTML file that needs nothing else: a matrix of cases by runs, and what was seen in each.

The page is three files beside this one. What was seen stands in it as data, and its script makes text of it, never
markup; its policy lets nothing in it load or run but the style and the script that stand there.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

from safelight.conformance.report.document import Document, headline
from safelight.conformance.verdicts import WORST_FIRST, Severity
from safelight.contracts.wording import listed

_POLICY: Final = "default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"

#: What could end a script, or begin a comment, within its data.
_IN_DATA: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}


def html(documents: Sequence[Document]) -> str:
    """The text of a file, in ASCII."""
    style, script = _file("page.css"), _file("page.js")
    runs = [{**document, "headline": headline(document)} for document in documents]
    data = {"runs": runs, "verdicts": list(WORST_FIRST), "severities": list(Severity)}
    page = Template(_file("page.html")).substitute(
        title=escape(f"Safelight: {listed([document['name'] for document in documents])}"),
        policy=_POLICY.format(style=_hash(style), script=_hash(script)),
        style=style,
        script=script,
        data=_data(data),
    )
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _file(name: str) -> str:
    return (files("safelight.conformance.report") / name).read_text("ascii")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _data(value: Any) -> str:
    """JSON that can stand in a script: in ASCII, without a sign of HTML."""
    return json.dumps(value, separators=(",", ":")).translate(_IN_DATA)
