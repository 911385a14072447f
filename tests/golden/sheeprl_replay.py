"""Fixture of the interaction of the `sheeprl` reference: stored rows, when it learns, how the target critic moves."""

import importlib
from typing import Any

import torch
from torch import Tensor

from tests.golden.recording import Recording, fixture
from tests.golden.replay_rows import LENGTHS, RUN, TERMINATES, counting, fabric
from tests.golden.sampling import modes_for_samples
from tests.golden.sheeprl_agent import TINY
from tests.golden.tiny import DISCRETE, compose


@fixture
def sheeprl_replay_rows(record: Recording) -> None:
    """Rows stored by main() for two counting environments (obs = 100 env + 10 episode + step, reward = obs + 0.5 on
    arrival): one terminates after 3 steps, one is truncated after 4. An episode of n steps has n + 1 rows; the last
    has the final observation, its reward and flag, and a zero action; the next row is_first, reward 0. train() is
    replaced by one that adds 0.1 to every critic weight: out.env_steps has the environment steps at each update,
    out.critic_bias and out.target_bias the last bias of both critics as each update finds them (tau 1 at the first,
    then 0.02, before the update)."""
    seen: list[tuple[int, Tensor, Tensor]] = []

    def train(_fabric: Any, _world_model: Any, _actor: Any, critic: Any, target: Any, *_: Any) -> None:
        seen.append((envs.steps, _last_bias(critic), _last_bias(target)))
        with torch.no_grad():
            for weight in critic.parameters():
                weight.add_(0.1)

    learner = importlib.import_module("sheeprl.algos.dreamer_v3.dreamer_v3")
    cfg = compose(*TINY, *DISCRETE.keys, *RUN)
    with modes_for_samples(refuse_ties=False), counting(learner, train) as (envs, rows):
        learner.main(fabric(), cfg)
    steps, critic_bias, target_bias = zip(*seen, strict=True)
    record.settings.update(lengths=list(LENGTHS), terminates=list(TERMINATES))
    record.settings.update(num_envs=2, tau=cfg.algo.critic.tau, **{key: cfg.algo[key] for key in SCHEDULE})
    record.outputs(**rows.tensors(), env_steps=torch.tensor(steps))
    record.outputs(critic_bias=torch.stack(critic_bias), target_bias=torch.stack(target_bias))


SCHEDULE = ("total_steps", "learning_starts", "replay_ratio", "per_rank_batch_size", "per_rank_sequence_length")


def _last_bias(critic: Any) -> Tensor:
    bias: Tensor = list(critic.parameters())[-1]
    return bias.detach().clone()
