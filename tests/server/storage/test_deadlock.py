"""Two transactions that wait for each other: one of them is told to try again, and nothing breaks."""

import threading

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from server.database import Database
from server.runs.rows import hold_run
from tests.server.factories import a_job


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
