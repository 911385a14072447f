"""A job like an earlier one, with changes: what is not said is as it was."""

from typing import Any

from sqlmodel import Session, col, select

from dreamer_core.config.changes import as_layer
from server.errors import ConflictError, InvalidError
from server.jobs.orders import CloneIn, JobIn
from server.jobs.submit import submit
from server.news import News
from server.runs.rows import get_run
from server.tables import Experiment, Job, JobNeed, Run, RunTag

_WORDS = ("name", "hypothesis", "primary_metric", "stop_rule", "notes", "commit")


def clone(session: Session, run_id: str, said: CloneIn, now: float, lease_s: float) -> tuple[list[Run], News]:
    run = get_run(session, run_id)
    job = session.get(Job, run_id)
    if job is None:
        raise ConflictError(
            f"Run {run_id} was imported: only its own trainer can run it again.", where="run_id", seen=run.kind
        )
    given = said.model_dump(exclude_unset=True, exclude={"changes"})
    is_of_a_config = run.kind in ("train", "bench")
    if said.changes and not is_of_a_config:
        raise InvalidError(f"A job of kind {run.kind} takes its run's own config.", where="changes", seen=said.changes)
    order = JobIn.model_validate(_as_it_was(session, run, job) | given | {"kind": run.kind, "words": said.changes})
    layer = as_layer(run.config) if is_of_a_config else None
    return submit(session, order, now, lease_s, layer=layer, parent_id=run_id)


def _as_it_was(session: Session, run: Run, job: Job) -> dict[str, Any]:
    tags = session.exec(select(RunTag.tag).where(col(RunTag.run_id) == run.id))
    needs = session.exec(select(JobNeed.needs_id).where(col(JobNeed.run_id) == run.id))
    was = {name: getattr(run, name) for name in _WORDS}
    was |= {name: getattr(job, name) for name in ("queue", "priority", "gpus", "arguments", "limits", "max_lost")}
    if job.checkpoint_run_id is not None:
        was["checkpoint"] = {"run": job.checkpoint_run_id, "which": job.checkpoint}
    experiment = session.get_one(Experiment, run.experiment_id).name
    return {**was, "experiment": experiment, "tags": list(tags), "needs": list(needs)}
