"""CartPole from its four numbers is solved within 2,500 environment steps; `bench learning` tells if it is kept."""

from pathlib import Path

import pytest

from dreamer_core.metrics.sink import read_records
from tests.e2e.runs import dreamgate, only_run, values


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_greedy_policy_solves_cartpole_within_2500_env_steps(tmp_path: Path, seed: int) -> None:
    words = [f"seed={seed}", "device=cpu", "steps=2500", "eval.every=500", "eval.episodes=20"]
    early = ["eval.stop_after_passes=1"]
    dreamgate("train", "preset=cartpole", *words, *early, "--runs", str(tmp_path), "--json", timeout_s=3000)
    records = read_records(only_run(tmp_path) / "metrics.jsonl")
    scores = [score for record in records for score in values(record, "eval/mean_return")]
    assert max(scores) >= 475, scores
