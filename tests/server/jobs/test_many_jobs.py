"""A thousand jobs: the order of claims holds, and cancelling them all takes a few statements."""

import random

from sqlalchemy import event, func
from sqlmodel import col, select
from starlette.testclient import TestClient

from server.database import Database
from server.jobs.claim import claim
from server.tables import Event, Job, Run, RunState
from tests.server.factories import NOW, a_worker, many_jobs
from tests.server.jobs.asking import post, submit_all

THOUSAND = 1000


def test_a_thousand_jobs_are_claimed_by_priority_and_then_by_age(database: Database) -> None:
    draw = random.Random(0)
    places = [(draw.choice((-1, 0, 5)), NOW + draw.randrange(100)) for _ in range(THOUSAND)]
    with database.writing() as session:
        worker = a_worker(session).id
        ids = many_jobs(session, places)
    expected = sorted((-priority, at, run_id) for (priority, at), run_id in zip(places, ids, strict=True))
    got = []
    for _ in range(30):
        with database.writing() as session:
            found = claim(session, worker, ["cpu"], 0, NOW + 1000, 30.0).claimed
            assert found is not None
            got.append(found.run.id)
    assert got == [run_id for _, _, run_id in expected[:30]]


def test_a_thousand_jobs_are_cancelled_in_a_few_statements(client: TestClient, database: Database) -> None:
    submit_all(client, seeds=list(range(THOUSAND)))
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    event.listen(database.engine, "before_cursor_execute", count)
    assert post(client, "/jobs/cancel", {"queue": "cpu"}) == {"cancelled": THOUSAND, "stopping": 0}
    event.remove(database.engine, "before_cursor_execute", count)
    assert statements < 20
    with database.reading() as session:
        of_state = select(func.count()).where(col(Run.state) == RunState.CANCELLED)
        told = select(func.count()).select_from(Event).join(Job, col(Job.run_id) == Event.run_id)
        assert session.exec(of_state).one() == THOUSAND
        assert session.exec(told.where(col(Event.kind) == "cancelled")).one() == THOUSAND
