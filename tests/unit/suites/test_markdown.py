"""The summary for people: every verdict with its shape and reason, and nothing that a run says becomes markup."""

import re

import pytest
from hypothesis import given, settings

from dreamer_core.gates import Verdict
from dreamer_core.suites.markdown import chart_key, summary_md
from dreamer_core.suites.report import RunReport, ScenarioReport, SuiteReport
from tests.unit.suites.reported import REPORTS, SERVER, a_check, a_gate, a_report


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]


def cells(row: str) -> int:
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) - 1


def test_it_begins_with_the_verdict_and_its_reason() -> None:
    lines = summary_md(a_report(a_gate(a_check(Verdict.FAIL), verdict=Verdict.FAIL))).splitlines()
    assert lines[0] == "## ■ fail · cartpole v3"
    assert lines[2] == (
        f"fail: 1 scenario · commit <code>1a2b3c4</code> on <code>main</code> · [suite run]({SERVER}/suite-runs/s1)"
    )


def test_scenarios_are_a_table_with_links() -> None:
    report = a_report(a_gate(a_check(), baseline="cartpole v1"))
    assert rows(summary_md(report))[2] == (
        f"| cart | ● pass | ● [solved]({SERVER}/gate-results/g1) against cartpole v1 | [train 0]({SERVER}/runs/r1) |"
    )


def test_without_a_server_there_are_no_links() -> None:
    assert rows(summary_md(a_report(a_gate(a_check()), server="")))[2] == "| cart | ● pass | ● solved | train 0 |"


def test_reasons_are_open_where_it_is_not_green() -> None:
    text = summary_md(a_report(a_gate(a_check(Verdict.FAIL), verdict=Verdict.FAIL), a_gate(a_check())))
    assert "<details open><summary>■ cart / solved v2: 1 of 1</summary>" in text
    assert "<details><summary>● cart / solved v2: 1 of 1</summary>" in text
    assert "- ■ fail **floor eval/mean\\_return**: 480" in text


def test_warnings_and_notes_are_said() -> None:
    check = a_check(Verdict.NO_DATA, required=False, is_warning=True)
    text = summary_md(a_report(a_gate(check, notes=("nobody checked",))))
    assert "- ○ no data **floor eval/mean\\_return** (warning): 480" in text
    assert "- note: nobody checked" in text


def test_a_gate_with_nothing_to_say_has_no_details() -> None:
    assert "<details" not in summary_md(a_report(a_gate()))


def test_a_suite_that_still_runs_says_what_it_waits_for() -> None:
    runs = (RunReport(id="r1", kind="bench", seed=None, state="running"),)
    waiting = ScenarioReport(name="cart", verdict=None, waits_for="1 of 2 jobs", runs=runs)
    text = summary_md(a_report(verdict=None, state="running", commit=None, branch=None, scenarios=(waiting,)))
    assert text.startswith("## running · cartpole v3")
    assert rows(text)[2] == f"| cart | … | not judged: waits for 1 of 2 jobs | [bench (running)]({SERVER}/runs/r1) |"
    assert "commit" not in text


def test_a_commit_is_told_without_its_branch_and_a_branch_without_a_commit() -> None:
    assert " · commit <code>1a2b3c4</code> · [" in summary_md(a_report(branch=None))
    assert " · on <code>main</code> · [" in summary_md(a_report(commit=None))


def test_earlier_tries_and_early_stops_are_told() -> None:
    earlier = a_gate(verdict=Verdict.FAIL, is_final=False, reason="seed 0 failed", id="g0")
    scenario = ScenarioReport(name="cart", verdict=Verdict.PASS, attempt=2, stopped="enough", gates=(earlier, a_gate()))
    text = summary_md(a_report(scenarios=(scenario,)))
    assert "● pass after 2 tries" in text
    assert "cart was stopped early: enough" in text
    assert f"cart was tried again after [seed 0 failed]({SERVER}/gate-results/g0)" in text


def test_charts_stand_under_their_check() -> None:
    check, gate = a_check(), a_gate(a_check())
    text = summary_md(a_report(gate), {chart_key(gate, check): "out-charts/1.svg"})
    assert ": 480\n  ![floor eval/mean\\_return](out-charts/1.svg)" in text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a|b", "a\\|b"),
        ("`x`", "\\`x\\`"),
        ("<script>", "&lt;script&gt;"),
        ("@ada in #12", "&#64;ada in &#35;12"),
        ("[a](b)", "\\[a\\](b)"),
        ("*a* _b_ ~c~ \\ !", "\\*a\\* \\_b\\_ \\~c\\~ \\\\ \\!"),
        ("two\n\nlines", "two lines"),
    ],
)
def test_what_a_check_says_is_text(said: str, shown: str) -> None:
    assert f": {shown}\n" in summary_md(a_report(a_gate(a_check(reason=said))))


@settings(deadline=None)
@given(REPORTS)
def test_nothing_that_is_said_breaks_the_table(report: SuiteReport) -> None:
    text = summary_md(report)
    assert all(cells(row) == 4 for row in rows(text))
    assert text.count("<details") == text.count("</details>") == text.count("<summary>")
    outside_of_html = re.sub(r"<summary>.*</summary>", "", text)
    assert not re.search(r"(?<!\\)(?:\\\\)*`", outside_of_html)
    assert "@" not in text
