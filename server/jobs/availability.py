"""Which workers are there, and why a job finds none among them."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from server.tables import Worker

ONLINE, DRAINING, OFFLINE = "online", "draining", "offline"
SILENCES = 3  # leases that a worker may be silent for before it counts as gone


def live(session: Session, now: float, lease_s: float) -> Sequence[Worker]:
    """Those that take jobs."""
    heard_of = col(Worker.seen_at) >= now - SILENCES * lease_s
    return session.exec(select(Worker).where(col(Worker.state) == ONLINE, heard_of)).all()


def why_nobody(queue: str, gpus: int, commit: str | None, workers: Sequence[Worker]) -> str | None:
    """In a sentence, why none of the live workers could ever take such a job; None if one could."""
    serving = [worker for worker in workers if queue in worker.queues]
    if not serving:
        return f"No live worker serves the queue {queue!r}."
    strong = [worker for worker in serving if worker.gpus >= gpus]
    if not strong:
        most = max(worker.gpus for worker in serving)
        return f"No live worker of the queue {queue!r} has {gpus} GPU{'s' if gpus > 1 else ''}; the most is {most}."
    if commit is not None and not any(worker.runs_commits for worker in strong):
        return "No live worker has a source repository to take the commit from."
    if all(worker.problem for worker in strong):
        return f"The worker {strong[0].name} takes no jobs: {strong[0].problem}."
    return None
