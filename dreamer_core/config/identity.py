"""Which runs are the same but for the seed (fingerprint), and which may be compared at all (family)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from dreamer_core.config.parse import to_mapping
from dreamer_core.config.tree import Config

# What does not change the numbers a run should give.
_OPERATIONAL = ("run", "device", "preset")
# Changing one of these is an experiment within the family; changing anything else makes another family.
_DYNAMICS = (
    "train",
    "algo.replay_ratio",
    "algo.total_steps",
    "algo.learning_starts",
    "algo.random_prefill",
    "algo.per_rank_pretrain_steps",
    "algo.max_updates_per_tick",
    "algo.per_rank_batch_size",
    "algo.per_rank_sequence_length",
    "algo.optimizer",
    "algo.loss_scales",
    "algo.imag_last",
    "algo.gamma",
    "algo.lmbda",
    "algo.horizon",
    "algo.unimix",
    "replay",
    "precision",
    "world_model.continue_scale_factor",
    "world_model.reward_grad",
    "world_model.vector_gain",
    "world_model.kl_dynamic",
    "world_model.kl_representation",
    "world_model.kl_free_nats",
    "world_model.kl_regularizer",
    "world_model.clip_gradients",
    "world_model.optimizer",
    "actor.ent_coef",
    "actor.unimix",
    "actor.advantage",
    "actor.moments",
    "actor.clip_gradients",
    "actor.optimizer",
    "critic.tau",
    "critic.lr_factor",
    "critic.clip_gradients",
    "critic.slow_regularizer",
    "critic.per_rank_target_network_update_freq",
    "critic.replay_loss",
    "critic.replay_grad",
    "critic.optimizer",
    "env.num_envs",
    "eval.every",
    "eval.stop_after_passes",
)

_NOT_OF_FAMILY = (*_OPERATIONAL, "seed", "mode", *_DYNAMICS)


def fingerprint(config: Config) -> str:
    """Equal exactly for runs that differ only in the seed and in operational settings: one seed group."""
    return _digest(_without(to_mapping(config), (*_OPERATIONAL, "seed")))


def family(config: Config) -> str:
    """Equal for runs whose scores may be put side by side: same world, protocol, recipe and networks."""
    return _digest(_without(to_mapping(config), _NOT_OF_FAMILY))


def decides_family(key: str) -> bool:
    """Whether runs that differ in this dotted key are of different families."""
    return not any(key == other or key.startswith(f"{other}.") for other in _NOT_OF_FAMILY)


def describe(config: Config) -> dict[str, str | int]:
    """What a number must carry so that nobody compares it with another kind of number."""
    return {
        "preset": config.preset,
        "recipe": config.algo.recipe,
        "seed": config.seed,
        "family": family(config),
        "fingerprint": fingerprint(config),
    }


def _without(tree: dict[str, Any], dotted: tuple[str, ...]) -> dict[str, Any]:
    for key in dotted:
        *parents, last = key.split(".")
        node: dict[str, Any] = tree
        for parent in parents:
            node = node[parent]
        del node[last]
    return tree


def _digest(tree: Mapping[str, Any]) -> str:
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
