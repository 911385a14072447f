"""What came of a suite run, for people and programs: lines, JSON, JUnit XML, a Markdown summary with charts."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dreamer_core.remote import Client
    from dreamer_core.remote.gate_shapes import GateResult
    from dreamer_core.remote.suite_shapes import ScenarioRun, SuiteRunDetail
    from dreamer_core.suites.report import GateReport, ScenarioReport, SuiteReport


def add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--junit", type=Path, metavar="FILE.xml", help="write the results as JUnit XML")
    parser.add_argument(
        "--summary", type=Path, metavar="FILE.md", help="write them as Markdown, with charts in a folder beside it"
    )


def report_of(client: "Client", run: "SuiteRunDetail") -> "SuiteReport":
    """With the reason of every check, which the server is asked for."""
    from dreamer_core.suites.report import SuiteReport

    return SuiteReport(
        id=run.id,
        suite=run.suite,
        version=run.suite_version,
        state=run.state,
        verdict=_verdict(run.verdict),
        reason=run.reason,
        commit=run.commit,
        branch=run.branch,
        created_at=run.created_at,
        ended_at=run.ended_at,
        server=client.url,
        scenarios=tuple(_scenario(client, one) for one in run.scenarios),
    )


def write_files(report: "SuiteReport", junit: Path | None, summary: Path | None) -> None:
    from dreamer_core.runs.atomic import write_text
    from dreamer_core.suites.junit import junit_xml
    from dreamer_core.suites.markdown import summary_md

    if junit is not None:
        write_text(junit, junit_xml(report))
    if summary is not None:
        write_text(summary, summary_md(report, _charts(report, summary)))


def show(report: "SuiteReport", code: int, *, as_json: bool) -> None:
    from dreamer_core.metrics.jsonsafe import dumps

    if as_json:
        print(dumps({"type": "result", **_plain(report), "exit_code": code}))
        return
    for scenario in report.scenarios:
        for gate in scenario.final:
            against = f" against {gate.baseline}" if gate.baseline else ""
            print(f"{gate.verdict.shape} {scenario.name} / {gate.gate} v{gate.version}{against}: {gate.reason}")
            for check in gate.checks:
                if not check.verdict.is_green or check.is_warning:
                    warning = " (warning)" if check.is_warning else ""
                    print(f"    {check.verdict.shape} {check.title}{warning}: {check.reason}")
            for note in gate.notes:
                print(f"    note: {note}")
        if scenario.missing:
            print(f"… {scenario.name}: {scenario.missing}")
    shape = "…" if report.verdict is None else report.verdict.shape
    print(f"{shape} {report.suite} v{report.version}: {report.reason or report.word}")
    print(f"{report.server}/suite-runs/{report.id}")


def _charts(report: "SuiteReport", summary: Path) -> dict[str, str]:
    """Written into a folder beside the summary; their addresses from there, by check."""
    from dreamer_core.runs.atomic import write_text
    from dreamer_core.suites.chart import chart_svg, strip_of
    from dreamer_core.suites.markdown import chart_key

    folder = summary.with_name(f"{summary.stem}-charts")
    found: dict[str, str] = {}
    for gate in [gate for scenario in report.scenarios for gate in scenario.final]:
        for check in gate.checks:
            strip = strip_of(check)
            if strip is not None:
                folder.mkdir(parents=True, exist_ok=True)
                file = folder / f"{gate.id}-{len(found) + 1}.svg"
                write_text(file, chart_svg(strip))
                found[chart_key(gate, check)] = f"{folder.name}/{file.name}"
    return found


def _scenario(client: "Client", one: "ScenarioRun") -> "ScenarioReport":
    from dreamer_core.suites.report import RunReport, ScenarioReport

    return ScenarioReport(
        name=one.name,
        verdict=_verdict(one.verdict),
        attempt=one.attempt,
        waits_for=one.waiting,
        stopped=one.stopped,
        runs=tuple(
            RunReport(id=step.run_id, kind=step.kind, seed=step.seed, state=step.state, attempt=step.attempt)
            for step in one.runs
        ),
        gates=tuple(_gate(client, result) for result in one.results),
    )


def _gate(client: "Client", result: "GateResult") -> "GateReport":
    from dreamer_core.gates.verdict import Verdict
    from dreamer_core.remote.suite_waiting import through_outages
    from dreamer_core.suites.report import CheckReport, GateReport

    detail = through_outages(lambda: client.get_gate_result(result.id))
    return GateReport(
        id=result.id,
        gate=result.gate,
        version=result.gate_version,
        verdict=Verdict(result.verdict),
        reason=result.reason,
        baseline=f"{result.baseline.name} v{result.baseline.version}" if result.baseline else "",
        is_final=result.is_final,
        checks=tuple(
            CheckReport(
                check=one.check,
                kind=one.kind,
                key=one.key,
                verdict=Verdict(one.verdict),
                required=one.required,
                is_warning=one.warning,
                reason=one.reason,
                numbers=one.numbers,
                comparison=one.comparison,
            )
            for one in detail.results
        ),
        notes=detail.notes,
        flags=detail.flags,
    )


def _verdict(word: str | None) -> Any:
    from dreamer_core.gates.verdict import Verdict

    return None if word is None else Verdict(word)


def _plain(report: "SuiteReport") -> dict[str, Any]:
    """Without the numbers of every check, which are many: `dreamgate gate` and the API have them."""
    head = ("suite", "version", "state", "verdict", "reason", "commit", "branch", "created_at", "ended_at")
    return {
        "suite_run": report.id,
        **{name: getattr(report, name) for name in head},
        "green": report.verdict is not None and report.verdict.is_green,
        "page": f"{report.server}/suite-runs/{report.id}",
        "scenarios": [
            {
                "name": scenario.name,
                "verdict": scenario.verdict,
                "attempt": scenario.attempt,
                "waits_for": scenario.waits_for,
                "runs": [run.id for run in scenario.runs],
                "gates": [
                    {"id": gate.id, "gate": gate.gate, "verdict": gate.verdict, "reason": gate.reason}
                    for gate in scenario.final
                ],
            }
            for scenario in report.scenarios
        ],
    }
