"""Starting a suite, or one scenario of it once more: its jobs go into the queue."""

from dataclasses import dataclass
from typing import Literal

from sqlmodel import Session

from dreamer_core.suites import Scenario, suite_from_mapping
from server import tables
from server.ids import new_id
from server.jobs.orders import CheckpointIn, JobIn, Limits
from server.jobs.submit import submit
from server.news import News
from server.tables import Run, SuiteRun, SuiteState, SuiteStep

Trigger = Literal["schedule", "ci", "page"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who wants it, of what."""

    trigger: Trigger
    commit: str | None = None
    branch: str | None = None
    who: str = ""


def start(session: Session, row: tables.Suite, asked: Asked, now: float, lease_s: float) -> tuple[SuiteRun, News]:
    """All jobs of all scenarios, in one transaction."""
    run = SuiteRun(
        id=new_id(),
        suite=row.name,
        suite_version=row.version,
        state=SuiteState.RUNNING,
        commit=asked.commit,
        branch=asked.branch,
        trigger=asked.trigger,
        who=asked.who,
        created_at=now,
        body=row.body,
    )
    session.add(run)
    session.flush()
    news = News()
    for scenario in suite_from_mapping(row.body).scenarios:
        news.add(start_scenario(session, run, scenario, 1, now, lease_s))
    return run, news


def start_scenario(
    session: Session, run: SuiteRun, scenario: Scenario, attempt: int, now: float, lease_s: float
) -> News:
    """Trainings, an evaluation after each of them, and a bench. Later attempts take seeds that nobody has seen."""
    news, trained = News(), list[Run]()
    if "train" in scenario.sources:
        trained, news = _order(session, run, scenario, attempt, _train(scenario, attempt), now, lease_s)
    for one in trained if scenario.eval is not None else ():
        news.add(_order(session, run, scenario, attempt, _evaluation(scenario, one), now, lease_s)[1])
    if scenario.bench is not None:
        news.add(_order(session, run, scenario, attempt, _bench(scenario), now, lease_s)[1])
    return news


def seeds_of(scenario: Scenario, attempt: int) -> list[int]:
    """As many as at first, each time others."""
    shift = (attempt - 1) * (max(scenario.seeds) + 1)
    return [seed + shift for seed in scenario.seeds]


def _order(
    session: Session, run: SuiteRun, scenario: Scenario, attempt: int, order: JobIn, now: float, lease_s: float
) -> tuple[list[Run], News]:
    order = order.model_copy(
        update={
            "experiment": f"suite {run.suite}",
            "tags": [f"suite {run.suite}", scenario.name],
            "commit": run.commit,
            "queue": scenario.queue,
            "gpus": scenario.gpus,
            "priority": scenario.priority,
        }
    )
    runs, news = submit(session, order, now, lease_s)
    session.add_all(
        SuiteStep(suite_run_id=run.id, run_id=one.id, scenario=scenario.name, kind=order.kind, attempt=attempt)
        for one in runs
    )
    session.flush()
    return runs, news


def _train(scenario: Scenario, attempt: int) -> JobIn:
    limits = Limits(seconds=scenario.seconds)
    seeds = seeds_of(scenario, attempt)
    return JobIn(kind="train", name=scenario.name, words=list(scenario.words), seeds=seeds, limits=limits)


def _evaluation(scenario: Scenario, trained: Run) -> JobIn:
    assert scenario.eval is not None
    return JobIn(
        kind="eval",
        name=f"{scenario.name} eval",
        checkpoint=CheckpointIn(run=trained.id, which=scenario.eval.which),
        arguments={"episodes": scenario.eval.episodes, "greedy": scenario.eval.greedy},
        needs=[trained.id],
    )


def _bench(scenario: Scenario) -> JobIn:
    assert scenario.bench is not None
    arguments = {"updates": scenario.bench.updates, "warmup": scenario.bench.warmup}
    return JobIn(kind="bench", name=f"{scenario.name} bench", words=list(scenario.words), arguments=arguments)
