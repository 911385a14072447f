"""The order of a list of runs, and its pages: none skipped, none repeated, whatever is sorted by."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event
from sqlmodel import Session
from starlette.testclient import TestClient

from server import paging
from server.database import Database
from server.runs import order
from server.runs.search import RunQuery, conditions
from server.tables import Experiment, MetricKey, MetricSeries, Run, RunState
from tests.server.factories import NOW, a_run

API = "/api/v1"
SORTS = ["created_at", "name", "state", "seed", "env_steps", "started_at", "ended_at", "metric:loss", "metric:loss:max"]

# Postgres decides by the size of its tables; SQLite's plan is fixed.
_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def _series(run_id: str, key_id: int, last: float | None, high: float | None = None) -> MetricSeries:
    return MetricSeries(run_id=run_id, key_id=key_id, points=1, last=last, max=high, min=high, last_step=1)


def _all_pages(session: Session, sort: str, limit: int) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        runs, cursor = order.page(session, conditions(RunQuery()), sort=sort, limit=limit, cursor=cursor)
        found += [run.id for run in runs]
        if cursor is None:
            return found


_numbers = st.one_of(st.none(), st.sampled_from([-1.5, 0.0, 0.1, 3.0, 1e300]))
_rows = st.lists(
    st.fixed_dictionaries(
        {
            "created_at": st.sampled_from([NOW, NOW + 1, NOW + 0.1]),
            "name": st.sampled_from(["a", "B", "b", "é"]),
            "state": st.sampled_from(list(RunState)),
            "seed": st.one_of(st.none(), st.sampled_from([0, 1, 2**53])),
            "env_steps": st.sampled_from([0, 5]),
            "started_at": st.one_of(st.none(), st.sampled_from([NOW, NOW + 1])),
            "last": _numbers,
            "max": _numbers,
        }
    ),
    max_size=9,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_rows, sort=st.sampled_from(SORTS), descending=st.booleans(), limit=st.integers(1, 4))
def test_pages_together_are_the_whole_list_in_order(
    database: Database, rows: list[dict[str, Any]], sort: str, descending: bool, limit: int
) -> None:
    with database.writing() as session:
        for table in (MetricSeries, MetricKey, Run, Experiment):
            session.connection().execute(delete(table))
        key = MetricKey(name="loss")
        session.add(key)
        session.flush()
        assert key.id is not None
        values: dict[str, Any] = {}
        for row in rows:
            last, high = row["last"], row["max"]
            run = a_run(session, **{name: value for name, value in row.items() if name not in ("last", "max")})
            if last is not None or high is not None:
                session.add(_series(run.id, key.id, last, high))
            of_metric = {"metric:loss": last, "metric:loss:max": high}
            values[run.id] = of_metric[sort] if sort in of_metric else row.get(sort)
    with database.reading() as session:
        found = _all_pages(session, f"{'-' if descending else ''}{sort}", limit)
    assert sorted(found) == sorted(values)
    with_value = [run_id for run_id in found if values[run_id] is not None]
    assert found == with_value + sorted(run_id for run_id in found if values[run_id] is None)
    if sort != "name":  # Postgres orders text by its own rules
        expected = sorted(with_value, key=lambda run_id: (values[run_id], run_id), reverse=descending)
        assert with_value == expected


def test_a_list_is_stable_while_runs_come_and_go(database: Database) -> None:
    with database.writing() as session:
        ids = [a_run(session, created_at=NOW + number).id for number in range(6)]
    with database.reading() as session:
        first, cursor = order.page(session, conditions(RunQuery()), sort="-created_at", limit=2, cursor=None)
    with database.writing() as session:
        a_run(session, created_at=NOW + 100)  # on top, before what was read
        session.get_one(Run, ids[4]).deleted_at = NOW  # among what was read
    with database.reading() as session:
        second, _ = order.page(session, conditions(RunQuery()), sort="-created_at", limit=2, cursor=cursor)
    assert [run.id for run in [*first, *second]] == [ids[5], ids[4], ids[3], ids[2]]


def test_a_metric_that_nobody_has_sorts_by_id(database: Database) -> None:
    with database.writing() as session:
        ids = sorted(a_run(session).id for _ in range(3))
    with database.reading() as session:
        assert _all_pages(session, "-metric:no/such:min", 2) == ids


def test_a_value_that_is_not_finite_counts_as_none(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        good, broken = a_run(session).id, a_run(session).id
    for run_id, value in ((good, 1.0), (broken, "NaN")):
        records = [{"env_steps": 1, "loss": value}]
        client.post(f"{API}/runs/{run_id}/metrics", json={"offset": 0, "records": records})
    for sort in ("metric:loss", "-metric:loss"):
        items = client.get(f"{API}/runs", params={"sort": sort, "metrics": "loss"}).json()["items"]
        assert [run["metrics"]["loss"] for run in items] == [1.0, "NaN"]


def test_a_key_with_a_colon_is_a_key(database: Database) -> None:
    with database.writing() as session:
        low, high = a_run(session).id, a_run(session).id
        key = MetricKey(name="a:b")
        session.add(key)
        session.flush()
        assert key.id is not None
        session.add_all([_series(low, key.id, 1.0, 5.0), _series(high, key.id, 2.0, 4.0)])
    with database.reading() as session:
        assert _all_pages(session, "metric:a:b", 1) == [low, high]
        assert _all_pages(session, "metric:a:b:max", 1) == [high, low]


def test_a_cursor_of_another_order_is_refused(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        for _ in range(2):
            a_run(session)
    cursor = client.get(f"{API}/runs?limit=1").json()["next"]
    error = client.get(f"{API}/runs", params={"cursor": cursor, "sort": "env_steps"}).json()["error"]
    assert error["message"] == "This cursor belongs to a list in another order."


@pytest.mark.parametrize("values", [(), ("-created_at", "x", "y"), ("-created_at", 10**400, "y"), ("-created_at", 1.0)])
def test_a_cursor_that_somebody_made_up_is_refused(client: TestClient, values: tuple[Any, ...]) -> None:
    response = client.get(f"{API}/runs", params={"cursor": paging.encode(*values)})
    assert (response.status_code, response.json()["error"]["where"]) == (422, "cursor")


@_SQLITE
@pytest.mark.parametrize("sort", ["metric:loss", "-metric:loss:max"])
def test_sorting_by_a_metric_walks_its_index_and_sorts_nothing(database: Database, sort: str) -> None:
    with database.writing() as session:
        session.add(MetricKey(name="loss"))
    plans = _plans(database, sort)
    summary = "max" if "max" in sort else "last"
    index = (
        f"SEARCH metric_series USING COVERING INDEX ix_metric_series_key_id_{summary}_run_id (key_id=? AND {summary}>?)"
    )
    assert index in plans
    assert not any("SCAN" in step or "ORDER BY" in step for step in plans)


@_SQLITE
def test_the_first_page_walks_an_index(database: Database) -> None:
    assert _plans(database, "-created_at") == ["SCAN run USING INDEX ix_run_created_at_id"]


def _plans(database: Database, sort: str) -> list[str]:
    """The steps of every query for runs that a page of this order takes."""
    queries: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if "FROM run" in statement:
            queries.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    with database.reading() as session:
        order.page(session, conditions(RunQuery()), sort=sort, limit=50, cursor=None)
        event.remove(database.engine, "before_cursor_execute", note)
        connection = session.connection()
        explained = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", said).all() for query, said in queries]
    return [step[3] for steps in explained for step in steps]
