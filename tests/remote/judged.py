"""Runs that a real server has numbers of, and a worker that ends jobs with the score a test wants."""

from collections.abc import Sequence
from typing import Any

from dreamer_core.remote import Client
from dreamer_core.remote.worker_messages import Ending, WorkerFacts

KEY = "eval/mean_return"
FLOOR: dict[str, Any] = {"name": "floor", "checks": [{"check": "floor", "key": KEY, "value": 400, "of": "last"}]}


def scored(client: Client, finals: Sequence[float], experiment: str, family: str | None = "5f2c9a0e1b7d") -> list[str]:
    """One finished run for each final score."""
    return [_scored(client, score, seed, experiment, family) for seed, score in enumerate(finals)]


def records(score: float) -> list[dict[str, Any]]:
    return [{"env_steps": 1000 * (i + 1), "train_steps": 100 * (i + 1), KEY: score * (i + 1) / 5} for i in range(5)]


def a_suite(name: str, **changes: Any) -> dict[str, Any]:
    """One training in a queue of its own, so that a test's worker gets its job and no other."""
    scenario = {"name": "cart", "words": ["preset=cartpole+debug"], "queue": name, "gates": [{"gate": "floor"}]}
    return {"name": name, "gates": [FLOOR], "scenarios": [scenario], **changes}


def parity_suite(name: str) -> dict[str, Any]:
    gates = [{"name": "parity", "checks": [{"check": "parity"}]}]
    return {
        "name": name,
        "gates": gates,
        "scenarios": [{"name": "tests", "posted": True, "gates": [{"gate": "parity", "of": "posted"}]}],
    }


def work(client: Client, queue: str, scores: Sequence[float]) -> None:
    """A worker that takes as many jobs as there are scores, and ends each with one of them."""
    worker = client.register_worker(
        WorkerFacts(name=queue, host="here", pid=1, queues=(queue,), slots=1, runs_commits=True)
    )
    for score in scores:
        claim = client.claim(worker.id, [queue], 0).claim
        assert claim is not None
        client.append_metrics(claim.run_id, 0, records(score), lease=claim.token)
        client.end_job(claim.run_id, claim.token, Ending(outcome="succeeded", exit_code=0))


def _scored(client: Client, score: float, seed: int, experiment: str, family: str | None) -> str:
    run = client.create_run(experiment, seed=seed, family=family)
    client.append_metrics(run.id, 0, records(score))
    client.finish_run(run.id)
    return run.id
