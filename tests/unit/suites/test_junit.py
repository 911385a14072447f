"""JUnit XML that every reader takes: the rules of Jenkins' schema, and red only where the verdict is not green."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given, settings

from dreamer_core.gates import Verdict
from dreamer_core.suites.junit import junit_xml
from dreamer_core.suites.report import ScenarioReport, SuiteReport
from tests.unit.suites.reported import REPORTS, SERVER, a_check, a_gate, a_report

# Of Jenkins' junit-10.xsd, which is the strictest that is in use: elements, the order of theirs, attributes.
CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase", "system-out", "system-err"],
    "properties": ["property"],
    "property": [],
    "testcase": ["skipped", "error", "failure", "system-out", "system-err"],
    "skipped": [],
    "error": [],
    "failure": [],
    "system-out": [],
}
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "timestamp"},
    "property": {"name", "value"},
    "testcase": {"name", "classname"},
    "skipped": {"message"},
    "error": {"message", "type"},
    "failure": {"message", "type"},
}


def parsed(report: SuiteReport) -> Element:
    root = ElementTree.fromstring(junit_xml(report))
    check(root)
    return root


def check(root: Element) -> None:
    for element in root.iter():
        order = CHILDREN[element.tag]
        places = [order.index(child.tag) for child in element]
        assert places == sorted(places)
        assert set(element.keys()) <= ATTRIBUTES.get(element.tag, set())
    for suite in root.iter("testsuite"):
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        for counted, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[counted]) == len(list(suite.iter(tag)))
    for counted in ("tests", "failures", "errors"):
        assert int(root.attrib[counted]) == sum(int(suite.attrib[counted]) for suite in root)


def outcome(report: SuiteReport) -> str | None:
    [case] = parsed(report).iter("testcase")
    return next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), None)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.PASS, None),
        (Verdict.IMPROVED, None),
        (Verdict.FAIL, "failure"),
        (Verdict.ERROR, "error"),
        (Verdict.NO_DATA, "error"),
        (Verdict.INCONCLUSIVE, "error"),
        (Verdict.SKIPPED, "skipped"),
    ],
)
def test_every_verdict_is_told_in_junit_s_words(verdict: Verdict, expected: str | None) -> None:
    assert outcome(a_report(a_gate(a_check(verdict), verdict=verdict))) == expected


def test_a_check_that_is_not_required_is_never_red() -> None:
    report = a_report(a_gate(a_check(Verdict.FAIL, required=False)))
    assert outcome(report) == "skipped"
    [skipped] = parsed(report).iter("skipped")
    assert skipped.attrib["message"] == "warning, does not count: fail: 480"


def test_a_gate_that_cannot_be_passed_is_red_though_none_of_its_checks_is() -> None:
    report = a_report(a_gate(a_check(), verdict=Verdict.NO_DATA, reason="no check is required"))
    [case] = [case for case in parsed(report).iter("testcase") if case.attrib["name"] == "gate"]
    [error] = case.iter("error")
    assert error.attrib == {"message": "no check is required", "type": "no_data"}


def test_a_case_says_where_it_belongs_and_why() -> None:
    [case] = parsed(a_report(a_gate(a_check(Verdict.FAIL), verdict=Verdict.FAIL))).iter("testcase")
    assert case.attrib == {"classname": "cartpole.cart.solved", "name": "floor eval/mean_return"}
    [failure] = case.iter("failure")
    assert (failure.attrib, failure.text) == ({"message": "480", "type": "fail"}, "480")


def test_the_suite_run_can_be_found_from_the_file() -> None:
    root = parsed(a_report(a_gate(a_check())))
    found = {one.attrib["name"]: one.attrib["value"] for one in root.iter("property")}
    assert found == {
        "suite_run": "s1",
        "suite_version": "3",
        "commit": "1a2b3c4",
        "branch": "main",
        "page": f"{SERVER}/suite-runs/s1",
    }
    assert root.attrib["time"] == "150.500"
    assert [suite.attrib["timestamp"] for suite in root] == ["2026-11-21T10:00:00"]


def test_what_is_not_known_is_left_out() -> None:
    root = parsed(a_report(server="", commit=None, branch=None, created_at="", ended_at=None))
    assert {one.attrib["name"] for one in root.iter("property")} == {"suite_run", "suite_version"}
    assert root.attrib["time"] == "0"


def test_a_scenario_without_a_verdict_is_not_passed() -> None:
    waiting = ScenarioReport(name="tests", verdict=None, waits_for="numbers")
    report = a_report(verdict=None, state="running", scenarios=(waiting,))
    assert outcome(report) == "error"
    assert "not judged: waits for numbers" in junit_xml(report)
    assert outcome(a_report(state="cancelled", scenarios=(ScenarioReport(name="a", verdict=None),))) == "skipped"


def test_earlier_tries_are_told_and_do_not_count() -> None:
    earlier = a_gate(a_check(Verdict.FAIL), verdict=Verdict.FAIL, is_final=False, reason="seed 0 failed")
    scenario = ScenarioReport(name="cart", verdict=Verdict.PASS, stopped="enough", gates=(earlier, a_gate(a_check())))
    report = a_report(scenarios=(scenario,))
    assert outcome(report) is None
    [said] = [one.text for one in parsed(report).findall("testsuite/system-out")]
    assert said == "tried again: solved v2: seed 0 failed\nstopped early: enough"


def test_cases_of_one_name_are_numbered() -> None:
    ended = a_check(Verdict.ERROR, check="ended", key="")
    root = parsed(a_report(a_gate(ended, ended, ended, a_check(), verdict=Verdict.ERROR)))
    names = [case.attrib["name"] for case in root.iter("testcase")]
    assert names == ["ended", "ended (2)", "ended (3)", "floor eval/mean_return"]


def test_control_characters_are_left_out() -> None:
    check = a_check(Verdict.FAIL, reason="a\x00b\x1b[31m<&\ud800")
    [failure] = parsed(a_report(a_gate(check, verdict=Verdict.FAIL))).iter("failure")
    assert failure.text == "ab[31m<&"


@settings(deadline=None)
@given(REPORTS)
def test_any_suite_run_makes_a_file_that_keeps_the_rules(report: SuiteReport) -> None:
    root = parsed(report)
    for scenario, suite in zip(report.scenarios, root, strict=True):
        red = [gate for gate in scenario.final if not gate.verdict.is_green]
        if red or scenario.missing:
            assert any(True for tag in ("failure", "error", "skipped") for _ in suite.iter(tag))
