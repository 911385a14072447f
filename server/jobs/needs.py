"""Jobs that wait for runs: free when all of them have succeeded, cancelled when one of them never will.

What is unmet is asked of the needed runs themselves, never counted along: there is nothing that could drift.
"""

from collections import defaultdict
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from server.live import events
from server.news import News
from server.tables import Job, JobNeed, Run, RunState

_NEVER = (RunState.FAILED, RunState.CANCELLED)
_needed = aliased(Run, name="needed")


def has_unmet() -> ColumnElement[bool]:
    """Of the `Job` of a query: whether a run that it needs has not succeeded."""
    pairs = select(JobNeed).join(_needed, col(_needed.id) == JobNeed.needs_id)
    return exists(pairs.where(col(JobNeed.run_id) == Job.run_id, col(_needed.state) != RunState.SUCCEEDED))


def count_unmet() -> ScalarSelect[int]:
    pairs = select(func.count()).select_from(JobNeed).join(_needed, col(_needed.id) == JobNeed.needs_id)
    unmet = pairs.where(col(JobNeed.run_id) == Job.run_id, col(_needed.state) != RunState.SUCCEEDED)
    return unmet.correlate(Job).scalar_subquery()


def settle(session: Session, run: Run, now: float) -> News:
    """What the new state of a run means for those that need it. The row is written already."""
    news = News(changed=[run.id])
    if run.state == RunState.SUCCEEDED:
        news.waiting += _freed(session, run.id)
    elif run.state in _NEVER:
        news.add(cancel_hopeless(session, now))
    return news


def cancel_hopeless(session: Session, now: float) -> News:
    """Cancel what waits for a run that failed or was cancelled, and what waits for that, and so on."""
    news = News()
    while hopeless := _find_hopeless(session):
        for (needed_id, name, state), run_ids in hopeless.items():
            reason = f"It needs run {needed_id} ({name}), which {_was(state)}."
            rows = update(Run).where(col(Run.id).in_(run_ids))
            changes = {"state": RunState.CANCELLED, "reason": reason, "ended_at": now, "updated_at": now}
            session.connection().execute(rows.values(version=Run.version + 1, **changes))
            events.write_for_all(session, run_ids, events.SERVER, "cancelled", reason, now)
            news.changed += run_ids
    return news


def is_any_hopeless(session: Session) -> bool:
    return session.exec(_hopeless().limit(1)).first() is not None


def first_hopeless(session: Session, run_ids: list[str]) -> tuple[str, str] | None:
    """The id of one of these runs that failed or was cancelled, and which of the two."""
    found = select(Run.id, Run.state).where(col(Run.id).in_(run_ids), col(Run.state).in_(_NEVER)).order_by(col(Run.id))
    row = session.exec(found).first()
    return None if row is None else (row[0], _was(row[1]))


def _find_hopeless(session: Session) -> dict[tuple[str, str, str], list[str]]:
    """By what they need. Runs that somebody else holds are left to the timer: waiting here could wait for ever."""
    found = session.exec(_hopeless().with_for_update(of=Run, key_share=True, skip_locked=True))
    reasons = {run_id: (needed_id, name, state) for run_id, needed_id, name, state in found}
    hopeless: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for run_id, reason in reasons.items():
        hopeless[reason].append(run_id)
    return dict(hopeless)


def _hopeless() -> Any:
    found = select(Run.id, _needed.id, _needed.name, _needed.state).join(JobNeed, col(JobNeed.run_id) == Run.id)
    found = found.join(_needed, col(_needed.id) == JobNeed.needs_id)
    return found.where(col(Run.state) == RunState.QUEUED, col(_needed.state).in_(_NEVER)).order_by(col(Run.id))


def _freed(session: Session, needed_id: str) -> list[tuple[str, str]]:
    found = (
        select(Job.queue, Job.run_id)
        .join(JobNeed, col(JobNeed.run_id) == Job.run_id)
        .join(Run, col(Run.id) == Job.run_id)
        .where(col(JobNeed.needs_id) == needed_id, col(Run.state) == RunState.QUEUED, ~has_unmet())
    )
    return [(queue, run_id) for queue, run_id in session.exec(found)]


def _was(state: str) -> str:
    return "failed" if state == RunState.FAILED else "was cancelled"
