"""Runs as JUnit XML, which every CI reads: a suite for each run, a test for each case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from safelight.conformance.report.document import Document
from safelight.conformance.report.exit_code import FAILED, OPEN, UNDECIDED
from safelight.conformance.verdicts import Verdict


def junit(documents: Sequence[Document]) -> str:
    """The text of a file: what fails a run is a failure, what leaves it undecided an error, the rest skipped."""
    root = ET.Element("testsuites")
    root.extend(_suite(document) for document in documents)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(document: Document) -> ET.Element:
    tests = [_test(document, case) for case in document["cases"]]
    count = {name: sum(test.find(name) is not None for test in tests) for name in ("failure", "error", "skipped")}
    suite = ET.Element(
        "testsuite",
        name=f"safelight {document['kind']}: {document['name']}",
        tests=str(len(tests)),
        failures=str(count["failure"]),
        errors=str(count["error"]),
        skipped=str(count["skipped"]),
        time=f"{document['seconds']:.3f}",
        timestamp=document["started"].removesuffix("Z"),
        hostname="localhost",
    )
    properties = ET.SubElement(suite, "properties")
    for name in ("command", "safelight", "edition"):
        ET.SubElement(properties, "property", name=name, value=document[name])
    for task in document["tasks"]:
        ET.SubElement(properties, "property", name="task", value=task)
    suite.extend(tests)
    return suite


def _test(document: Document, case: Mapping[str, Any]) -> ET.Element:
    seconds = sum(trial["seconds"] for trial in case["trials"])
    classname = f"safelight.{document['kind']}.{document['name']}"
    test = ET.Element("testcase", name=f"{case['id']} {case['fact']}", classname=classname, time=f"{seconds:.3f}")
    said = _said(case)
    if case["exit_code"] in (FAILED, UNDECIDED):
        kind = "failure" if case["exit_code"] == FAILED else "error"
        told = ET.SubElement(
            test,
            kind,
            type=f"{case['verdict']} {case['severity']}",
            message=said[0].partition("\n")[0] if said else case["verdict"],
        )
        told.text = "\n".join([*said, case["again"]])
    elif case["waived"] or case["verdict"] in OPEN | {Verdict.NOT_ASKED}:
        reason = f"waived: {case['waived']}" if case["waived"] else case["verdict"]
        ET.SubElement(test, "skipped", message=reason)
    elif case["verdict"] != Verdict.PASS:
        ET.SubElement(test, "system-out").text = "\n".join([case["verdict"], *said])
    return test


def _said(case: Mapping[str, Any]) -> list[str]:
    """What was seen, each once, and what was in the way of a verdict."""
    findings = [
        f"{one['rule']} ({one['severity']}): {one['sentence']}" + (f"\n  {one['curl']}" if one["curl"] else "")
        for one in case["findings"]
    ]
    return list(dict.fromkeys([*findings, *(trial["remark"] for trial in case["trials"] if trial["remark"])]))
