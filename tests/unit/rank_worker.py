"""What each of several processes does in the collective tests: agree on things, and write down what came out."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from dreamer_core.rng import RandomSampler, make_generator
from dreamer_core.training.collective import Ranks
from tests.factories import LIVELY, NO_WARMUP, RECIPES, make_learner, opinionated, random_batch, tiny_agent, weights_of


def work(rank: int, size: int, folder: str) -> None:
    """One process of `size`. Its findings end up in `folder`, one file per rank."""
    torch.set_num_threads(1)
    method = f"file://{folder}/store"
    dist.init_process_group("gloo", init_method=method, rank=rank, world_size=size, timeout=timedelta(seconds=60))
    found = agree(Ranks()) | {recipe: train(recipe, Ranks()) for recipe in RECIPES}
    torch.save(found, Path(folder) / f"{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


def agree(ranks: Ranks) -> dict[str, Any]:
    weights = [torch.zeros(2, 2), torch.zeros(3), torch.zeros(1)]
    weights[0].grad = torch.full((2, 2), float(ranks.rank + 1))
    weights[1].grad = torch.tensor([0.0, 10.0, 20.0]) * ranks.rank
    ranks.average_gradients(weights)
    ranks.average_gradients([torch.zeros(1)])
    told = torch.nn.Parameter(torch.full((3,), float(ranks.rank + 5)))
    ranks.broadcast([told])
    return {
        "rank": (ranks.rank, ranks.size),
        "gradients": [None if weight.grad is None else weight.grad.tolist() for weight in weights],
        "broadcast": told.detach().tolist(),
        "gather": ranks.gather(torch.tensor([[1.0], [2.0]]) + 10 * ranks.rank).tolist(),
        "sum": ranks.sum(ranks.rank + 3),
        "any": [ranks.any(False), ranks.any(ranks.rank == 1), ranks.any(True)],
        "share": ranks.share(f"rank {ranks.rank} says schön" * (1 + ranks.rank)),
    }


def train(recipe: Any, ranks: Ranks) -> dict[str, Any]:
    """Three updates from the same weights, on data and with noise that no other rank has."""
    agent = opinionated(tiny_agent(recipe, *LIVELY, *NO_WARMUP[recipe]))
    before, learner = weights_of(agent), make_learner(agent, ranks)
    sampler = RandomSampler(make_generator(100 + ranks.rank))
    batches = [random_batch(agent, 10 * ranks.rank + count) for count in range(3)]
    updates = [learner.update(batch, sampler) for batch in batches]
    return {
        "before": before,
        "after": weights_of(agent),
        "moments": agent.moments.state_dict(),
        "loss": updates[0].metrics["Loss/world_model_loss"].item(),
    }
