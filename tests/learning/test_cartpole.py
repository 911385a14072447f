"""CartPole from its four numbers is learned within 4,000 environment steps, on both seeds tried."""

from pathlib import Path

import pytest

from dreamer_core.metrics.sink import read_records
from tests.e2e.runs import dreamgate, only_run, values


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_greedy_policy_balances_400_steps_within_4000_env_steps(tmp_path: Path, seed: int) -> None:
    words = [f"seed={seed}", "device=cpu", "steps=4000", "eval.every=250", "eval.episodes=20"]
    early = ["eval.stop_after_passes=1", "eval.pass_return=400"]
    dreamgate("train", "preset=cartpole", *words, *early, "--runs", str(tmp_path), "--json", timeout_s=3000)
    records = read_records(only_run(tmp_path) / "metrics.jsonl")
    scores = [score for record in records for score in values(record, "eval/mean_return")]
    assert max(scores) >= 400, scores
