"""What a log remembers of runs, and when it must not."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import event
from sqlmodel import Session, select
from starlette.testclient import TestClient

from server.database import Database
from server.house import House
from server.log.finals import MOST_VALUES, Wanted, finals, find
from server.log.memory import Remembered
from server.metrics.rewind import rewind
from server.runs.rows import touch
from server.tables import GateResult, Run, RunState
from tests.server.factories import NOW, a_run, an_experiment
from tests.server.gates.scored import KEY, a_scored_run, a_seed_group
from tests.server.log.test_log import a_config, log_of
from tests.server.metrics.sending import send


def values_of(client: TestClient, database: Database) -> dict[str, Any]:
    values: dict[str, Any] = log_of(client, database)["groups"][0]["runs"][0]["values"]
    return values


def test_what_is_known_is_true_in_its_state_alone_and_the_oldest_is_forgotten() -> None:
    known: Remembered[int] = Remembered(most=2)
    known.keep({"a": 1, "b": 1}, {"a": 10, "b": 20})
    assert known.recall({"b": 2, "c": 1}) == {}
    assert known.recall({"a": 1}) == {"a": 10}
    known.keep({"c": 1}, {"c": 30})  # a was asked for since b was kept
    assert known.recall({"a": 1, "b": 1, "c": 1}) == {"a": 10, "c": 30}


def test_more_records_are_seen(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run = a_run(session).id
        send(session, run, 0, [{"env_steps": 10, KEY: 1.0}])
    assert values_of(client, database) == {KEY: 1.0}
    with database.writing() as session:
        send(session, run, 1, [{"env_steps": 20, KEY: 2.0}])
    assert values_of(client, database) == {KEY: 2.0}


def test_records_that_took_the_place_of_others_are_seen(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run = a_run(session).id
        send(session, run, 0, [{"env_steps": 10, KEY: 1.0}, {"env_steps": 20, KEY: 2.0}])
    assert values_of(client, database) == {KEY: 2.0}
    with database.writing() as session:
        rewind(session, run, 1)
        send(session, run, 1, [{"env_steps": 20, KEY: 3.0}])
    assert values_of(client, database) == {KEY: 3.0}


def test_another_metric_of_a_known_run_is_worked_out_too(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run = a_run(session)
        send(session, run.id, 0, [{"env_steps": 10, KEY: 1.0, "mine": 5.0}])
        run_id = run.id
    assert values_of(client, database) == {KEY: 1.0}
    with database.writing() as session:
        touch(session, session.get_one(Run, run_id), NOW, primary_metric="mine")
    assert values_of(client, database) == {"mine": 5.0, KEY: 1.0}


def test_a_config_that_was_written_anew_is_seen(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run = a_run(session, preset="cartpole", config=a_config()).id
    assert log_of(client, database)["groups"][0]["changed"]["changes"] == []
    with database.writing() as session:
        touch(session, session.get_one(Run, run), NOW, config=a_config("algo.horizon=7"))
    assert [each["key"] for each in log_of(client, database)["groups"][0]["changed"]["changes"]] == ["algo.horizon"]


def test_whatever_a_log_says_it_says_anew_when_it_changes(client: TestClient, database: Database) -> None:
    """One change after the other, each by the API; after each the log is another one, and then stays as it is."""
    with database.writing() as session:
        parent = a_run(session, experiment="elsewhere", config=a_config("algo.horizon=9")).id
        run = a_run(session, seed=0, parent_id=parent, config=a_config(), state=RunState.SUCCEEDED).id
        send(session, run, 0, [{"env_steps": 10, KEY: 1.0}])
        experiment = an_experiment(session).id

    def changes() -> Iterator[Response]:
        yield client.patch(f"/api/v1/experiments/{experiment}", json={"question": "And now?"})
        yield client.patch(f"/api/v1/runs/{run}", json={"conclusion": "Done."})
        yield client.post(f"/api/v1/runs/{run}/annotations", json={"text": "A spike."})
        yield client.post("/api/v1/gates/compare/evaluate", json={"runs": [run]})
        with database.writing() as session:
            [result] = session.exec(select(GateResult))
            result.is_final = False
            session.add(result)
        yield client.get(f"/api/v1/runs/{run}")
        yield client.post("/api/v1/runs", json={"experiment": "default", "seed": 1})
        yield client.delete(f"/api/v1/runs/{run}")
        yield client.post(f"/api/v1/runs/{run}/restore")
        with database.writing() as session:
            touch(session, session.get_one(Run, parent), NOW, config=a_config("algo.horizon=8"))
        yield client.get(f"/api/v1/runs/{parent}")

    before = log_of(client, database)
    for answer in changes():
        assert answer.status_code < 300, answer.text
        after = log_of(client, database)
        assert after != before, answer.request.url
        assert log_of(client, database) == after
        before = after


def test_a_log_that_is_asked_for_again_reads_no_numbers_and_no_configs(
    client: TestClient, database: Database, house: House
) -> None:
    with database.writing() as session:
        a_seed_group(session, [1, 2, 3, 4], preset="cartpole", config=a_config())
    first = log_of(client, database)
    statements: list[str] = []

    @event.listens_for(house.database.engine, "after_cursor_execute")
    def _note(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    again = log_of(client, database)
    event.remove(house.database.engine, "after_cursor_execute", _note)
    assert again == first
    assert not [text for text in statements if "FROM metric_tail" in text or "FROM metric_chunk" in text]
    assert not [text for text in statements if "run.config" in text]


def test_many_runs_are_read_with_few_statements(database: Database) -> None:
    with database.writing() as session:
        ids = [a_scored_run(session, [1.0, float(i)], seed=i).id for i in range(40)]
    with database.reading() as session:
        assert _finals(session, ids)[ids[7]] == {KEY: 7.0}
        statements: list[str] = []
        event.listen(database.engine, "after_cursor_execute", lambda *given: statements.append(given[2]))
        _finals(session, ids)
    assert len(statements) < 10


@pytest.mark.parametrize("count", [100, 5000, 8192], ids=["in the tail", "in both", "in chunks"])
def test_values_are_the_same_wherever_their_points_are(database: Database, count: int) -> None:
    """Of steps 1 to `count`, those from 0.9 of it on: the lower of the two in the middle."""
    with database.writing() as session:
        run = a_run(session).id
        rare = [{"rare": 7.0} if step % 10 == 0 else {} for step in range(1, count + 1)]
        send(session, run, 0, [{"env_steps": i + 1, KEY: float(i + 1), **more} for i, more in enumerate(rare)])
    looked_at = min(MOST_VALUES, count - math.ceil(0.9 * count) + 1)
    with database.reading() as session:
        found = _finals(session, [run], [KEY, "rare"])[run]
    assert found == {KEY: count - looked_at + 1 + (looked_at - 1) // 2, "rare": 7.0}


def _finals(session: Session, ids: list[str], keys: list[str] | None = None) -> dict[str, dict[str, float]]:
    wanted = keys or [KEY]
    return finals(session, Remembered(), find(session.connection(), ids, wanted), dict.fromkeys(ids, Wanted(wanted)))
