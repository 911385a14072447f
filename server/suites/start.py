"""Starting a suite, or one scenario of it once more: its jobs go into the queue."""

from dataclasses import dataclass, replace
from typing import Literal

from sqlmodel import Session, col, select

from dreamer_core.suites import Scenario, Suite, stored_suite, suite_to_mapping
from server import tables
from server.absent import insert_if_absent
from server.ids import new_id
from server.jobs.orders import CheckpointIn, JobIn, Limits
from server.jobs.submit import seed_group_of, submit
from server.news import News
from server.tables import Experiment, Run, RunState, SuiteRun, SuiteState, SuiteStep

Trigger = Literal["schedule", "ci", "terminal", "page", "bisect"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who wants it, of what."""

    trigger: Trigger
    commit: str | None = None
    branch: str | None = None
    who: str = ""
    widen: int = 0  # so many times as many seeds more
    reuse: bool = False  # take what the same code has already done with the same config and seed


@dataclass(frozen=True, kw_only=True)
class _Orders:
    """Where the jobs of one scenario are ordered."""

    session: Session
    run: SuiteRun
    scenario: Scenario
    attempt: int
    now: float
    lease_s: float
    reuse: bool = False


def start(session: Session, row: tables.Suite, asked: Asked, now: float, lease_s: float) -> tuple[SuiteRun, News]:
    """All jobs of all scenarios, in one transaction."""
    suite = widened(stored_suite(row.body), asked.widen)
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
        body=suite_to_mapping(suite),
    )
    session.add(run)
    session.flush()
    # Whoever opens its experiment is told what it asks; a question that somebody has written there stays.
    insert_if_absent(session, Experiment(id=new_id(), name=experiment_of(run), question=suite.question, created_at=now))
    news, reuse = News(), asked.reuse and asked.commit is not None  # what is installed may have changed
    for scenario in suite.scenarios:
        orders = _Orders(session=session, run=run, scenario=scenario, attempt=1, now=now, lease_s=lease_s, reuse=reuse)
        news.add(_start(orders))
    return run, news


def start_again(session: Session, run: SuiteRun, scenario: Scenario, attempt: int, now: float, lease_s: float) -> News:
    """One scenario once more, with seeds that nobody has seen."""
    return _start(_Orders(session=session, run=run, scenario=scenario, attempt=attempt, now=now, lease_s=lease_s))


def widened(suite: Suite, times: int) -> Suite:
    """Every scenario with more seeds: those it has, and as many others `times` times."""
    scenarios = tuple(
        replace(one, seeds=tuple(seed for round in range(times + 1) for seed in seeds_of(one, round + 1)))
        for one in suite.scenarios
    )
    return replace(suite, scenarios=scenarios) if times else suite


def seeds_of(scenario: Scenario, attempt: int) -> list[int]:
    """As many as at first, each time others."""
    shift = (attempt - 1) * (max(scenario.seeds) + 1)
    return [seed + shift for seed in scenario.seeds]


def experiment_of(run: SuiteRun) -> str:
    return f"suite {run.suite}"


def _start(orders: _Orders) -> News:
    """Trainings, an evaluation after each of them, and a bench."""
    scenario, news, trained = orders.scenario, News(), list[Run]()
    if "train" in scenario.sources:
        trained, news = _order(orders, _train(scenario, orders.attempt))
    for one in trained if scenario.eval is not None else ():
        news.add(_order(orders, _evaluation(scenario, one))[1])
    if scenario.bench is not None:
        news.add(_order(orders, _bench(scenario))[1])
    return news


def _order(orders: _Orders, order: JobIn) -> tuple[list[Run], News]:
    """What is to be done, less what is done already."""
    session, run, scenario = orders.session, orders.run, orders.scenario
    common = {
        "experiment": experiment_of(run),
        "tags": [f"suite {run.suite}", scenario.name],
        "commit": run.commit,
        "queue": scenario.queue,
        "gpus": scenario.gpus,
        "priority": scenario.priority,
    }
    order = order.model_copy(update=common)
    known = _done(session, order) if orders.reuse else []
    runs, news = _submit(orders, order, {one.seed for one in known})
    session.add_all(
        SuiteStep(suite_run_id=run.id, run_id=one.id, scenario=scenario.name, kind=order.kind, attempt=orders.attempt)
        for one in (*known, *runs)
    )
    session.flush()
    return [*known, *runs], news


def _submit(orders: _Orders, order: JobIn, done: set[int | None]) -> tuple[list[Run], News]:
    if order.seeds is None:
        return ([], News()) if done else submit(orders.session, order, orders.now, orders.lease_s)
    seeds = [seed for seed in order.seeds if seed not in done]
    if not seeds:
        return [], News()
    return submit(orders.session, order.model_copy(update={"seeds": seeds}), orders.now, orders.lease_s)


def _done(session: Session, order: JobIn) -> list[Run]:
    """Of each seed the newest run that has succeeded at the same: config, commit, arguments and checkpoint."""
    query = select(Run).where(
        Run.seed_group == seed_group_of(session, order), Run.state == RunState.SUCCEEDED, col(Run.deleted_at).is_(None)
    )
    if order.seeds is not None:
        query = query.where(col(Run.seed).in_(order.seeds))
    if order.checkpoint is not None:
        query = query.where(Run.parent_id == order.checkpoint.run)
    return list({run.seed: run for run in session.exec(query.order_by(col(Run.created_at)))}.values())


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
