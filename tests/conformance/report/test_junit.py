"""Runs as JUnit XML."""

from xml.etree import ElementTree as ET

from hypothesis import given

from reports import KEY, each_verdict, reports
from safelight.conformance.report.document import Document
from safelight.conformance.report.junit import junit
from safelight.conformance.verdicts import Verdict

#: Element -> the attributes that the schema which CI servers share knows, and the elements in it, in their order.
KNOWN = {
    "testsuites": (set[str](), ["testsuite"]),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"},
        ["properties", "testcase"],
    ),
    "properties": (set[str](), ["property"]),
    "property": ({"name", "value"}, []),
    "testcase": ({"name", "classname", "time"}, ["skipped", "error", "failure", "system-out"]),
    "skipped": ({"message"}, []),
    "error": ({"message", "type"}, []),
    "failure": ({"message", "type"}, []),
    "system-out": (set[str](), []),
}


def check_known(element: ET.Element) -> None:
    attributes, children = KNOWN[element.tag]
    assert set(element.attrib) == attributes
    tags = [child.tag for child in element]
    assert tags == sorted(tags, key=children.index)
    for child in element:
        check_known(child)


@given(reports)
def test_each_report_is_well_formed_and_has_what_the_schema_knows(made: Document) -> None:
    text = junit([made, made])
    assert KEY not in text
    root = ET.fromstring(text.encode())
    check_known(root)
    names = [test.get("name") for test in root.iter("testcase")]
    assert names == 2 * [f"{case['id']} {case['fact']}" for case in made["cases"]]


def test_what_fails_the_run_is_a_failure_what_leaves_it_open_an_error_and_the_rest_is_skipped() -> None:
    root = ET.fromstring(junit([each_verdict()]))
    found = {str(test.get("name"))[:3]: [child.tag for child in test] for test in root.iter("testcase")}
    by_verdict = {case["verdict"]: found[case["id"]] for case in each_verdict()["cases"] if not case["waived"]}
    assert by_verdict == {
        Verdict.PASS: [],
        Verdict.NON_STRICT: ["system-out"],
        Verdict.FAIL: ["failure"],
        Verdict.INFO: ["system-out"],
        Verdict.UNIMPLEMENTED: ["error"],
        Verdict.NOT_ASKED: ["skipped"],
        Verdict.INCONCLUSIVE: ["error"],
        Verdict.INCOMPLETE: ["error"],
        Verdict.FLAKY: ["system-out"],
    }
    assert found["2.1"] == ["skipped"]


def test_the_numbers_of_a_suite_are_those_of_its_tests() -> None:
    (suite,) = ET.fromstring(junit([each_verdict()]))
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[name]) == len(list(suite.iter(tag)))


def test_a_failure_says_what_was_seen_and_how_to_run_it_again() -> None:
    (failure,) = ET.fromstring(junit([each_verdict()])).iter("failure")
    assert failure.get("message") == "U1 (MUST-$): 4 accepted, 1 wanted: 30 credits lost"
    assert str(failure.text).endswith("safelight check client --only 1.3 -- python client.py")
