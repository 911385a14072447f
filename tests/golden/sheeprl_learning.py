"""Fixtures of whole train steps of the `sheeprl` reference: losses, dreams, gradients of all three backward passes."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from tests.golden.capture import Metrics, watched
from tests.golden.recording import Recording, fixture, grads_of
from tests.golden.sampling import modes_for_samples
from tests.golden.sheeprl_agent import Agent, build
from tests.golden.tiny import CONTINUOUS, DISCRETE, MULTI_DISCRETE, PIXELS, SHORT, replayed, settings_of


def learner() -> Any:
    return importlib.import_module("sheeprl.algos.dreamer_v3.dreamer_v3")


@fixture
def sheeprl_train_discrete(record: Recording) -> None:
    """One train(), discrete actions, vector observations. See sheeprl_train_pixels for names."""
    _train(record, build(DISCRETE))


@fixture
def sheeprl_train_multi_discrete(record: Recording) -> None:
    """One train(), two discrete heads, vector observations."""
    _train(record, build(MULTI_DISCRETE))


@fixture
def sheeprl_train_continuous(record: Recording) -> None:
    """One train(), continuous actions (their mean; the actor learns through the dynamics), vector observations. All
    three gradient clips are low enough to act."""
    clips = ("world_model.clip_gradients=0.5", "actor.clip_gradients=0.01", "critic.clip_gradients=0.1")
    _train(record, build(CONTINUOUS, *(f"algo.{clip}" for clip in clips)))


@fixture
def sheeprl_train_pixels(record: Recording) -> None:
    """One train(), images and vectors. out.Loss/*, out.State/*, out.Grads/* (norms before clipping) are its metrics.
    out.imagined.trajectories and actions have H + 1 rows, rewards, values, discounts (gamma * continue, the arguments
    of compute_lambda_values) and lambda_values rows 1..H; out.offset and out.invscale are the return scale. grad.* of
    world_model, actor and critic each follow its own backward pass, before clipping; after.* the step."""
    _train(record, build(PIXELS, *SHORT))


def _train(record: Recording, agent: Agent) -> None:
    algo = agent.cfg.algo
    data = replayed(agent.task, algo.per_rank_sequence_length, algo.per_rank_batch_size)
    moments = _moments(agent)
    record.settings.update(settings_of(agent.task, agent.cfg))
    record.params(**agent.modules, target_critic=agent.target_critic)
    record.inputs(**data, **{f"moments.{name}": value for name, value in moments.state_dict().items()})
    metrics = Metrics()
    with _dreams(agent, moments) as dream, _backward_passes(agent) as grads, _modes() as margin:
        _step(agent, moments, {name: value.float() for name, value in data.items()}, metrics)
    record.settings["smallest_mode_margin"] = margin.smallest
    record.metrics(metrics.values)
    record.outputs(**dream)
    record.named_grads(grads)
    record.after(**agent.modules, moments=moments)


def _step(agent: Agent, moments: Any, data: dict[str, Tensor], metrics: Metrics) -> None:
    learner().train(
        agent.fabric,
        agent.world_model,
        agent.actor,
        agent.critic,
        agent.target_critic,
        *_optimizers(agent),
        data,
        metrics,
        agent.cfg,
        agent.task.continuous,
        agent.task.actions,
        moments,
    )


def _optimizers(agent: Agent) -> Any:
    """As the reference's main builds them: one Adam per module."""
    instantiate, algo = importlib.import_module("hydra").utils.instantiate, agent.cfg.algo
    pairs = (
        (algo.world_model.optimizer, agent.world_model),
        (algo.actor.optimizer, agent.actor),
        (algo.critic.optimizer, agent.critic),
    )
    made = [instantiate(cfg, params=module.parameters(), _convert_="all") for cfg, module in pairs]
    return agent.fabric.setup_optimizers(*made)


def _moments(agent: Agent) -> Any:
    cfg = agent.cfg.algo.actor.moments
    moments = learner().Moments(cfg.decay, cfg.max, cfg.percentile.low, cfg.percentile.high)
    # A range wider than the floor of 1, so that a forgotten division shows.
    moments.load_state_dict({"low": torch.tensor(-1.5), "high": torch.tensor(2.0)})
    return moments


def _modes() -> Any:
    """Modes for samples, with the margin of the continue decisions measured too."""
    bernoulli = importlib.import_module("sheeprl.utils.distribution").BernoulliSafeMode
    return modes_for_samples({"mode": (bernoulli, lambda margin: property(lambda self: margin.survives(self.probs)))})


@contextmanager
def _backward_passes(agent: Agent) -> Iterator[dict[str, Tensor]]:
    """Each module's gradients right after its own backward pass: clipping and later passes change them."""
    grads: dict[str, Tensor] = {}
    turns, backward = iter(agent.modules.items()), agent.fabric.backward

    def watcher(loss: Tensor) -> None:
        backward(loss)
        name, module = next(turns)
        grads.update(grads_of(**{name: module}))

    with patch.object(agent.fabric, "backward", watcher):
        yield grads


@contextmanager
def _dreams(agent: Agent, moments: Any) -> Iterator[dict[str, Tensor]]:
    """The dream of a train step: what the critic is shown first, what the actor chose on the way, and the returns."""
    shown: list[Tensor] = []
    chosen: list[Tensor] = []
    scales: list[tuple[Tensor, Tensor]] = []
    dream: dict[str, Tensor] = {}
    hooks = [
        agent.critic.register_forward_hook(lambda _, args, out: shown.append(args[0])),
        agent.actor.register_forward_hook(lambda _, args, out: chosen.append(torch.cat(out[0], -1))),
        moments.register_forward_hook(lambda _, args, out: scales.append(out)),
    ]
    with watched(learner(), "compute_lambda_values") as seen:
        yield dream
    for hook in hooks:
        hook.remove()
    (rewards, values, discounts), returns = seen["compute_lambda_values"][0]
    dream |= {"imagined.trajectories": shown[0], "imagined.actions": torch.cat(chosen[: len(shown[0])])}
    dream |= {"imagined.rewards": rewards, "imagined.values": values, "imagined.discounts": discounts}
    dream |= {"imagined.lambda_values": returns, "offset": scales[0][0], "invscale": scales[0][1]}
