"""How attempts end, and what becomes of the run then: told by its worker, or found out by the server."""

from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from server.errors import LeaseLostError
from server.jobs import needs
from server.jobs.lease import HEADER
from server.jobs.rows import get_job
from server.news import News
from server.runs.rows import hold_run
from server.runs.states import move
from server.tables import Attempt, Job, Outcome, Run, RunState

BACKOFF_S, LONGEST_BACKOFF_S = 5.0, 300.0


@dataclass(frozen=True, kw_only=True)
class Ending:
    outcome: Outcome
    exit_code: int | None = None
    reason: str | None = None
    error: str | None = None
    peak: dict[str, Any] = field(default_factory=dict)


def next_state(outcome: Outcome, *, is_cancelled: bool, lost: int, max_lost: int) -> RunState:
    """`lost` counts this one. What really happened decides: a run that was to stop and got done first has succeeded."""
    if outcome in (Outcome.DRAINED, Outcome.LOST):
        if is_cancelled:
            return RunState.CANCELLED
        return RunState.QUEUED if outcome == Outcome.DRAINED or lost <= max_lost else RunState.FAILED
    ends = {Outcome.SUCCEEDED: RunState.SUCCEEDED, Outcome.CANCELLED: RunState.CANCELLED}
    return ends.get(outcome, RunState.FAILED)


def end(session: Session, run_id: str, token: str | None, ending: Ending, now: float) -> tuple[RunState, News]:
    """By the attempt that holds the lease. Told again, since its answer was lost, it gets the same answer."""
    run, job = hold_run(session, run_id), get_job(session, run_id)
    if token is None or job.lease_token != token:
        return _answer_again(session, run_id, token, ending.outcome), News()
    return _end(session, run, job, ending, now)


def lose(session: Session, run: Run, job: Job, reason: str, now: float, *, at_once: bool = False) -> News:
    """Nothing is heard of the attempt any more. The run is held. `at_once`: without waiting before the next one."""
    job.lost += 1
    wait_s = 0.0 if at_once else min(LONGEST_BACKOFF_S, BACKOFF_S * 2.0**job.lost)
    job.not_before = now + wait_s if wait_s else None
    state, news = _end(session, run, job, Ending(outcome=Outcome.LOST, reason=reason), now)
    if state == RunState.QUEUED and not wait_s:
        news.waiting.append((job.queue, run.id))
    return news


def _end(session: Session, run: Run, job: Job, ending: Ending, now: float) -> tuple[RunState, News]:
    is_cancelled = job.cancel_requested_at is not None
    state = next_state(ending.outcome, is_cancelled=is_cancelled, lost=job.lost, max_lost=job.max_lost)
    _close(session, job, ending, state, now)
    reason = _reason(state, job, ending, now)
    error = (ending.error or ending.reason or reason) if state == RunState.FAILED else None
    kind = ending.outcome.value if state == RunState.QUEUED else state.value
    message = reason or f"attempt {job.attempts} {ending.outcome}"
    move(session, run, state, now, kind=kind, message=message[:1000], reason=reason, error=error)
    news = needs.settle(session, run, now)
    if ending.outcome == Outcome.DRAINED and state == RunState.QUEUED:
        news.waiting.append((job.queue, run.id))
    return state, news


def _close(session: Session, job: Job, ending: Ending, state: RunState, now: float) -> None:
    """End the attempt and give the lease back."""
    attempt = _attempt(session, job.run_id, job.lease_token)
    assert attempt is not None
    attempt.ended_at, attempt.outcome, attempt.next_state = now, ending.outcome, state
    attempt.exit_code, attempt.reason, attempt.peak = ending.exit_code, ending.reason, ending.peak
    job.lease_token = job.lease_worker_id = job.lease_until = None
    session.add_all([attempt, job])


def _reason(state: RunState, job: Job, ending: Ending, now: float) -> str | None:
    """Why the run is in its new state, for people; None where there is nothing to explain."""
    if state == RunState.SUCCEEDED:
        return None
    if ending.outcome == Outcome.LOST and state == RunState.FAILED:
        return f"Its worker was lost {job.lost} times. {ending.reason}"
    if ending.outcome == Outcome.LOST and state == RunState.QUEUED:
        wait_s = max(0.0, (job.not_before or now) - now)
        return f"{ending.reason} It goes on from its last checkpoint{f' in {wait_s:.0f} s' if wait_s else ''}."
    if ending.outcome == Outcome.DRAINED and state == RunState.QUEUED:
        return "Its worker was told to go; it goes on from its last checkpoint with the next one."
    if state == RunState.CANCELLED:
        return (
            "It was cancelled while it ran." if ending.outcome != Outcome.LOST else f"It was to stop. {ending.reason}"
        )
    return ending.reason


def _answer_again(session: Session, run_id: str, token: str | None, outcome: Outcome) -> RunState:
    attempt = _attempt(session, run_id, token)
    if attempt is None:
        raise LeaseLostError(f"Run {run_id} has no such attempt.", where=HEADER)
    if attempt.outcome != outcome or attempt.next_state is None:
        raise LeaseLostError(
            f"Attempt {attempt.number} at run {run_id} is over already: {attempt.outcome}.",
            where=HEADER,
            seen=outcome,
        )
    return attempt.next_state


def _attempt(session: Session, run_id: str, token: str | None) -> Attempt | None:
    found = select(Attempt).where(col(Attempt.run_id) == run_id, col(Attempt.token) == token)
    return session.exec(found).first()
