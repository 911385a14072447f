"""A suite run as JUnit XML, as Jenkins, GitLab and GitHub's report actions read it.

A scenario is a test suite, and a check of one of its final gate results is a test case. `fail` is a failure. `error`,
`no_data` and `inconclusive` are errors: nothing was shown to be worse, and nothing was passed. A check that is not
required never makes the build red: where it is not green, its case is skipped and the message begins with "warning".
"""

from collections import Counter
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dreamer_core.gates.verdict import Verdict
from dreamer_core.suites.report import CheckReport, GateReport, ScenarioReport, SuiteReport
from dreamer_core.suites.xmltext import possible

_OUTCOMES = {
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.NO_DATA: "error",
    Verdict.INCONCLUSIVE: "error",
    Verdict.SKIPPED: "skipped",
}


def junit_xml(report: SuiteReport) -> str:
    root = Element("testsuites", name=possible(report.suite))
    for scenario in report.scenarios:
        root.append(_suite(report, scenario))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", _seconds(report))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(report: SuiteReport, scenario: ScenarioReport) -> Element:
    suite = Element("testsuite", name=possible(f"{report.suite}.{scenario.name}"))
    if report.created_at:
        suite.set("timestamp", report.created_at[:19])  # without a zone, as the schema wants it: it is UTC
    suite.append(_properties(report))
    for gate in scenario.final:
        _add_cases(suite, f"{report.suite}.{scenario.name}.{gate.gate}", gate)
    if scenario.missing:
        _case(suite, f"{report.suite}.{scenario.name}", "judged", _missing(report), scenario.missing)
    _number_repeated(suite)
    for name, outcome in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(1 for _ in suite.iter(outcome))))
    if said := _earlier(scenario):
        SubElement(suite, "system-out").text = possible(said)
    return suite


def _properties(report: SuiteReport) -> Element:
    """Where it can be looked up."""
    known = {
        "suite_run": report.id,
        "suite_version": str(report.version),
        "commit": report.commit or "",
        "branch": report.branch or "",
        "page": f"{report.server}/suite-runs/{report.id}" if report.server else "",
    }
    properties = Element("properties")
    for name, value in known.items():
        if value:
            SubElement(properties, "property", name=name, value=possible(value))
    return properties


def _add_cases(suite: Element, place: str, gate: GateReport) -> None:
    before = _bad(suite)
    for check in gate.checks:
        outcome, message = _outcome_of(check)
        _case(suite, place, check.title, outcome, message, check.verdict)
    if not gate.verdict.is_green and _bad(suite) == before:  # as of a gate of which no check is required
        _case(suite, place, "gate", _OUTCOMES[gate.verdict], gate.reason, gate.verdict)


def _outcome_of(check: CheckReport) -> tuple[str | None, str]:
    if check.verdict.is_green:
        return None, check.reason
    if not check.required:
        return "skipped", f"warning, does not count: {check.verdict}: {check.reason}"
    return _OUTCOMES[check.verdict], check.reason


def _case(
    suite: Element, place: str, name: str, outcome: str | None, message: str, verdict: Verdict | None = None
) -> None:
    case = SubElement(suite, "testcase", classname=possible(place), name=possible(name))
    if outcome is None:
        SubElement(case, "system-out").text = possible(message)
        return
    found = SubElement(case, outcome, message=possible(message))
    if outcome != "skipped":
        found.set("type", verdict or "not_judged")
        found.text = possible(message)


def _number_repeated(suite: Element) -> None:
    """Readers take two cases of one name for the same one."""
    seen: Counter[tuple[str, str]] = Counter()
    for case in suite.iter("testcase"):
        seen[key := (case.attrib["classname"], case.attrib["name"])] += 1
        if seen[key] > 1:
            case.set("name", f"{case.attrib['name']} ({seen[key]})")


def _bad(suite: Element) -> int:
    return sum(1 for outcome in ("failure", "error", "skipped") for _ in suite.iter(outcome))


def _missing(report: SuiteReport) -> str:
    return "skipped" if report.state == "cancelled" else "error"


def _earlier(scenario: ScenarioReport) -> str:
    """What was tried again, and does not count."""
    said = [f"tried again: {gate.gate} v{gate.version}: {gate.reason}" for gate in scenario.earlier]
    return "\n".join([*said, *([f"stopped early: {scenario.stopped}"] if scenario.stopped else [])])


def _seconds(report: SuiteReport) -> str:
    try:
        took = datetime.fromisoformat(report.ended_at or "") - datetime.fromisoformat(report.created_at)
    except (TypeError, ValueError):
        return "0"
    return f"{max(0.0, took.total_seconds()):.3f}"
