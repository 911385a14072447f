"""Calling workers again that a message may have missed, while there is something for them to do."""

from collections import defaultdict

from sqlmodel import Session

from server.jobs import availability, queues

EVERY_S = 10.0


class Waker:
    """Remembers when it called for which queue, so as not to call all the time."""

    def __init__(self) -> None:
        self._called: dict[str, float] = {}

    def due(self, session: Session, now: float, lease_s: float) -> list[tuple[str, str]]:
        """Queue and run, one for each free slot that could take one. What is due counts as called."""
        ready: defaultdict[str, list[str]] = defaultdict(list)
        for queue, run_id in queues.claimable(session, now):
            ready[queue].append(run_id)
        there, found = availability.live(session, now, lease_s), []
        for queue, run_ids in ready.items():
            free = sum(worker.free_slots for worker in there if queue in worker.queues)
            if free and not 0 <= now - self._called.get(queue, -EVERY_S) < EVERY_S:
                self._called[queue] = now
                found += [(queue, run_id) for run_id in run_ids[:free]]
        return found
