"""The trajectory file: every step as a line, as it happens."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamer_core.evaluation.rollout import EpisodeStep, evaluate
from dreamer_core.evaluation.trajectory import open_trajectory, step_record
from tests.unit.tiny_agents import tiny_agent


def play(path: Path, env_id: str, *, side_by_side: int = 1) -> list[dict[str, Any]]:
    agent, config = tiny_agent(env_id)
    with open_trajectory(path) as on_step:
        evaluate(agent, config, episodes=2, greedy=False, seed_base=6, on_step=on_step, side_by_side=side_by_side)
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_says_what_happened_at_one_step(tmp_path: Path) -> None:
    lines = play(tmp_path / "trajectory.jsonl", "dreamgate/Counting-v0")
    assert [(line["episode_idx"], line["t"]) for line in lines] == [(i, t) for i in (0, 1) for t in range(1, 9)]
    assert all(line["reward"] == pytest.approx(line["t"] + 0.1 * line["action"]) for line in lines)
    ends = [(line["done"], line["trunc"]) for line in lines]
    assert ends == [(False, False)] * 7 + [(False, True)] + [(False, False)] * 7 + [(True, False)]
    assert list(lines[0]) == ["episode_idx", "t", "action", "reward", "done", "trunc", "dist"]
    assert {line["dist"] for line in lines} == {None}


def test_side_by_side_the_lines_of_an_episode_stay_in_order(tmp_path: Path) -> None:
    one_by_one = play(tmp_path / "one.jsonl", "dreamgate/Counting-v0")
    together = play(tmp_path / "two.jsonl", "dreamgate/Counting-v0", side_by_side=2)
    assert one_by_one != together
    assert one_by_one == sorted(together, key=lambda line: (line["episode_idx"], line["t"]))


@pytest.mark.parametrize(
    ("env_id", "kind"), [("dreamgate/CountingMulti-v0", int), ("dreamgate/CountingContinuous-v0", float)]
)
def test_several_numbers_of_an_action_are_a_list(tmp_path: Path, env_id: str, kind: type) -> None:
    action = play(tmp_path / "trajectory.jsonl", env_id)[0]["action"]
    assert [type(number) for number in action] == [kind, kind]


def test_one_continuous_number_is_a_list_too() -> None:
    action = np.array([0.5], dtype=np.float32)
    step = EpisodeStep(index=0, t=1, action=action, reward=0.0, terminated=False, truncated=False)
    assert step_record(step)["action"] == [0.5]


def test_lines_are_in_the_file_before_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.jsonl"
    step = EpisodeStep(index=0, t=1, action=np.array([1]), reward=1.0, terminated=False, truncated=False)
    with open_trajectory(path) as on_step:
        on_step(step)
        assert json.loads(path.read_text())["action"] == 1
