"""Who may write to a run."""

import threading
from collections.abc import Iterator

import pytest
from sqlmodel import Session

from server.database import Database
from server.errors import LeaseLostError, NotFoundError
from server.jobs.ending import Ending, end
from server.jobs.lease import require_lease
from server.tables import Outcome, RunState
from tests.server.factories import LEASE, NOW, a_job, a_run, a_running_job


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.writing() as session:
        yield session
        session.rollback()


def test_a_run_without_a_job_needs_no_lease(session: Session) -> None:
    require_lease(session, a_run(session).id, None)


def test_the_holder_of_the_lease_may_write(session: Session) -> None:
    require_lease(session, a_running_job(session).id, LEASE)
    require_lease(session, a_running_job(session, state=RunState.STOPPING, lease="other").id, "other")


@pytest.mark.parametrize("token", [None, "", "guessed"])
def test_nobody_else_may(session: Session, token: str | None) -> None:
    run_id = a_running_job(session).id
    with pytest.raises(LeaseLostError):
        require_lease(session, run_id, token)


@pytest.mark.parametrize("token", [None, LEASE])
def test_a_job_that_waits_takes_no_writes(session: Session, token: str | None) -> None:
    run_id = a_job(session).id
    with pytest.raises(LeaseLostError):
        require_lease(session, run_id, token)


def test_what_may_be_added_to_a_run_that_is_over_needs_no_lease_then(session: Session) -> None:
    run_id = a_job(session, state=RunState.SUCCEEDED).id
    require_lease(session, run_id, None, final_will_do=True)
    with pytest.raises(LeaseLostError):
        require_lease(session, run_id, None)


def test_while_a_job_runs_that_needs_the_lease_too(session: Session) -> None:
    run_id = a_running_job(session).id
    with pytest.raises(LeaseLostError):
        require_lease(session, run_id, None, final_will_do=True)


@pytest.mark.parametrize("run_id", ["nobody", "", "a\x00b", "x" * 300, "é"])
def test_a_run_that_is_not_there_is_not_found(session: Session, run_id: str) -> None:
    with pytest.raises(NotFoundError):
        require_lease(session, run_id, None)


def test_the_lease_cannot_be_taken_away_between_the_question_and_the_write(database: Database) -> None:
    with database.writing() as session:
        run_id = a_running_job(session).id
    order: list[str] = []

    def take_away() -> None:
        with database.writing() as session:
            end(session, run_id, LEASE, Ending(outcome=Outcome.FAILED), NOW)
        order.append("ended")

    with database.writing() as session:
        require_lease(session, run_id, LEASE)
        thread = threading.Thread(target=take_away)
        thread.start()
        thread.join(timeout=0.3)
        order.append("written")
    thread.join()
    assert order == ["written", "ended"]
