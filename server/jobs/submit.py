"""Putting jobs into a queue: one run and one job for each seed, of a config that is whole and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from dreamer_core.errors import ConfigError
from server.configs.resolve import Resolved, resolve
from server.configs.seeds import seeds_of
from server.errors import ConflictError, InvalidError, NotFoundError
from server.ids import new_id
from server.jobs import availability, needs
from server.jobs.orders import CheckpointIn, JobIn, check_arguments
from server.live import events
from server.news import News
from server.runs import experiments
from server.runs.groups import seed_group
from server.runs.rows import get_run
from server.tables import Job, JobNeed, Run, RunKind, RunState, RunTag, Worker

_LOOKS_AT_A_RUN = ("eval", "viz")
_VERBS = {"train": "train", "bench": "measure"}


@dataclass(frozen=True, kw_only=True)
class _What:
    """What is to be run, but for the seed."""

    name: str
    identity: dict[str, Any]  # columns of the run
    config: dict[str, Any]
    seeds: list[int | None]
    arguments: dict[str, Any]


def submit(
    session: Session,
    order: JobIn,
    now: float,
    lease_s: float,
    *,
    layer: Mapping[str, Any] | None = None,
    parent_id: str | None = None,
) -> tuple[list[Run], News]:
    """Everything is checked before anything is written. `layer`: a config to change, in place of the order's."""
    source = None if order.checkpoint is None else _source(session, order, order.checkpoint)
    what = _what(order, source, order.config if layer is None else layer)
    _check_needs(session, order.needs)
    workers = availability.live(session, now, lease_s)
    queue = queue_for(order.queue, what.config, workers)
    gpus = order.gpus if order.gpus is not None else int(queue == "gpu")
    waits = f"It waits for {len(set(order.needs))} of the runs that it needs." if order.needs else None
    shared = {
        "experiment_id": _experiment_id(session, order, source, now),
        "reason": waits or availability.why_nobody(queue, gpus, order.commit, workers),
        "parent_id": parent_id or (source.id if source else None),
    }
    runs = [_run(order, what, seed, now, shared) for seed in what.seeds]
    _write(session, order, runs, [_job(order, what, run, queue, gpus) for run in runs])
    ids = [run.id for run in runs]
    events.write_for_all(session, ids, events.SERVER, "queued", f"queued in {queue}", now)
    return runs, News(changed=ids, waiting=[] if order.needs else [(queue, run_id) for run_id in ids])


def seed_group_of(session: Session, order: JobIn) -> str:
    """The seed group that the runs of this order would be in."""
    source = None if order.checkpoint is None else get_run(session, order.checkpoint.run)
    return _seed_group(order, _what(order, source, order.config))


def _write(session: Session, order: JobIn, runs: Sequence[Run], jobs: Sequence[Job]) -> None:
    session.add_all(runs)
    session.flush()
    session.add_all(jobs)
    session.flush()
    for run in runs:
        session.add_all(RunTag(run_id=run.id, tag=tag) for tag in dict.fromkeys(order.tags))
        session.add_all(JobNeed(run_id=run.id, needs_id=need) for need in dict.fromkeys(order.needs))
    session.flush()


def _experiment_id(session: Session, order: JobIn, source: Run | None, now: float) -> str:
    """What looks at a run belongs beside it, unless another place is said."""
    if source is not None and order.kind in _LOOKS_AT_A_RUN and "experiment" not in order.model_fields_set:
        return source.experiment_id
    return experiments.ensure(session, order.experiment, now).id


def _source(session: Session, order: JobIn, checkpoint: CheckpointIn) -> Run:
    """The run whose checkpoint is asked for."""
    run = get_run(session, checkpoint.run)
    if run.kind not in (RunKind.TRAIN, RunKind.IMPORT):
        raise InvalidError(f"Run {run.id} is of kind {run.kind}: it writes no checkpoints.", where="checkpoint.run")
    if run.started_at is None and run.id not in order.needs:
        raise ConflictError(
            f"Run {run.id} has not started: it has no checkpoint yet.",
            where="checkpoint.run",
            seen=run.state,
            todo="Name it in `needs` too, to wait until it has succeeded.",
        )
    return run


