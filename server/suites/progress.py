"""How far a suite run is: the runs of each scenario's newest attempt, and what was said of them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from dreamer_core.gates import Verdict, combine
from dreamer_core.suites import Scenario, stored_suite
from server.runs.rows import LEAN
from server.tables import GateResult, Run, RunState, SuiteRun, SuiteStep

_WITHOUT_BODY = (defer(col(GateResult.body)),)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Step:
    run: Run
    kind: str
    attempt: int


@dataclass(frozen=True)
class Progress:
    """One scenario of a suite run."""

    scenario: Scenario
    steps: Sequence[Step]  # of all attempts
    results: Sequence[GateResult]  # of all attempts, the oldest first
    has_numbers: bool  # somebody posted them, or nobody has to

    @property
    def attempt(self) -> int:
        return max((step.attempt for step in self.steps), default=1)

    @property
    def newest(self) -> list[Step]:
        """The steps of the newest attempt."""
        return [step for step in self.steps if step.attempt == self.attempt]

    @property
    def verdict(self) -> Verdict | None:
        """None until the last word is said."""
        final = [result.verdict for result in self.results if result.is_final]
        return combine(final) if final else None

    @property
    def waits_for(self) -> str | None:
        """What is missing before it can be judged; None where nothing is."""
        if self.verdict is not None:
            return None
        going = sum(not step.run.state.is_final for step in self.newest)
        if going:
            return f"{going} of {len(self.newest)} jobs"
        return None if self.has_numbers else "numbers that somebody must post"

    @property
    def stuck(self) -> str | None:
        """Why no worker that is there can take the job that comes next; None where one can, or has it."""
        ahead = next((step.run for step in self.newest if not step.run.state.is_final), None)
        return ahead.reason if ahead is not None and ahead.state == RunState.QUEUED else None

    @property
    def is_due(self) -> bool:
        return self.verdict is None and self.waits_for is None


def of(session: Session, run: SuiteRun) -> list[Progress]:
    return of_many(session, [run])[run.id]


def of_many(session: Session, runs: Sequence[SuiteRun]) -> dict[str, list[Progress]]:
    """In the order of the suite's scenarios; two queries, however many runs."""
    ids = [run.id for run in runs]
    steps: defaultdict[tuple[str, str], list[Step]] = defaultdict(list)
    pairs = select(SuiteStep, Run).join(Run, col(Run.id) == SuiteStep.run_id).options(*LEAN)
    pairs = pairs.where(col(SuiteStep.suite_run_id).in_(ids))
    for step, run in session.exec(pairs.order_by(col(SuiteStep.attempt), col(SuiteStep.kind).desc(), col(Run.seed))):
        steps[step.suite_run_id, step.scenario].append(Step(run, step.kind, step.attempt))
    results: defaultdict[tuple[str, str], list[GateResult]] = defaultdict(list)
    said = select(GateResult).options(*_WITHOUT_BODY).where(col(GateResult.suite_run_id).in_(ids))
    for result in session.exec(said.order_by(col(GateResult.created_at), col(GateResult.id))):
        results[result.suite_run_id or "", result.scenario or ""].append(result)
    return {
        run.id: [
            Progress(
                scenario,
                steps[run.id, scenario.name],
                results[run.id, scenario.name],
                not scenario.posted or scenario.name in run.posted,
            )
            for scenario in stored_suite(run.body).scenarios
        ]
        for run in runs
    }
