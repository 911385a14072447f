"""An evaluation as commands ask for it: play the cohort, time it, sum it up, write the steps down if wanted."""

import json
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

from dreamer_core.config.tree import Config
from dreamer_core.evaluation.rollout import SIDE_BY_SIDE, evaluate
from dreamer_core.evaluation.summary import Summary, summarize
from dreamer_core.evaluation.trajectory import open_trajectory
from dreamer_core.models.agent import Agent


def play_cohort(
    agent: Agent,
    config: Config,
    *,
    episodes: int,
    greedy: bool,
    seed_base: int,
    trajectory: Path | None = None,
) -> Summary:
    """With a trajectory the episodes are played one after the other, so that its lines are in order."""
    started = time.perf_counter()
    with nullcontext() if trajectory is None else open_trajectory(trajectory) as on_step:
        results = evaluate(
            agent,
            config,
            episodes=episodes,
            greedy=greedy,
            seed_base=seed_base,
            on_step=on_step,
            side_by_side=SIDE_BY_SIDE if trajectory is None else 1,
        )
    return summarize(results, greedy=greedy, seed_base=seed_base, wall_time_s=time.perf_counter() - started)


def latest_summary(folder: Path) -> dict[str, Any] | None:
    """The newest evaluation in a run's folder, or None where there is none yet."""
    files = sorted(folder.glob("step_*.json"))
    return cast("dict[str, Any]", json.loads(files[-1].read_text())) if files else None
