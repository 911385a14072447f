"""A stage for real processes, and a run that nobody disturbed to compare others with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dreamer_core.metrics.sink import read_records
from tests.e2e.runs import dreamgate, only_run
from tests.worker.e2e.processes import Stage, plain
from tests.worker.e2e.repositories import copy_code

# 4 environments and an update every second step from step 64 on: two evaluations, six checkpoints, a few seconds.
WORDS = [
    "preset=nature+debug", "env.id=CartPole-v1", "device=cpu", "seed=3", "algo.total_steps=480",
    "algo.learning_starts=64", "algo.replay_ratio=0.5", "run.log_every=20", "env.num_envs=4",
    "run.checkpoint_every=80", "eval.every=160", "eval.episodes=2",
]  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return copy_code(tmp_path / "repository")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """The series of the same run from a terminal."""
    root = tmp_path_factory.mktemp("undisturbed")
    dreamgate("train", *WORDS, "--runs", str(root), "--json")
    return plain(read_records(only_run(root) / "metrics.jsonl"))
