"""The trajectory file: one line of JSON per step, written as the step happens, so nothing has to fit into memory."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dreamer_core.evaluation.rollout import EpisodeStep, OnStep


@contextmanager
def open_trajectory(path: Path) -> Iterator[OnStep]:
    """Something to hand to `evaluate` as `on_step`. With `side_by_side=1` the episodes follow one another."""
    with path.open("w", encoding="utf-8", buffering=1) as file:  # by lines: whoever follows the file sees whole ones

        def write(step: EpisodeStep) -> None:
            file.write(json.dumps(step_record(step), allow_nan=False) + "\n")

        yield write


def step_record(step: EpisodeStep) -> dict[str, object]:
    """A single discrete action is a number, anything else a list. No environment measures a distance: it is null."""
    action = step.action.tolist()
    is_single_choice = len(action) == 1 and isinstance(action[0], int)
    return {
        "episode_idx": step.index,
        "t": step.t,
        "action": action[0] if is_single_choice else action,
        "reward": step.reward,
        "done": step.terminated,
        "trunc": step.truncated,
        "dist": None,
    }
