"""Two who do something at the same moment, as two servers on one database would.

Each race is run several times; the threads start together, and what must hold holds whoever wins.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlmodel import Session, col, select

from server.database import Database
from server.errors import ApiError
from server.jobs.cancel import cancel, cancel_many
from server.jobs.claim import claim
from server.jobs.ending import Ending, end
from server.jobs.heartbeat import beat
from server.jobs.reaper import reap
from server.tables import Attempt, Event, Job, JobNeed, Outcome, Run, RunState, Worker
from tests.server.factories import LEASE, NOW, a_job, a_running_job, a_worker

LEASE_S = 30.0
LATE = NOW + LEASE_S + 1  # a lease that was given now has run out
Change = Callable[[Session], Any]


@pytest.fixture
def databases(database_url: str) -> Iterator[tuple[Database, Database]]:
    """As two servers have them: nothing in this process is shared."""
    both = Database(database_url), Database(database_url)
    yield both
    for database in both:
        database.close()


def _race(databases: tuple[Database, Database], *changes: Change) -> list[Any]:
    """What each change returned, or the error that it was refused with."""
    start = threading.Barrier(len(changes))
    results: list[Any] = [None] * len(changes)

    def run(number: int, change: Change) -> None:
        start.wait()
        try:
            with databases[number % 2].writing() as session:
                results[number] = change(session)
        except ApiError as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(changes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in threads)
    return results


def _claims(worker_id: str) -> Change:
    def change(session: Session) -> str | None:
        claimed = claim(session, worker_id, ["cpu"], 0, NOW, LEASE_S).claimed
        return None if claimed is None else claimed.run.id

    return change


def _ends(run_id: str, outcome: Outcome, token: str = LEASE) -> Change:
    return lambda session: end(session, run_id, token, Ending(outcome=outcome), NOW)[0]


def _cancels(run_id: str) -> Change:
    return lambda session: cancel(session, run_id, NOW)[0].state


def _cancels_many(ids: list[str]) -> Change:
    return lambda session: cancel_many(session, NOW, states=[RunState.QUEUED], ids=ids)


def _reaps(run_id: str) -> Change:
    return lambda session: reap(session, run_id, LATE)


def _beats(run_id: str) -> Change:
    return lambda session: beat(session, run_id, LEASE, None, {"env_steps": 5}, LATE, LEASE_S)


def _run(database: Database, run_id: str) -> Run:
    with database.reading() as session:
        return session.get_one(Run, run_id)


@pytest.mark.parametrize("jobs", [1, 2])
def test_two_workers_that_claim_at_once_never_get_the_same_job(databases: tuple[Database, Database], jobs: int) -> None:
    for _ in range(10):
        with databases[0].writing() as session:
            workers = _workers(session) or [a_worker(session, f"w{i}").id for i in range(2)]
            waiting = {a_job(session).id for _ in range(jobs)}
        got = [run_id for run_id in _race(databases, *map(_claims, workers)) if run_id is not None]
        assert sorted(got) == sorted(waiting)  # and nobody goes away empty while there is one more


def test_eight_workers_that_claim_at_once_share_the_jobs(databases: tuple[Database, Database]) -> None:
    with databases[0].writing() as session:
        workers = [a_worker(session, f"w{i}").id for i in range(8)]
        waiting = {a_job(session).id for _ in range(20)}
    got: list[str] = []
    while len(got) < 20:
        got += [run_id for run_id in _race(databases, *map(_claims, workers)) if run_id is not None]
    assert sorted(got) == sorted(waiting)
    with databases[0].reading() as session:
        assert len(session.exec(select(Attempt)).all()) == 20


def test_a_cancel_that_races_with_the_end_leaves_one_clear_answer(databases: tuple[Database, Database]) -> None:
    for _ in range(10):
        with databases[0].writing() as session:
            run_id = a_running_job(session).id
        said, ended = _race(databases, _cancels(run_id), _ends(run_id, Outcome.SUCCEEDED))
        assert ended == RunState.SUCCEEDED
        assert said == RunState.STOPPING or (isinstance(said, ApiError) and said.code == "conflict")
        assert _run(databases[0], run_id).state == RunState.SUCCEEDED


def test_a_cancel_that_races_with_a_claim_reaches_the_job_either_way(databases: tuple[Database, Database]) -> None:
    for _ in range(10):
        with databases[0].writing() as session:
            workers = _workers(session) or [a_worker(session).id]
            run_id = a_job(session).id
        state, got = _race(databases, _cancels(run_id), _claims(workers[0]))
        expected = RunState.CANCELLED if got is None else RunState.STOPPING
        assert (state, _run(databases[0], run_id).state) == (expected, expected)


def test_an_ending_told_twice_at_once_happens_once(databases: tuple[Database, Database]) -> None:
    for _ in range(10):
        with databases[0].writing() as session:
            run_id = a_running_job(session).id
        assert _race(databases, *[_ends(run_id, Outcome.FAILED)] * 2) == [RunState.FAILED] * 2
        with databases[0].reading() as session:
            kinds = session.exec(select(Event.kind).where(col(Event.run_id) == run_id)).all()
        assert list(kinds) == ["failed"]


def test_two_endings_at_once_leave_the_first(databases: tuple[Database, Database]) -> None:
    for _ in range(10):
        with databases[0].writing() as session:
            run_id = a_running_job(session).id
        answers = _race(databases, _ends(run_id, Outcome.SUCCEEDED), _ends(run_id, Outcome.FAILED))
        states = [answer for answer in answers if not isinstance(answer, ApiError)]
        assert [answer.code for answer in answers if isinstance(answer, ApiError)] == ["lease_lost"]
        assert states == [_run(databases[0], run_id).state]


def test_a_reaper_that_races_with_a_heartbeat_takes_it_or_leaves_it_whole(
    databases: tuple[Database, Database],
) -> None:
    for _ in range(10):
        with databases[0].writing() as session:
            run_id = a_running_job(session).id
        _, beaten = _race(
            databases,
            _reaps(run_id),
            _beats(run_id),
        )
        with databases[0].reading() as session:
            run, job = session.get_one(Run, run_id), session.get_one(Job, run_id)
        if isinstance(beaten, ApiError):
            assert (beaten.code, run.state, job.lease_token) == ("lease_lost", RunState.QUEUED, None)
        else:
            assert (run.state, job.lease_token, job.lease_until) == (RunState.RUNNING, LEASE, LATE + LEASE_S)


def test_two_reapers_lose_a_job_once(databases: tuple[Database, Database]) -> None:
    for _ in range(10):
        with databases[0].writing() as session:
            run_id = a_running_job(session).id
        _race(databases, *[_reaps(run_id)] * 2)
        with databases[0].reading() as session:
            assert session.get_one(Job, run_id).lost == 1


def test_a_late_end_that_races_with_the_reaper_is_heard_or_refused(databases: tuple[Database, Database]) -> None:
    for _ in range(10):
        with databases[0].writing() as session:
            run_id = a_running_job(session).id
        _, ended = _race(
            databases,
            _reaps(run_id),
            _ends(run_id, Outcome.SUCCEEDED),
        )
        state = _run(databases[0], run_id).state
        if isinstance(ended, ApiError):
            assert (ended.code, state) == ("lease_lost", RunState.QUEUED)
        else:
            assert (ended, state) == (RunState.SUCCEEDED, RunState.SUCCEEDED)


def test_a_chain_that_is_cancelled_while_its_first_link_fails_does_not_lock_up(
    databases: tuple[Database, Database],
) -> None:
    for _ in range(5):
        with databases[0].writing() as session:
            first = a_running_job(session).id
            rest = [a_job(session).id for _ in range(10)]
            links = zip(rest, [first, *rest[:-1]], strict=True)
            session.add_all(JobNeed(run_id=run_id, needs_id=needs) for run_id, needs in links)
        _race(
            databases,
            _ends(first, Outcome.FAILED),
            _cancels_many(rest),
            _cancels_many(rest[::-1]),
        )
        assert {_run(databases[0], run_id).state for run_id in rest} == {RunState.CANCELLED}
        with databases[0].reading() as session:
            events = session.exec(select(Event.run_id).where(col(Event.run_id).in_(rest))).all()
        assert sorted(events) == sorted(rest)  # each was cancelled once


def _workers(session: Session) -> list[str]:
    return list(session.exec(select(Worker.id).order_by(col(Worker.name))).all())
