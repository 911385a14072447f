"""Fixture of the interaction of the `nature` reference: stored rows, when it learns, latents written back."""

import importlib
from typing import Any

import torch
from torch import Tensor

from tests.golden.capture import watched
from tests.golden.nature_agent import TINY
from tests.golden.nature_modules import mode_of_rssm
from tests.golden.recording import Recording, fixture
from tests.golden.replay_rows import LENGTHS, RUN, TERMINATES, Rows, counting, fabric
from tests.golden.sampling import modes_for_samples
from tests.golden.tiny import CLASSES, DETER, DISCRETE, STOCH, compose


@fixture
def nature_replay_rows(record: Recording) -> None:
    """Rows stored by main() for two counting environments (obs = 100 env + 10 episode + step, reward = obs + 0.5 on
    arrival): one terminates after 3 steps, one is truncated after 4. The last row of an episode has the final
    observation and a zero action. train() is replaced by one that hands back deter = number of the update (from 1)
    and stoch = that modulo 5: out.env*.deter_after and stoch_after are what replay holds at the end (rows that no
    update touched keep the player's), out.step_ids (updates, context + T, B, 2) which (environment, row) each update
    was given, out.env_steps the environment steps at each update."""
    steps: list[int] = []

    def train(*_: Any) -> tuple[Tensor, Tensor]:
        steps.append(envs.steps)
        deter = torch.full((cfg.algo.per_rank_sequence_length, cfg.algo.per_rank_batch_size, DETER), float(len(steps)))
        stoch = torch.full((*deter.shape[:2], STOCH), len(steps) % CLASSES)
        return deter.half(), stoch.to(torch.uint8)

    learner = importlib.import_module("sheeprl.algos.dreamer_v3_5.dreamer_v3_5")
    cfg = compose(*TINY, *DISCRETE.keys, *RUN)
    with (
        modes_for_samples(mode_of_rssm(), refuse_ties=False),
        counting(learner, train) as (envs, rows),
        watched(learner, "sample_sequences") as seen,
    ):
        learner.main(fabric(), cfg)
    record.settings.update(lengths=list(LENGTHS), terminates=list(TERMINATES))
    record.settings.update(num_envs=2, **{key: cfg.algo[key] for key in SCHEDULE})
    record.outputs(**rows.tensors(), **_written_back(rows), env_steps=torch.tensor(steps))
    record.outputs(step_ids=torch.cat([torch.from_numpy(ids) for _, (_, ids) in seen["sample_sequences"]]))


SCHEDULE = (
    "total_steps",
    "learning_starts",
    "replay_ratio",
    "replay_context",
    "per_rank_batch_size",
    "per_rank_sequence_length",
)


def _written_back(rows: Rows) -> dict[str, Tensor]:
    """The latents that replay holds at the end, one row per row that was added."""
    found = {}
    for env, added in enumerate(rows.added):
        held = rows.buffer.buffer[env]
        for key in ("deter", "stoch"):
            found[f"env{env}.{key}_after"] = torch.tensor(held[key][: len(added), 0]).float()
    return found
