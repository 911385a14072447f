"""Resuming is as if the run had never stopped, however it stopped."""

import signal
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.e2e.runs import dreamgate, kill_when, manifest, numbers, only_run

# 4 environments, an update every second step from step 64 on: 200 updates need about 470 steps.
WORDS = [
    "algo.total_steps=480",
    "algo.learning_starts=64",
    "algo.replay_ratio=0.5",
    "run.log_every=20",
    "env.num_envs=4",
    "train.average_share=0.1",
]
SCHEDULE = ["run.checkpoint_every=80", "eval.every=160", "eval.episodes=2"]


def words(recipe: str, env: str, root: Path) -> list[str]:
    preset = f"preset={recipe}+debug"
    return ["train", preset, f"env.id={env}", "device=cpu", "seed=3", *WORDS, *SCHEDULE, "--runs", str(root), "--json"]


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def has_trained(root: Path, records: int) -> bool:
    return any(lines(path) >= records for path in root.glob("*/metrics.jsonl"))


def assert_same_end(resumed: Path, straight: Path) -> None:
    assert numbers(resumed) == numbers(straight)
    for name in ("agent", "averaged", "optimizers", "replay", "player"):
        [one] = sorted(resumed.glob(f"checkpoints/step_*/{name}.safetensors"))[-1:]
        [other] = sorted(straight.glob(f"checkpoints/step_*/{name}.safetensors"))[-1:]
        left, right = load_file(one), load_file(other)
        assert left.keys() == right.keys()
        assert all(left[key].equal(right[key]) for key in left), name


@pytest.mark.parametrize(
    ("recipe", "env", "sign"),
    [
        ("nature", "CartPole-v1", signal.SIGKILL),
        pytest.param("sheeprl", "Pendulum-v1", signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param("nature", "dreamgate/CountingPixels-v0", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("sheeprl", "CartPole-v1", signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_200_updates_straight_equal_a_run_that_was_stopped_and_resumed(
    tmp_path: Path, recipe: str, env: str, sign: signal.Signals
) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    dreamgate(*words(recipe, env, straight))
    apart = [*words(recipe, env, broken), "run.env_processes=2"]  # which must not change any number either
    code = kill_when(apart, lambda: has_trained(broken, 13), sign=sign)
    assert code == (-9 if sign == signal.SIGKILL else 75)
    run = only_run(broken)
    dreamgate("train", "--resume", str(run), "--json")
    assert_same_end(run, only_run(straight))
    found = manifest(run)
    assert found["status"] == "succeeded"
    assert found["progress"]["train_steps"] >= 200
    assert len(found["resumed_from"]) == 1


def test_resuming_with_another_computation_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    dreamgate(*words("nature", "CartPole-v1", tmp_path), "algo.total_steps=96")
    run = only_run(tmp_path)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = dreamgate("train", "--resume", str(run), "algo.gamma=0.9", check=2)
    assert "algo.gamma: cannot change when a run is resumed" in done.stderr
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_finished_run_can_be_made_longer(tmp_path: Path) -> None:
    dreamgate(*words("nature", "CartPole-v1", tmp_path), "algo.total_steps=96")
    run = only_run(tmp_path)
    dreamgate("train", "--resume", str(run), "steps=128", "--json")
    assert manifest(run)["progress"]["env_steps"] >= 128
