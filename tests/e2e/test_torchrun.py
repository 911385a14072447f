"""Two ranks train one agent: real processes, started by torchrun, talking over gloo."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from dreamer_core.metrics.sink import read_records
from tests.e2e.runs import environment, manifest, only_run, values

WORDS = ["preset=cartpole+debug", "device=cpu", "algo.total_steps=160", "eval.every=80", "--json"]


def torchrun(*words: str) -> None:
    """Two ranks, to their end."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launch, "-m", "dreamer_core.cli.main", "train", *words]
    env = environment() | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=env)
    assert done.returncode == 0, done.stderr[-3000:]


def test_two_ranks_keep_equal_weights_see_different_episodes_and_resume(tmp_path: Path) -> None:
    torchrun(*WORDS, "--runs", str(tmp_path))
    run = only_run(tmp_path)
    torchrun("--resume", str(run), "steps=240", "--json")
    assert manifest(run)["progress"]["env_steps"] >= 240
    newest = [sorted(folder.glob("step_*"))[-1] for folder in (run / "checkpoints", run / "ranks/1/checkpoints")]
    chief, other = (load_file(folder / "agent.safetensors") for folder in newest)
    assert all(chief[name].equal(other[name]) for name in chief)
    replays = [load_file(folder / "replay.safetensors") for folder in newest]
    [states] = [name for name in replays[0] if name.endswith("state")]
    assert not replays[0][states].equal(replays[1][states])
    records = [record for record in read_records(run / "metrics.jsonl") if "sps" in record]
    updates = [count for record in records for count in values(record, "updates")]
    assert sum(updates) == records[-1]["train_steps"]
    assert values(records[-1], "replay_ratio_actual") == pytest.approx([0.25], rel=0.1)  # as one rank alone would have
