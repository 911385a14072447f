"""Reports of suite runs for tests: one of every kind by hand, and any that can be."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from dreamer_core.gates import Verdict
from dreamer_core.suites.report import CheckReport, GateReport, RunReport, ScenarioReport, SuiteReport

SERVER = "http://dreamgate.test"


def a_check(verdict: Verdict = Verdict.PASS, **said: Any) -> CheckReport:
    return CheckReport(
        **{"check": "floor", "kind": "floor", "key": "eval/mean_return", "verdict": verdict, "reason": "480", **said}
    )


def a_gate(*checks: CheckReport, verdict: Verdict = Verdict.PASS, **said: Any) -> GateReport:
    given = {"id": "g1", "gate": "solved", "version": 2, "verdict": verdict, "reason": "1 of 1", "checks": checks}
    return GateReport(**{**given, **said})


def a_report(*gates: GateReport, **said: Any) -> SuiteReport:
    """One scenario with these gates, as bad as the worst of them."""
    worst = next((gate.verdict for gate in gates if not gate.verdict.is_green), Verdict.PASS)
    runs = (RunReport(id="r1", kind="train", seed=0, state="succeeded"),)
    scenario = ScenarioReport(name="cart", verdict=worst, runs=runs, gates=gates)
    report = SuiteReport(
        id="s1",
        suite="cartpole",
        version=3,
        state="finished",
        verdict=worst,
        reason=f"{worst}: 1 scenario",
        commit="1a2b3c4",
        branch="main",
        created_at="2026-11-21T10:00:00.000+00:00",
        ended_at="2026-11-21T10:02:30.500+00:00",
        server=SERVER,
        scenarios=(scenario,),
    )
    return replace(report, **said)


TEXT = st.text(max_size=40)
VERDICTS = st.sampled_from(list(Verdict))
CHECKS = st.builds(CheckReport, check=TEXT, kind=TEXT, key=TEXT, verdict=VERDICTS, reason=TEXT)
GATES = st.builds(
    GateReport,
    id=st.just("g1"),
    gate=TEXT,
    version=st.just(1),
    verdict=VERDICTS,
    reason=TEXT,
    baseline=TEXT,
    is_final=st.booleans(),
    checks=st.lists(CHECKS, max_size=3).map(tuple),
    notes=st.lists(TEXT, max_size=2).map(tuple),
)
SCENARIOS = st.builds(
    ScenarioReport,
    name=TEXT,
    verdict=st.none() | VERDICTS,
    waits_for=st.none() | TEXT,
    stopped=st.none() | TEXT,
    runs=st.lists(
        st.builds(RunReport, id=st.just("r1"), kind=TEXT, seed=st.none() | st.integers(), state=TEXT), max_size=2
    ).map(tuple),
    gates=st.lists(GATES, max_size=3).map(tuple),
)
REPORTS = st.builds(
    SuiteReport,
    id=st.just("s1"),
    suite=TEXT,
    version=st.integers(1, 9),
    state=st.sampled_from(["running", "finished", "cancelled"]),
    verdict=st.none() | VERDICTS,
    reason=TEXT,
    commit=st.none() | TEXT,
    branch=st.none() | TEXT,
    server=st.sampled_from(["", SERVER]),
    scenarios=st.lists(SCENARIOS, max_size=3).map(tuple),
)
