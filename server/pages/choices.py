"""What the fields of a page offer from the database: names that are in use."""

from sqlmodel import Session, col, select

from server.tables import Experiment, Job, MetricKey, RunTag, Worker

_MOST = 300


def experiment_names(session: Session) -> list[str]:
    """The newest first."""
    alive = select(Experiment.name).where(col(Experiment.deleted_at).is_(None))
    return list(session.exec(alive.order_by(col(Experiment.created_at).desc()).limit(_MOST)))


def tag_names(session: Session) -> list[str]:
    return list(session.exec(select(RunTag.tag).distinct().order_by(RunTag.tag).limit(_MOST)))


def metric_names(session: Session) -> list[str]:
    return list(session.exec(select(MetricKey.name).order_by(MetricKey.name).limit(_MOST)))


def queue_names(session: Session) -> list[str]:
    """`auto`, and whatever a worker serves or a job has asked for."""
    served = {queue for queues in session.exec(select(Worker.queues)) for queue in queues}
    asked = set(session.exec(select(Job.queue).distinct()))
    return ["auto", *sorted({"cpu", "gpu"} | served | asked)]