def _what(order: JobIn, source: Run | None, layer: Mapping[str, Any] | None) -> _What:
    arguments = check_arguments(order.kind, order.arguments)
    if order.kind in _LOOKS_AT_A_RUN:
        return _look_at(order, source, arguments)
    if not order.words and layer is None:
        raise InvalidError(
            f"Say what to {_VERBS[order.kind]}: a preset or a config.",
            where="words",
            todo="For example preset=cartpole.",
        )
    config = resolve(order.words, layer)
    _check_mode(order.kind, config, has_checkpoint=source is not None)
    seeds: list[int | None] = [*seeds_of(order.words, order.seeds, config.seed)]
    identity = {name: getattr(config, name) for name in ("preset", "env", "recipe", "mode", "family", "fingerprint")}
    if order.kind == "train":
        identity["total_steps"] = config.total_steps
    return _What(
        name=order.name or config.preset, identity=identity, config=config.config, seeds=seeds, arguments=arguments
    )


def _look_at(order: JobIn, source: Run | None, arguments: dict[str, Any]) -> _What:
    """A job that takes its config from the run whose checkpoint it looks at."""
    if source is None:
        raise InvalidError(f"A job of kind {order.kind} needs a checkpoint.", where="checkpoint")
    for given in ("words", "config", "seeds"):
        if getattr(order, given):
            todo = "Say arguments.seed for another cohort." if given == "seeds" else None
            raise InvalidError(f"A job of kind {order.kind} takes its run's own config.", where=given, todo=todo)
    identity = {name: getattr(source, name) for name in ("preset", "env", "recipe", "mode", "family", "fingerprint")}
    name = order.name or f"{order.kind} of {source.name}"[:120]
    return _What(name=name, identity=identity, config=source.config, seeds=[source.seed], arguments=arguments)


def _check_mode(kind: str, config: Resolved, *, has_checkpoint: bool) -> None:
    if kind == "bench" and config.config["algo"]["replay_ratio"] == 0:
        raise ConfigError("algo.replay_ratio", "is 0: there would be no update to measure")
    wanted = kind == "train" and config.mode == "dreamer"
    if wanted and not has_checkpoint:
        raise ConfigError("mode", "dreamer needs the checkpoint of a run, for its world model")
    if has_checkpoint and not wanted:
        raise InvalidError(f"Only eval, viz and mode=dreamer begin from a checkpoint, not {kind}.", where="checkpoint")


def _check_needs(session: Session, ids: list[str]) -> None:
    known = set(session.exec(select(Run.id).where(col(Run.id).in_(ids)))) if ids else set()
    for run_id in ids:
        if run_id not in known:
            raise NotFoundError.of("run", run_id)
    if hopeless := needs.first_hopeless(session, ids):
        raise ConflictError(f"It needs run {hopeless[0]}, which {hopeless[1]}.", where="needs", seen=hopeless[0])


def queue_for(asked: str, config: Mapping[str, Any], workers: Sequence[Worker]) -> str:
    """`auto` goes by the device that the config names, else by who is there."""
    if asked != "auto":
        return asked
    device = config.get("device")
    if device in ("cpu", "cuda"):
        return "cpu" if device == "cpu" else "gpu"
    return "gpu" if any("gpu" in worker.queues for worker in workers) else "cpu"


def _run(order: JobIn, what: _What, seed: int | None, now: float, shared: Mapping[str, Any]) -> Run:
    said = ("kind", "commit", "hypothesis", "primary_metric", "stop_rule", "notes")
    return Run(
        id=new_id(),
        name=what.name,
        state=RunState.QUEUED,
        seed=seed,
        seed_group=_seed_group(order, what),
        config=what.config if seed is None else what.config | {"seed": seed},
        created_at=now,
        updated_at=now,
        **{name: getattr(order, name) for name in said},
        **what.identity,
        **shared,
    )


def _seed_group(order: JobIn, what: _What) -> str:
    """Evaluations of all seeds of a group are a group too; trainings that begin from other checkpoints are not."""
    origin: list[str] = []
    if order.checkpoint is not None:
        origin = (
            [order.checkpoint.which] if order.kind in _LOOKS_AT_A_RUN else [*order.checkpoint.model_dump().values()]
        )
    return seed_group(order.kind, what.identity["fingerprint"], order.commit, what.arguments, *origin)


def _job(order: JobIn, what: _What, run: Run, queue: str, gpus: int) -> Job:
    return Job(
        run_id=run.id,
        queue=queue,
        priority=order.priority,
        gpus=gpus,
        arguments=what.arguments,
        checkpoint_run_id=order.checkpoint.run if order.checkpoint else None,
        checkpoint=order.checkpoint.which if order.checkpoint else None,
        limits=order.limits.model_dump(exclude_none=True),
        max_lost=order.max_lost,
        queued_at=run.created_at,
    )
