"""Baselines, gates and verdicts for tests of pages, made by the API as people make them."""

from typing import Any

from sqlmodel import Session
from starlette.testclient import TestClient

from server.house import House
from tests.server.factories import a_run
from tests.server.gates.scored import KEY, a_seed_group
from tests.server.jobs.asking import post
from tests.server.metrics.sending import send

CHECKS: list[dict[str, Any]] = [
    {"check": "seeds_bootstrap", "keys": [KEY]},
    {"check": "floor", "key": KEY, "value": 400, "of": "last"},
    {"check": "finite"},
]


def a_group(house: House, finals: list[float], group: str, **columns: Any) -> list[str]:
    with house.database.writing() as session:
        return a_seed_group(session, finals, seed_group=group, **columns)


def a_baseline(client: TestClient, runs: list[str], name: str = "cartpole", **more: Any) -> dict[str, Any]:
    said = {"name": name, "runs": runs, "keys": [KEY], "window": {"env_steps_min": 3000}, **more}
    made: dict[str, Any] = post(client, "/baselines", said, status=201)
    return made


def a_gate(client: TestClient, name: str = "solves", **more: Any) -> None:
    answer = client.put(f"/api/v1/gates/{name}", json={"checks": CHECKS, **more})
    assert answer.status_code == 200, answer.text


def a_verdict(client: TestClient, runs: list[str], gate: str = "solves", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = post(client, f"/gates/{gate}/evaluate", {"runs": runs, **more}, status=201)
    return made


def a_broken_run(session: Session, **columns: Any) -> str:
    """Its loss is NaN from the third record on."""
    run = a_run(session, **columns)
    losses = [2.0, 1.0, float("nan"), float("nan")]
    send(
        session,
        run.id,
        0,
        [{"env_steps": 1000 * i, "Loss/world_model_loss": loss, KEY: 10.0} for i, loss in enumerate(losses)],
    )
    return run.id
