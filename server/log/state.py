"""What a log depends on, read without reading it: as long as this is the same, so is the log."""

from collections.abc import Hashable, Iterable
from typing import Any

from sqlmodel import Session, col, func, select

from server.live import events
from server.tables import Event, Experiment, GateResult, GateResultRun, MetricStream, Run


def state_of(session: Session, experiment: Experiment) -> Hashable:
    """Every change of a run's row gives it another version; results and remarks only come, and stop being final."""
    own = col(Run.experiment_id) == experiment.id
    ids, parents = select(Run.id).where(own), select(Run.parent_id).where(own)
    versions = select(Run.id, Run.version).where(own | col(Run.id).in_(parents))
    stream = select(MetricStream.run_id, MetricStream.records, MetricStream.rewinds)
    results = select(GateResultRun.run_id, GateResult.id, GateResult.is_final)
    judged = results.join(GateResult, col(GateResult.id) == GateResultRun.result_id)
    remarks = select(func.count(col(Event.id)), func.max(Event.id)).where(Event.origin == events.USER)
    return (
        experiment.name,
        experiment.question,
        _all(session.exec(versions)),
        _all(session.exec(stream.where(col(MetricStream.run_id).in_(ids)))),
        _all(session.exec(judged.where(col(GateResultRun.run_id).in_(ids)))),
        _all(session.exec(remarks.where(col(Event.run_id).in_(ids)))),
    )


def _all(rows: Iterable[Any]) -> frozenset[tuple[Any, ...]]:
    return frozenset(tuple(row) for row in rows)
