"""One seed, one series of numbers; another seed, another."""

from pathlib import Path

import pytest

from tests.e2e.runs import dreamgate, numbers, only_run


def run(root: Path, recipe: str, seed: int) -> Path:
    sizes = ["algo.total_steps=160", "algo.replay_ratio=0.5", "run.log_every=20", "eval.every=80"]
    preset = f"preset=cartpole+{recipe}+debug"
    dreamgate("train", preset, "device=cpu", f"seed={seed}", *sizes, "--runs", str(root), "--json")
    return only_run(root)


@pytest.mark.parametrize("recipe", ["nature", "sheeprl"])
def test_the_same_seed_gives_bit_equal_metrics_twice(tmp_path: Path, recipe: str) -> None:
    first, second = run(tmp_path / "a", recipe, 1), run(tmp_path / "b", recipe, 1)
    assert numbers(first) == numbers(second)
    assert any("Loss/policy_loss" in record for record in numbers(first))
    assert any("eval/mean_return" in record for record in numbers(first))


def test_another_seed_gives_other_metrics(tmp_path: Path) -> None:
    assert numbers(run(tmp_path / "a", "nature", 1)) != numbers(run(tmp_path / "b", "nature", 2))
