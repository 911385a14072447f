"""What is expected of a run is not changed at the moment in which it begins."""

import threading

import pytest
from sqlmodel import Session

from server.database import Database
from server.errors import ConflictError
from server.runs.edit import edit
from server.runs.rows import get_run, hold_run, touch
from server.tables import Job, RunState
from tests.server.factories import NOW, a_job


def _begin(session: Session, run_id: str) -> None:
    """As a claim does: the run first, and then its job."""
    touch(session, hold_run(session, run_id), NOW, state=RunState.RUNNING)
    session.get_one(Job, run_id).attempts = 1
    session.flush()


@pytest.mark.parametrize("group", [False, True])
def test_an_edit_waits_for_a_claim_and_is_refused(database: Database, group: bool) -> None:
    with database.writing() as session:
        runs = [a_job(session, seed=seed).id for seed in (0, 1)]
    refusals: list[str] = []

    def change() -> None:
        try:
            with database.writing() as session:
                edit(session, runs[0], {"hypothesis": "late"}, NOW, group=group)
        except ConflictError as error:
            refusals.append(error.message)

    thread = threading.Thread(target=change)
    with database.writing() as session:
        _begin(session, runs[0])
        thread.start()
        thread.join(timeout=0.3)
    thread.join()
    assert refusals == [f"Run {runs[0]} has begun: its hypothesis is fixed."]
    with database.reading() as session:
        assert [get_run(session, run_id).hypothesis for run_id in runs] == ["", ""]


def test_two_who_change_a_group_from_both_ends_do_not_wait_for_each_other(database: Database) -> None:
    with database.writing() as session:
        runs = [a_job(session, seed=seed).id for seed in range(8)]
    start, failures = threading.Barrier(2), []

    def change(run_id: str, text: str) -> None:
        start.wait()
        try:
            for _ in range(10):
                with database.writing() as session:
                    edit(session, run_id, {"hypothesis": text}, NOW, group=True)
        except Exception as error:  # of any kind: a deadlock is one of the driver's
            failures.append(error)

    threads = [threading.Thread(target=change, args=(run_id, run_id)) for run_id in (runs[0], runs[-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    with database.reading() as session:
        assert len({get_run(session, run_id).hypothesis for run_id in runs}) == 1
