"""Judging one scenario of a suite run, when its jobs are over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlmodel import Session, col, select

from dreamer_core.gates import Evidence, Gate, GateResult, Past, Result, SeedGroup, Verdict, combine, evaluate
from dreamer_core.gates.checks import ChangePoint
from dreamer_core.gates.measure import lower_median
from dreamer_core.gates.posted import parity_from
from dreamer_core.gates.records import run_from_records
from dreamer_core.suites import GateUse, Suite, stored_suite
from server import tables
from server.errors import NotFoundError
from server.gates import baselines, definitions, evidence
from server.gates.results import Judged
from server.suites.progress import Progress
from server.tables import Baseline, Run, RunState, SuiteRun

_MOST_PAST = 200


@dataclass(frozen=True)
class Verdicts:
    """What the gates of one scenario came to, before it is kept."""

    judged: Sequence[Judged]

    @property
    def verdict(self) -> Verdict:
        return combine(one.result.verdict for one in self.judged)


def judge(session: Session, run: SuiteRun, progress: Progress) -> Verdicts:
    suite = stored_suite(run.body)
    return Verdicts([_judge(session, run, suite, progress, use) for use in progress.scenario.gates])


def _judge(session: Session, run: SuiteRun, suite: Suite, progress: Progress, use: GateUse) -> Judged:
    gate, name = gate_of(suite, use.gate), progress.scenario.name
    posted = run.posted.get(name, {}) if use.of == "posted" else {}
    stopped = run.stopped.get(name)
    runs = [step.run for step in progress.newest if step.kind == use.of and not (stopped and _was_stopped(step.run))]
    candidate = _posted(posted) if use.of == "posted" else evidence.group_of(session, runs)
    baseline, missing = find_baseline(session, use.baseline)
    values = _values(gate, candidate)
    past = _past(session, run, name, gate) if values else {}
    known = Evidence(
        candidate=candidate,
        baseline=None if baseline is None else baselines.read(baseline),
        history={key: (*past.get(key, ()), value) for key, value in values.items()},
        parity=parity_from(posted.get("parity", []), "parity"),
    )
    found = evaluate(gate, known)
    found = replace(found, notes=(*found.notes, missing)) if missing else found
    return Judged(
        gate=gate,
        result=_with_stop(found, stopped) if stopped else found,
        baseline=baseline,
        runs=runs,
        candidate=candidate,
        commit=run.commit,
        values=values,
    )


def _was_stopped(run: Run) -> bool:
    return run.state == RunState.CANCELLED


def _with_stop(found: GateResult, reason: str) -> GateResult:
    """What was not run to its end is never green, whatever the runs say that were."""
    why = f"stopped early: {reason}"
    stop = Result(check="stopped", kind="stopped", verdict=Verdict.INCONCLUSIVE, reason=why)
    verdict = combine([found.verdict, stop.verdict])
    said = found.reason if verdict is found.verdict else f"{verdict}: {why}"
    return replace(found, results=(*found.results, stop), verdict=verdict, reason=said)


def gate_of(suite: Suite, name: str) -> Gate:
    return next((gate for gate in suite.gates if gate.name == name), definitions.COMPARE)


def find_baseline(session: Session, reference: str | None) -> tuple[Baseline | None, str]:
    """And a note where there is none: a suite can be run before its first baseline is blessed."""
    if reference is None:
        return None, ""
    try:
        return baselines.named(session, reference), ""
    except NotFoundError:
        return None, f"there is no baseline {reference}: bless one"


def _posted(posted: Mapping[str, Any]) -> SeedGroup:
    numbers = posted.get("numbers", [])
    runs = tuple(run_from_records(one["records"], name=one["name"], seed=one.get("seed")) for one in numbers)
    return SeedGroup(runs=runs, input_kind="json" if all(len(one["records"]) == 1 for one in numbers) else "jsonl")


def _values(gate: Gate, candidate: SeedGroup) -> dict[str, Past]:
    """What the history of this gate remembers: of each metric the middle run's last value, or middle lap."""
    keys = dict.fromkeys(key for check in gate.checks if isinstance(check, ChangePoint) for key in check.keys)
    found = {}
    for key in keys:
        every = [run.of(key).values for run in candidate.runs if len(run.of(key))]
        last = [lower_median(values) if candidate.input_kind == "json" else values[-1] for values in every]
        if last:
            found[key] = Past(value=float(lower_median(np.array(last))), testbed=_testbed(candidate))
    return found


def _testbed(candidate: SeedGroup) -> str:
    machines = {", ".join(f"{k} {v}" for k, v in sorted(run.facts.testbed.items())) for run in candidate.runs}
    return machines.pop() if len(machines) == 1 else "several"


def _past(session: Session, run: SuiteRun, scenario: str, gate: Gate) -> dict[str, tuple[Past, ...]]:
    """The values of earlier runs of this suite, from the oldest on."""
    query = (
        select(tables.GateResult, SuiteRun)
        .join(SuiteRun, col(SuiteRun.id) == tables.GateResult.suite_run_id)
        .where(SuiteRun.suite == run.suite, tables.GateResult.scenario == scenario, tables.GateResult.gate == gate.name)
        .where(col(tables.GateResult.is_final), col(SuiteRun.created_at) < run.created_at)
        .order_by(col(SuiteRun.created_at).desc())
        .limit(_MOST_PAST)
    )
    found: dict[str, list[Past]] = {}
    for result, earlier in reversed(session.exec(query).all()):
        for key, value in result.body.get("values", {}).items():
            label = (earlier.commit or earlier.id)[:12]
            found.setdefault(key, []).append(Past(value=float(value["value"]), label=label, testbed=value["testbed"]))
    return {key: tuple(values) for key, values in found.items()}
