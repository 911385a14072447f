"""Runs with scores, for tests of verdicts."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from server.tables import Run, RunKind, RunState
from tests.server.factories import NOW, a_run
from tests.server.metrics.sending import send

FAMILY, GROUP = "5f2c9a0e1b7d", "b6d81b360a56"
KEY = "eval/mean_return"


def a_scored_run(session: Session, scores: Sequence[float], *, seed: int | None = None, **columns: Any) -> Run:
    """An evaluation every 1,000 steps, and a loss that falls."""
    given: dict[str, Any] = {
        "state": RunState.SUCCEEDED,
        "started_at": NOW,
        "ended_at": NOW,
        "family": FAMILY,
        "seed_group": GROUP,
    }
    run = a_run(session, **({**given, "seed": seed} | columns))
    records = [
        {"env_steps": 1000 * (i + 1), "train_steps": 100 * (i + 1), KEY: score, "Loss/world_model_loss": 10 / (i + 1)}
        for i, score in enumerate(scores)
    ]
    send(session, run.id, 0, records)
    return run


def a_seed_group(session: Session, finals: Sequence[float], **columns: Any) -> list[str]:
    """One run for each final score."""
    return [
        a_scored_run(session, [score / 4, score / 2, score, score, score], seed=seed, **columns).id
        for seed, score in enumerate(finals)
    ]


def some_evaluations(session: Session, scores: Sequence[float], *, first: int = 2000, **columns: Any) -> list[str]:
    """Of one checkpoint each, every one later than the one before."""
    found = []
    for seed, score in enumerate(scores):
        given: dict[str, Any] = {
            "kind": RunKind.EVAL,
            "state": RunState.SUCCEEDED,
            "family": FAMILY,
            "seed_group": GROUP,
            "seed": seed,
        }
        run = a_run(session, **(given | columns))
        send(session, run.id, 0, [{"env_steps": first + 1000 * seed, "wall_time_s": first / 100, KEY: score}])
        found.append(run.id)
    return found
