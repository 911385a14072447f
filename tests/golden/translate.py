"""From the reference's words to ours: settings to a Config, its parameters to our modules, its batches to our Batch."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dreamer_core.config import Config, from_mapping
from dreamer_core.types import ActionKind, ActionSpec, Batch, ObsSpec, Spaces, State

_SHARED = ("mlp_layers", "dense_units")


def config_from(settings: Mapping[str, Any], recipe: str) -> Config:
    """Our config with the numbers of a reference run's `algo` section."""
    algo, model = settings["algo"], settings["algo"]["world_model"]
    tree: dict[str, Any] = {
        "algo": {
            "recipe": recipe,
            "norm_eps": algo.get("norm_eps", 1e-3),
            "random_prefill": False,
            **_pick(algo, "gamma", "lmbda", "horizon", "per_rank_batch_size", "per_rank_sequence_length"),
            **_pick(algo, "replay_context", "unimix", "dense_units", "mlp_layers", "hafner_initialization"),
        },
        "replay": {"seq_len": algo["per_rank_sequence_length"], "batch_size": algo["per_rank_batch_size"]},
        "world_model": _world_model(model),
        "actor": _actor(algo),
        "critic": _critic(algo["critic"]),
    }
    if recipe == "nature":
        scales = algo["loss_scales"]
        tree["algo"]["unimix"] = model["unimix"]
        tree["algo"]["loss_scales"] = _pick(scales, "observation", "reward", "policy", "value", "replay_value")
        tree["algo"]["optimizer"] = {k: v for k, v in algo["optimizer"].items() if k != "_target_"}
        tree["world_model"] |= {
            "kl_dynamic": scales["dynamic"],
            "kl_representation": scales["representation"],
            "continue_scale_factor": scales["continue"],
        }
    return from_mapping(Config, tree)


def spaces_from(settings: Mapping[str, Any], obs: Mapping[str, Tensor]) -> Spaces:
    sizes = tuple(settings["actions"])
    kind: ActionKind = "discrete" if len(sizes) == 1 else "multi_discrete"
    action = (
        ActionSpec(kind="continuous", sizes=(sum(sizes),))
        if settings["continuous"]
        else ActionSpec(kind=kind, sizes=sizes)
    )
    specs = {
        key: ObsSpec(kind="vector" if value.dim() == 3 else "image", shape=tuple(value.shape[2:]))
        for key, value in obs.items()
    }
    return Spaces(obs=specs, action=action)


def load_in_order(module: nn.Module, tensors: list[Tensor]) -> None:
    """Copy parameters in registration order; the shapes must agree one by one."""
    own = list(module.parameters())
    assert len(own) == len(tensors), (len(own), len(tensors))
    with torch.no_grad():
        for index, (parameter, tensor) in enumerate(zip(own, tensors, strict=True)):
            assert parameter.shape == tensor.shape, (index, tuple(parameter.shape), tuple(tensor.shape))
            parameter.copy_(tensor)


def stored_actions(one_hot: Tensor, spec: ActionSpec) -> Tensor:
    """(..., A) as replay keeps it; rows of zeros had no action."""
    if spec.is_continuous:
        return one_hot
    heads = one_hot.split(list(spec.sizes), -1)
    index = torch.stack([torch.where(head.sum(-1) > 0, head.argmax(-1), -1) for head in heads], -1)
    return index.to(torch.int32)


def batch_from(data: Mapping[str, Tensor], spaces: Spaces, classes: int) -> Batch:
    """A reference batch (T, B, 1 where scalar) as one of ours. `deter` and `stoch` hold the stored beliefs."""
    context = None
    if "deter" in data:
        stoch = nn.functional.one_hot(data["stoch"][0].long(), classes).float()
        context = State(data["deter"][0].float(), stoch)
    length, batch = data["rewards"].shape[:2]
    is_set = {key: data[key].squeeze(-1).bool() for key in ("is_first", "terminated") if key in data}
    truncated = data["truncated"].squeeze(-1).bool() if "truncated" in data else torch.zeros(length, batch).bool()
    return Batch(
        obs={key: data[key] for key in spaces.obs},
        action=stored_actions(data["actions"], spaces.action),
        reward=data["rewards"].squeeze(-1),
        is_first=is_set["is_first"],
        terminated=is_set["terminated"],
        truncated=truncated,
        context=context,
        time=torch.zeros(length, batch, dtype=torch.int64),
        env=torch.zeros(batch, dtype=torch.int64),
    )


def _world_model(model: Mapping[str, Any]) -> dict[str, Any]:
    names = ("discrete_size", "stochastic_size", "kl_dynamic", "kl_representation", "kl_free_nats", "kl_regularizer")
    more = ("continue_scale_factor", "continue_discount", "reward_grad", "clip_gradients", "decoupled_rssm")
    cnn = ("cnn_channels_multiplier", "cnn_stages", "cnn_kernel_size", *_SHARED)
    sizes = ("recurrent_state_size", "dense_units", "hidden_size", "blocks", "dynamics_layers")
    tree = _pick(model, *names, *more, "learnable_initial_recurrent_state")
    return tree | {
        "encoder": _pick(model["encoder"], *cnn, "symlog_inputs"),
        "recurrent_model": _pick(model["recurrent_model"], *sizes),
        "transition_model": _pick(model["transition_model"], "hidden_size", "layers"),
        "representation_model": _pick(model["representation_model"], "hidden_size", "layers"),
        "observation_model": _pick(model["observation_model"], *cnn, "block_space"),
        "reward_model": _pick(model["reward_model"], *_SHARED, "bins"),
        "discount_model": _pick(model["discount_model"], *_SHARED),
        **_optimizer(model),
    }


def _actor(algo: Mapping[str, Any]) -> dict[str, Any]:
    actor = algo["actor"]
    names = ("ent_coef", "min_std", "max_std", "init_std", "unimix", "action_clip", "outscale", "clip_gradients")
    unimix = {} if "unimix" in actor else _pick(algo, "unimix")
    return _pick(actor, *names, *_SHARED, "moments") | unimix | _optimizer(actor)


def _critic(critic: Mapping[str, Any]) -> dict[str, Any]:
    names = ("bins", "tau", "per_rank_target_network_update_freq", "clip_gradients", "slow_regularizer", "outscale")
    return _pick(critic, *names, *_SHARED, "replay_loss", "replay_grad") | _optimizer(critic)


def _optimizer(section: Mapping[str, Any]) -> dict[str, Any]:
    if "optimizer" not in section:
        return {}
    return {"optimizer": _pick(section["optimizer"], "lr", "eps", "betas", "weight_decay")}


def _pick(section: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: section[name] for name in names if name in section}
