"""One of each thing under a known name, so that a random request meets more than "there is no such run"."""

from typing import Any

import requests

from server.database import Database
from server.tables import Experiment, RunState
from tests.server.factories import LEASE, NOW, a_job, a_run, a_running_job, a_worker

IMPORTED = "runimported"
# What stands in paths, bodies and queries, by the name of the field.
VALUES: dict[str, list[Any]] = {
    "run_id": [IMPORTED, "runqueued", "runrunning", "runfailed"],
    "experiment_id": ["experiment"],
    "worker_id": ["worker"],
    "name": ["cartpole", "last.bin"],
    "experiment": ["default"],
    "words": [["preset=cartpole+debug"], ["preset=cartpole", "seed=3"]],
    "changes": [["steps=8000"], ["seed=1"]],
    "checkpoint": [{"run": "runfailed"}],
    "needs": [["runfailed"], []],
    "offset": [0, 1, 100],
    "records": [[{"env_steps": 5, "loss": 0.5}], 50],
    "columns": [{"env_steps": [5, 6], "loss": [0.5, "Infinity"]}],
    "events": [[{"kind": "checkpoint"}], 1],
    "runs": [IMPORTED, [IMPORTED]],
    "keys": ["loss", ["loss"]],
}


def fill(database: Database) -> None:
    with database.writing() as session:
        session.add(Experiment(id="experiment", name="default", created_at=NOW))
        session.flush()
        a_worker(session, id="worker")
        a_run(session, id=IMPORTED)
        a_job(session, id="runqueued")
        a_running_job(session, id="runrunning")
        a_running_job(session, id="runfailed", state=RunState.FAILED, ended_at=NOW)


def send(address: str, headers: dict[str, str]) -> None:
    """What comes with requests rather than rows."""
    url = f"{address}/api/v1/runs/{IMPORTED}"
    columns = {"env_steps": [*range(100)], "loss": [*range(99), "NaN"]}
    answers = [
        requests.post(f"{url}/metrics", json={"offset": 0, "columns": columns}, headers=headers),
        requests.post(f"{url}/events", json={"offset": 0, "events": [{"kind": "begin"}]}, headers=headers),
        requests.post(f"{url}/log?offset=0", data=b"one\ntwo\n", headers=headers),
        requests.put(f"{url}/artifacts/last.bin", data=b"{}", headers=headers),
    ]
    for answer in answers:
        answer.raise_for_status()


LEASED = {"X-Dreamgate-Lease": LEASE}
