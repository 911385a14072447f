"""An experiment is not deleted from under a run that begins at the same moment."""

import threading
from collections.abc import Callable

import pytest
from sqlmodel import Session

from server.database import Database
from server.errors import ConflictError
from server.jobs.requeue import retry
from server.runs import experiments
from server.runs.rows import get_run
from server.tables import RunState
from tests.server.factories import NOW, a_job, a_run, an_experiment

Change = Callable[[Session], object]


def _meanwhile(database: Database, first: Change, second: Change) -> ConflictError | None:
    """`second` comes when `first` is done but not committed. What it was refused with, if it was."""
    refusals: list[ConflictError] = []

    def come_second() -> None:
        try:
            with database.writing() as session:
                second(session)
        except ConflictError as error:
            refusals.append(error)

    thread = threading.Thread(target=come_second)
    with database.writing() as session:
        first(session)
        session.flush()
        thread.start()
        thread.join(timeout=0.3)
    thread.join()
    return refusals[0] if refusals else None


def _begins(session: Session) -> None:
    experiments.ensure(session, "default", NOW)
    a_run(session, state=RunState.QUEUED)


@pytest.fixture
def experiment_id(database: Database) -> str:
    with database.writing() as session:
        return an_experiment(session).id


def test_a_deletion_waits_for_a_run_that_is_being_made(database: Database, experiment_id: str) -> None:
    refusal = _meanwhile(database, _begins, lambda session: experiments.delete(session, experiment_id, NOW))
    assert refusal is not None
    assert refusal.message == "Experiment 'default' has runs that are not over: 1."


def test_a_run_that_is_made_during_a_deletion_is_refused(database: Database, experiment_id: str) -> None:
    refusal = _meanwhile(database, lambda session: experiments.delete(session, experiment_id, NOW), _begins)
    assert refusal is not None
    assert refusal.message == "Experiment 'default' is deleted."


def test_a_deletion_waits_for_a_run_that_begins_again(database: Database, experiment_id: str) -> None:
    with database.writing() as session:
        run_id = a_job(session, state=RunState.FAILED).id
    refusal = _meanwhile(
        database,
        lambda session: retry(session, run_id, NOW),
        lambda session: experiments.delete(session, experiment_id, NOW),
    )
    assert refusal is not None
    with database.reading() as session:
        run = get_run(session, run_id)
        assert (run.state, run.deleted_at) == (RunState.QUEUED, None)


def test_two_runs_are_made_in_one_experiment_at_once(database: Database, experiment_id: str) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one writer")
    with database.writing() as first, database.writing() as second:
        _begins(first)
        _begins(second)
