"""Suites under way, for tests: jobs that end as a test says, without a worker."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from server.house import House
from server.runs.rows import hold_run, touch
from server.suites.advance import Suites
from server.tables import Run, RunKind, RunState, SuiteStep
from tests.server.factories import NOW
from tests.server.gates.scored import KEY
from tests.server.jobs.asking import get, post
from tests.server.metrics.sending import send

API = "/api/v1"
CHECK = {"check": "floor", "key": KEY, "value": 400, "of": "last"}
FLOOR = {"name": "floor", "checks": [CHECK]}
SCENARIO = {"name": "cart", "words": ["preset=cartpole"], "seeds": [0, 1], "gates": [{"gate": "floor"}]}
SUITE: dict[str, Any] = {"gates": [FLOOR], "scenarios": [SCENARIO]}


def apply(client: TestClient, name: str = "daily", **changes: Any) -> Any:
    return client.put(f"{API}/suites/{name}", json={"suite": {**SUITE, **changes}})


def start(client: TestClient, name: str = "daily", **asked: Any) -> dict[str, Any]:
    return post(client, f"/suites/{name}/runs", asked, status=201)


def look(client: TestClient, run: Mapping[str, Any]) -> dict[str, Any]:
    return get(client, f"/suite-runs/{run['id']}")


def end(
    house: House,
    run: Mapping[str, Any],
    scores: Sequence[float],
    *,
    kind: RunKind = RunKind.TRAIN,
    state: RunState = RunState.SUCCEEDED,
) -> None:
    """The unfinished runs of a kind end, each with its last score; the timer looks."""
    with house.database.writing() as session:
        going = [one for one in _runs(session, run["id"]) if one.kind == kind and not one.state.is_final]
        for one, score in zip(going, scores, strict=False):
            records = [{"env_steps": 1000 * (i + 1), KEY: score * (i + 1) / 5} for i in range(5)]
            send(session, one.id, 0, records[-1:] if kind in (RunKind.EVAL, RunKind.BENCH) else records)
            touch(session, hold_run(session, one.id), house.clock(), state=state, started_at=NOW, ended_at=NOW)
    Suites(house).advance()


def end_bench(house: House, run: Mapping[str, Any], speeds: Sequence[float]) -> str:
    """The benchmark of a suite run ends with a record for each lap; the timer looks. The id of its run."""
    with house.database.writing() as session:
        [bench] = [one for one in _runs(session, run["id"]) if one.kind == RunKind.BENCH]
        laps = [
            {"env_steps": 32 * (i + 1), "train_steps": 2 * (i + 1), "bench/updates_per_s": speed}
            for i, speed in enumerate(speeds)
        ]
        send(session, bench.id, 0, laps)
        machine = {"runtime": {"cpu": "Xeon", "threads": 1}}
        touch(
            session, hold_run(session, bench.id), house.clock(), state=RunState.SUCCEEDED, started_at=NOW, ended_at=NOW
        )
        touch(session, bench, house.clock(), manifest=machine)
    Suites(house).advance()
    return bench.id


def _runs(session: Session, suite_run_id: str) -> list[Run]:
    query = select(Run).join(SuiteStep, col(SuiteStep.run_id) == Run.id).where(SuiteStep.suite_run_id == suite_run_id)
    return list(session.exec(query.order_by(col(Run.seed))))
