"""The numbers of stored runs, as gates look at them."""

from collections.abc import Mapping, Sequence

import numpy as np
from sqlmodel import Session, col, select

from dreamer_core.config.parse import dotted_items
from dreamer_core.gates import Facts, RunNumbers, SeedGroup, Series
from dreamer_core.gates.group import TESTBED
from server.errors import ConflictError, NotFoundError
from server.metrics import names
from server.metrics.batch import AXES, Batch
from server.metrics.columns import Floats, Ints
from server.metrics.read import read_batch, stream_state
from server.runs import manifests
from server.runs.rows import get_run
from server.tables import Run, RunKind, RunState

MOST_RUNS = 200
_SUMMARIES = (RunKind.EVAL, RunKind.BENCH)  # of one record that says everything, or of laps that are all alike


def chosen(session: Session, run_ids: Sequence[str], seed_group: str | None) -> list[Run]:
    """The runs of these ids, and those of a seed group."""
    runs = {run_id: get_run(session, run_id) for run_id in run_ids}
    if seed_group is not None:
        found = session.exec(
            select(Run).where(Run.seed_group == seed_group, col(Run.deleted_at).is_(None)).limit(MOST_RUNS + 1)
        ).all()
        if not found:
            raise NotFoundError.of("seed group", seed_group)
        runs |= {run.id: run for run in found if not _never_began(run)}
    if deleted := [run.id for run in runs.values() if run.deleted_at is not None]:
        raise ConflictError(f"Run {deleted[0]} is deleted.", where="runs", seen=deleted[0], todo="Restore it first.")
    if len(runs) > MOST_RUNS:
        raise ConflictError(f"These are more than {MOST_RUNS} runs.", where="runs", seen=len(runs))
    return list(runs.values())


def _never_began(run: Run) -> bool:
    """Taken out of the queue: there is no such seed, so nobody hides one by leaving it out."""
    return run.state == RunState.CANCELLED and run.started_at is None


def group_of(session: Session, runs: Sequence[Run], keys: Sequence[str] | None = None) -> SeedGroup:
    """With `keys`, only these metrics."""
    summaries = bool(runs) and all(run.kind in _SUMMARIES for run in runs)
    numbers = tuple(numbers_of(session, run, keys) for run in runs)
    return SeedGroup(runs=numbers, input_kind="json" if summaries else "jsonl")


def numbers_of(session: Session, run: Run, keys: Sequence[str] | None = None) -> RunNumbers:
    """Everything that a run recorded, or only these metrics of it: one of hundreds is read that much faster."""
    connection = session.connection()
    ids = None if keys is None else {key_id: name for name, key_id in names.find(connection, keys).items()}
    records, _ = stream_state(session, run.id)
    batch = read_batch(connection, run.id, 0, records, None if ids is None else list(ids))
    series = {} if batch is None else _series(batch, names.of_run(connection, run.id) if ids is None else ids, keys)
    return RunNumbers(
        name=run.id,
        series=series,
        record_steps=np.empty(0) if batch is None else np.sort(batch.axes[0]),
        seed=run.seed,
        task=run.env or "",
        facts=facts_of(run),
    )


def facts_of(run: Run) -> Facts:
    runtime, artifacts = (manifests.part(run.manifest, name) for name in ("runtime", "artifacts"))
    checkpoint = manifests.part(artifacts, "best") or manifests.part(artifacts, "last")
    return Facts(
        family=run.family or "",
        fingerprint=run.fingerprint or "",
        preset=run.preset or "",
        recipe=run.recipe or "",
        env=run.env or "",
        mode=run.mode or "",
        commit=manifests.source_commit(run.manifest) or run.commit or "",
        dirty=manifests.is_dirty(run.manifest),
        status="" if run.kind == RunKind.IMPORT and run.state == RunState.SUCCEEDED else str(run.state),
        error=run.error or "",
        checkpoint_sha256=str(checkpoint.get("sha256") or ""),
        config=dotted_items(run.config),
        testbed={name: str(runtime[name]) for name in TESTBED if runtime.get(name) is not None},
    )


def _series(batch: Batch, names_of: Mapping[int, str], keys: Sequence[str] | None) -> dict[str, Series]:
    """One for each key, and one for each axis that is wanted and that records say."""
    steps, place_of = batch.axes[0], np.argsort(_in_order(batch.axes[0]), kind="stable")
    wanted = {name: axis for name, axis in zip(AXES, batch.axes, strict=True) if keys is None or name in keys}
    said = {name: np.flatnonzero(~np.isnan(axis)) for name, axis in wanted.items()}
    axes = {name: (said[name], axis[said[name]]) for name, axis in wanted.items()}
    points = {names_of[key]: found for key, found in batch.points().items()} | axes
    found = {}
    for name, (numbers, values) in points.items():
        if len(numbers):
            order = np.argsort(place_of[numbers])
            found[name] = Series(
                steps=steps[numbers][order], values=values[order], records=place_of[numbers][order].astype(np.intp)
            )
    return found


def _in_order(steps: Floats) -> Ints:
    """Which record comes first, second, ... by its step; those of one step as they came."""
    return np.argsort(steps, kind="stable")
