"""One seed of sheeprl on CartPole, in an environment that has it: python learning_sheeprl.py SEED STEPS EVERY EPISODES.

Trains by sheeprl's own command in the current folder, then plays each checkpoint. The last line is JSON: mean returns
in the order of the checkpoints, updates, and the CPU seconds of the training alone.
"""

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
import yaml
from lightning.fabric import Fabric

LEARNING_STARTS, REPLAY_RATIO = 1024, 0.5
SEED_BASE = 1_000_000  # of the episodes, as in Dreamgate's evaluations
SIZES = ("recurrent_model.recurrent_state_size=256", "recurrent_model.hidden_size=64", "discrete_size=4")
WORDS = [
    "exp=dreamer_v3_5",
    "algo=dreamer_v3_5_1M",
    "env=gym",
    "env.id=CartPole-v1",
    "env.num_envs=4",
    "env.sync_env=True",
    "env.capture_video=False",
    *(f"algo.mlp_keys.{part}=[vector]" for part in ("encoder", "decoder")),
    *(f"algo.cnn_keys.{part}=[]" for part in ("encoder", "decoder")),
    *(f"algo.world_model.{size}" for size in SIZES),
    "algo.dense_units=64",
    "algo.per_rank_batch_size=16",
    "algo.per_rank_sequence_length=32",
    f"algo.replay_ratio={REPLAY_RATIO}",
    f"algo.learning_starts={LEARNING_STARTS}",
    "algo.optimizer.lr=4e-4",
    "algo.optimizer.warmup=100",
    "algo.run_test=False",
    "buffer.size=100000",
    "buffer.memmap=False",
    "buffer.checkpoint=False",
    "checkpoint.keep_last=1000",
    "metric.log_level=0",
    "fabric.accelerator=cpu",
]


def train(seed: int, steps: int, every: int) -> float:
    from sheeprl.cli import run

    sys.argv = ["sheeprl", *WORDS, f"seed={seed}", f"algo.total_steps={steps}", f"checkpoint.every={every}"]
    began = time.process_time()
    run()
    return time.process_time() - began


@torch.no_grad()
def mean_return(checkpoint: Path, episodes: int) -> float:
    """Greedy actions; beliefs are sampled, as sheeprl's own test does it. All episodes are played side by side."""
    from sheeprl.algos.dreamer_v3_5.agent import build_agent
    from sheeprl.utils.utils import dotdict

    torch.manual_seed(0)
    config = dotdict(yaml.safe_load((checkpoint.parents[1] / "config.yaml").read_text()))
    state = torch.load(checkpoint, map_location="cpu", weights_only=False)
    space = gym.spaces.Dict({"vector": gym.spaces.Box(-np.inf, np.inf, (4,), np.float32)})
    fabric = Fabric(accelerator="cpu", devices=1)
    player: Any = build_agent(fabric, (2,), False, config, space, state["world_model"], state["actor"])[4]
    player.num_envs = episodes
    player.init_states()
    envs = [gym.make("CartPole-v1") for _ in range(episodes)]
    seen = np.stack([env.reset(seed=SEED_BASE + index)[0] for index, env in enumerate(envs)])
    returns, going = np.zeros(episodes), np.ones(episodes, dtype=bool)
    while going.any():
        actions = player.get_actions({"vector": torch.from_numpy(seen)[None]}, True)[0].argmax(-1)[0].tolist()
        for index in np.flatnonzero(going):
            seen[index], reward, terminated, truncated, _ = envs[index].step(actions[index])
            returns[index] += float(reward)
            going[index] = not (terminated or truncated)
    return float(returns.mean())


def main() -> None:
    warnings.filterwarnings("ignore")
    os.environ["SHEEPRL_SEARCH_PATH"] = ""
    torch.set_num_threads(1)
    seed, steps, every, episodes = map(int, sys.argv[1:])
    cpu_s = train(seed, steps, every)
    checkpoints = sorted(Path("logs").rglob("*.ckpt"), key=lambda path: int(path.stem.split("_")[1]))
    scores = [mean_return(checkpoint, episodes) for checkpoint in checkpoints]
    updates = max(0, int((steps - LEARNING_STARTS) * REPLAY_RATIO))
    sys.stdout.write(json.dumps({"scores": scores, "updates": updates, "cpu_s": cpu_s}) + "\n")


if __name__ == "__main__":
    main()
