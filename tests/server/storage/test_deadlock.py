"""Two transactions that wait for each other: one of them is told to try again, and nothing breaks."""

import threading

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select
from starlette.testclient import TestClient

from server.database import Database
from server.jobs.reaper import grant_grace
from server.runs.rows import hold_run, hold_runs
from server.tables import Job
from tests.server.factories import NOW, a_job, a_running_job


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_deadlock_is_answered_with_try_again(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        first, second = sorted(a_job(session).id for _ in range(2))
    answers = []

    def cancel_both() -> None:  # holds the first one, and waits for the second
        answers.append(client.post("/api/v1/jobs/cancel", json={"queue": "cpu"}))

    thread = threading.Thread(target=cancel_both)
    is_ours = False
    try:
        with database.writing() as session:
            hold_run(session, second)
            thread.start()
            thread.join(timeout=0.5)
            hold_run(session, first)
    except OperationalError:  # Postgres chose us
        is_ours = True
    thread.join()
    [answer] = answers
    assert answer.status_code == (200 if is_ours else 503)
    if not is_ours:
        assert answer.headers["Retry-After"] == "2"
        assert answer.json()["error"]["code"] == "unavailable"


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_server_that_comes_back_and_a_cancel_of_many_do_not_wait_for_each_other(database: Database) -> None:
    """Both change many jobs, each in an order of its own, so both hold their runs first."""
    with database.writing() as session:
        older, newer = (a_running_job(session, lease=name).id for name in ("older", "newer"))
    problems: list[Exception] = []

    def come_back() -> None:  # the jobs as they lie: the older one first
        try:
            with database.writing() as session:
                grant_grace(session, NOW, 30.0)
        except OperationalError as error:
            problems.append(error)

    thread = threading.Thread(target=come_back)
    with database.writing() as session:
        hold_runs(session, [older, newer])
        session.get_one(Job, newer).cancel_requested_at = NOW
        session.flush()
        thread.start()
        thread.join(timeout=0.5)
        session.get_one(Job, older).cancel_requested_at = NOW
    thread.join()
    assert problems == []
    with database.reading() as session:
        assert [job.lease_until for job in session.exec(select(Job))] == [NOW + 30.0] * 2
