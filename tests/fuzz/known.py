"""One of each thing under a known name, so that a random request meets more than "there is no such run"."""

from typing import Any

import requests
from sqlmodel import Session

from dreamer_core.gates import Verdict
from server.database import Database
from server.tables import Experiment, GateResult, RunState, SuiteRun, SuiteState, Webhook
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
    "groups": ["0" * 12],
    "metrics": ["score", "loss,score"],
    "version": ["latest", "1", 1],
    "checks": [[{"check": "finite", "keys": ["loss"]}]],
    "baseline": ["cartpole", "cartpole@1"],
    "scenario": ["posted"],
    "suite_run_id": ["suiterun"],
    "result_id": ["result"],
    "webhook_id": ["webhook"],
    "parity": [[{"name": "kl", "error": 0, "tolerance": 1}]],
    "numbers": [[{"name": "mine", "records": [{"env_steps": 1, "loss": 2}]}]],
}

_FINITE: dict[str, Any] = {"name": "finite", "checks": [{"check": "finite", "keys": ["loss"]}]}
_SUITE: dict[str, Any] = {
    "name": "cartpole",
    "gates": [_FINITE],
    "scenarios": [{"name": "posted", "posted": True, "gates": [{"gate": "finite", "of": "posted"}]}],
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
        _add_verdicts(session)


def _add_verdicts(session: Session) -> None:
    given: dict[str, Any] = {
        "suite": "cartpole",
        "suite_version": 1,
        "trigger": "ci",
        "created_at": NOW,
        "body": _SUITE,
    }
    session.add(SuiteRun(id="suiterun", state=SuiteState.RUNNING, **given))
    session.add(Webhook(id="webhook", url="http://127.0.0.1:9/", secret="s", suites=[], created_at=NOW))
    session.flush()
    said: dict[str, Any] = {"results": [], "checks": [], "flags": [], "notes": []}
    result: dict[str, Any] = {
        "gate": "cartpole",
        "gate_version": 1,
        "reason": "because",
        "created_at": NOW,
        "body": said,
    }
    session.add(GateResult(id="result", verdict=Verdict.FAIL, suite_run_id="suiterun", scenario="posted", **result))


def send(address: str, headers: dict[str, str]) -> None:
    """What comes with requests rather than rows."""
    url = f"{address}/api/v1/runs/{IMPORTED}"
    columns = {"env_steps": [*range(100)], "loss": [*range(99), "NaN"], "score": [*range(100)]}
    blessing: dict[str, Any] = {
        "name": "cartpole",
        "runs": [IMPORTED],
        "keys": ["score"],
        "allow": ["unfinished", "single_seed"],
    }
    answers = [
        requests.post(f"{url}/metrics", json={"offset": 0, "columns": columns}, headers=headers),
        requests.post(f"{url}/events", json={"offset": 0, "events": [{"kind": "begin"}]}, headers=headers),
        requests.post(f"{url}/log?offset=0", data=b"one\ntwo\n", headers=headers),
        requests.put(f"{url}/artifacts/last.bin", data=b"{}", headers=headers),
        requests.post(f"{address}/api/v1/baselines", json=blessing, headers=headers),
        requests.put(f"{address}/api/v1/gates/cartpole", json={"checks": _FINITE["checks"]}, headers=headers),
        requests.put(f"{address}/api/v1/suites/cartpole", json={"suite": _SUITE}, headers=headers),
    ]
    for answer in answers:
        answer.raise_for_status()


LEASED = {"X-Dreamgate-Lease": LEASE}
