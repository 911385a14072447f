"""Putting a job that is over back into the queue: from its start (retry), or from its last checkpoint (resume)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from dreamer_core.errors import ConfigError
from server.configs.resolve import resolve_changes
from server.errors import ConflictError
from server.files import artifacts
from server.jobs import needs
from server.jobs.rows import get_job
from server.live import events
from server.metrics.rewind import rewind
from server.news import News
from server.runs.groups import seed_group
from server.runs.rows import hold_run
from server.runs.states import move
from server.tables import Job, JobNeed, Run, RunKind, RunState

_NOTHING_YET = {
    "env_steps": 0,
    "train_steps": 0,
    "steps_per_s": None,
    "started_at": None,
    "manifest": None,
    "source_commit": None,
}


class Retried(NamedTuple):
    run: Run
    news: News
    contents: list[str]  # of files that are gone, by their hashes; to be dropped after the commit


def retry(session: Session, run_id: str, now: float) -> Retried:
    """From the start: what it measured, said and left before is taken back. Its log and its attempts stay."""
    run, job = _hold(session, run_id, (RunState.FAILED, RunState.CANCELLED), "retry")
    rewind(session, run_id, 0)
    events.cut_core_events(session, run_id, 0)
    job.fresh, job.resume_changes = True, []
    _queue(session, run, job, now, "retried", "it starts again from the beginning", _NOTHING_YET)
    news = News(changed=[run_id], waiting=[(job.queue, run_id)])
    return Retried(run, news, artifacts.delete_results(session, run_id))


def resume(session: Session, run_id: str, changes: Sequence[str], now: float) -> tuple[Run, News]:
    """From its last checkpoint, and longer if `changes` say so. Its worker takes back what that had not seen."""
    run, job = _hold(session, run_id, (RunState.FAILED, RunState.CANCELLED, RunState.SUCCEEDED), "resume")
    if run.kind != RunKind.TRAIN:
        raise ConflictError(
            f"A run of kind {run.kind} has no checkpoints to go on from.", where="kind", todo="Retry it."
        )
    changed = _changed(run, job, changes) if changes else {}
    # `fresh` stays: if it was retried and nothing came of that, there is no checkpoint of this life yet.
    job.resume_changes = [*job.resume_changes, *changes]
    said = f"it goes on with {' '.join(changes)}" if changes else "it goes on"
    _queue(session, run, job, now, "resumed", said[:200], changed)
    return run, News(changed=[run_id], waiting=[(job.queue, run_id)])


def _hold(session: Session, run_id: str, from_states: Sequence[RunState], what: str) -> tuple[Run, Job]:
    run, job = hold_run(session, run_id), get_job(session, run_id)
    if run.state not in from_states:
        raise ConflictError(
            f"Run {run_id} is {run.state}: {what} is for runs that are {' or '.join(from_states)}.",
            where="state",
            seen=run.state,
        )
    if run.deleted_at is not None:
        raise ConflictError(f"Run {run_id} is deleted.", where="run_id", todo="Restore it first.")
    needed = session.exec(select(JobNeed.needs_id).where(col(JobNeed.run_id) == run_id)).all()
    if hopeless := needs.first_hopeless(session, list(needed)):
        raise ConflictError(
            f"It needs run {hopeless[0]}, which {hopeless[1]}.", where="needs", todo=f"Retry {hopeless[0]} first."
        )
    return run, job


def _changed(run: Run, job: Job, changes: Sequence[str]) -> dict[str, Any]:
    """The columns of a run whose config was changed as `--resume` may change it."""
    resolved = resolve_changes(run.config, changes)
    if resolved.total_steps != run.total_steps and resolved.total_steps < run.env_steps:
        raise ConfigError(
            "algo.total_steps", f"is {resolved.total_steps:,}, but the run has done {run.env_steps:,}; ask for more"
        )
    origin = [] if job.checkpoint_run_id is None else [job.checkpoint_run_id, job.checkpoint]
    group = seed_group(run.kind, resolved.fingerprint, run.commit, job.arguments, *origin)
    kept = {name: getattr(resolved, name) for name in ("config", "total_steps", "family", "fingerprint")}
    return {**kept, "seed_group": group}


def _queue(session: Session, run: Run, job: Job, now: float, kind: str, message: str, changes: dict[str, Any]) -> None:
    job.queued_at, job.not_before, job.cancel_requested_at = now, None, None
    job.lost, job.usage = 0, None
    session.add(job)
    move(session, run, RunState.QUEUED, now, kind=kind, message=message, error=None, **changes)
