"""Fixtures of learning in the `nature` reference: observe with gradients, imagine, the losses, whole train steps."""

import importlib
from typing import Any

import torch
from torch import Tensor

from tests.golden.capture import Metrics, watched
from tests.golden.nature_agent import Agent, batch, build
from tests.golden.nature_modules import mode_of_rssm
from tests.golden.recording import Recording, fixture
from tests.golden.sampling import modes_for_samples
from tests.golden.tiny import CONTINUOUS, DISCRETE, MULTI_DISCRETE, PIXELS, SHORT, actions, categories, settings_of

IMAGINED = ("latents", "actions", "values", "slow_values", "returns", "weights")


def learner() -> Any:
    return importlib.import_module("sheeprl.algos.dreamer_v3_5.dreamer_v3_5")


@fixture
def nature_train_discrete(record: Recording) -> None:
    """One train step, discrete actions, vector observations, replay context 1. See nature_train_pixels for names."""
    _train(record, build(DISCRETE))


@fixture
def nature_train_continuous(record: Recording) -> None:
    """One train step, continuous actions (their mean), vector observations, replay context 1."""
    _train(record, build(CONTINUOUS))


@fixture
def nature_train_pixels(record: Recording) -> None:
    """One train step, images and vectors, unimix on the actor. out.Loss/*, out.State/*, ... are its metrics (before
    the step), out.deter and out.stoch the latents to write back, out.imagined.* the dream, grad.* before clipping,
    after.* the weights after the step, after.moments.* the return range."""
    _train(record, build(PIXELS, *SHORT, "algo.actor.unimix=0.01"))


@fixture
def nature_train_no_context(record: Recording) -> None:
    """One train step with replay context 0 (every sequence starts from zeros), two discrete heads."""
    _train(record, build(MULTI_DISCRETE, "algo.replay_context=0", "algo.actor.unimix=0.01"))


@fixture
def nature_train_three_updates(record: Recording) -> None:
    """Three updates on one batch with a warm-up of two steps (the first has learning rate 0), the slow critic moved
    after each. Metrics are stacked over the updates; out.imagined.*, out.deter, grad.* are the last update's."""
    _train(record, build(DISCRETE, "algo.optimizer.warmup=2"), updates=3)


def _train(record: Recording, agent: Agent, updates: int = 1) -> None:
    data = batch(agent)
    record.settings.update(settings_of(agent.task, agent.cfg))
    record.params(**agent.modules, target_critic=agent.target_critic)
    optimizer, moments = _optimizer(agent), _moments(agent)
    record.inputs(**data, **{f"moments.{name}": value for name, value in moments.state_dict().items()})
    history: list[dict[str, Tensor]] = []
    latents: Any = None
    with watched(learner(), "imagine") as seen, modes_for_samples(mode_of_rssm()) as margin:
        for _ in range(updates):
            metrics, latents = _step(agent, optimizer, moments, data)
            history.append(metrics)
            if updates > 1:
                learner().update_target_critic(agent.critic, agent.target_critic, agent.cfg.algo.critic.tau)
    record.settings.update(smallest_mode_margin=margin.smallest, updates=updates)
    record.metrics(history[0] if updates == 1 else {k: torch.stack([m[k] for m in history]) for k in history[0]})
    record.outputs(**{f"imagined.{name}": value for name, value in zip(IMAGINED, seen["imagine"][-1][1], strict=True)})
    if latents is not None:
        record.outputs(deter=latents[0], stoch=latents[1])
    record.grads(**agent.modules)
    record.after(**agent.modules, moments=moments, **({"target_critic": agent.target_critic} if updates > 1 else {}))


def _step(agent: Agent, optimizer: Any, moments: Any, data: dict[str, Tensor]) -> tuple[dict[str, Tensor], Any]:
    metrics = Metrics()
    latents = learner().train(
        agent.fabric,
        agent.cfg,
        agent.world_model,
        agent.actor,
        agent.critic,
        agent.target_critic,
        optimizer,
        moments,
        {name: value.clone() for name, value in data.items()},
        metrics,
        agent.task.actions,
    )
    return metrics.values, latents


def _optimizer(agent: Agent) -> Any:
    """As the reference's main builds it: all the weights that learn, in this order."""
    weights = [*agent.world_model.parameters(), *agent.actor.parameters(), *agent.critic.parameters()]
    hydra = importlib.import_module("hydra")
    optimizer = hydra.utils.instantiate(agent.cfg.algo.optimizer, params=weights, _convert_="all")
    return agent.fabric.setup_optimizers(optimizer)


def _moments(agent: Agent) -> Any:
    cfg = agent.cfg.algo.actor.moments
    moments = learner().Moments(cfg.decay, cfg.max, cfg.percentile.low, cfg.percentile.high)
    # A range wider than the floor of 1, so that a forgotten division shows.
    moments.load_state_dict({"low": torch.tensor(-1.5), "high": torch.tensor(2.0)})
    return moments


@fixture
def nature_observe(record: Recording) -> None:
    """World-model loss of a sequence of T steps from a given latent state, with resets inside: latents, posteriors,
    metrics, and the loss's gradients. prev_actions are already shifted: row t holds the action that led to it."""
    agent = build(DISCRETE)
    data = {name: value[1:] for name, value in batch(agent).items()}
    deter = torch.randn(1, 3, 16).tanh().requires_grad_()
    stoch = categories(1, 3, 4).flatten(-2).requires_grad_()
    given = {"state": data["state"], "prev_actions": actions(agent.task, 4, 3), "deter": deter, "stoch": stoch}
    given |= {name: data[name] for name in ("is_first", "rewards", "terminated")}
    record.settings.update(settings_of(agent.task, agent.cfg))
    record.params(world_model=agent.world_model)
    record.inputs(**given)
    with modes_for_samples(mode_of_rssm()) as margin:
        loss, latents, posteriors, recurrent, metrics = learner().world_model_loss(
            agent.world_model,
            {"state": given["state"]},
            *(given[name] for name in ("prev_actions", "is_first", "rewards", "terminated", "deter", "stoch")),
            **learner().world_model_loss_kwargs(agent.cfg),
        )
    agent.fabric.backward(loss)
    record.settings["smallest_mode_margin"] = margin.smallest
    record.outputs(loss=loss, latents=latents, posteriors=posteriors, recurrent_states=recurrent)
    record.metrics(metrics)
    record.input_grads(deter=deter, stoch=stoch)
    record.grads(world_model=agent.world_model)


@fixture
def nature_imagine(record: Recording) -> None:
    """Three imagined steps from twelve latent states with the actor's modes: latents and actions (H + 1), values of
    the critic and the slow critic (H + 1), lambda-returns (H), weights (H + 1)."""
    agent = build(DISCRETE)
    posteriors = categories(4, 3, 4).flatten(-2)
    recurrent = torch.randn(4, 3, 16).tanh()
    record.settings.update(settings_of(agent.task, agent.cfg))
    record.params(**agent.modules, target_critic=agent.target_critic)
    record.inputs(posteriors=posteriors, recurrent_states=recurrent)
    with torch.no_grad(), modes_for_samples(mode_of_rssm()) as margin:
        dream = learner().imagine(
            agent.world_model,
            agent.actor,
            agent.critic,
            agent.target_critic,
            posteriors,
            recurrent,
            horizon=3,
            discount=1.0,
            lmbda=0.95,
        )
    record.settings["smallest_mode_margin"] = margin.smallest
    record.outputs(**dict(zip(IMAGINED, dream, strict=True)))


@fixture
def nature_actor_critic_discrete(record: Recording) -> None:
    """Actor and critic losses of a given dream and given replayed latents; the actions are random, not modes."""
    _actor_critic(record, build(DISCRETE))


@fixture
def nature_actor_critic_multi_discrete(record: Recording) -> None:
    """The same with two discrete heads and 1 % unimix."""
    _actor_critic(record, build(MULTI_DISCRETE, "algo.actor.unimix=0.01"))


@fixture
def nature_actor_critic_continuous(record: Recording) -> None:
    """The same with continuous actions away from the mean, so that the gradient of the mean is tested."""
    _actor_critic(record, build(CONTINUOUS))


def _actor_critic(record: Recording, agent: Agent) -> None:
    algo = agent.cfg.algo
    data = {name: value[1:].squeeze(-1) for name, value in batch(agent).items()}
    latents = torch.randn(4, 3, 36).requires_grad_()
    given = {
        "imagined_latents": torch.randn(4, 12, 36),
        "imagined_actions": actions(agent.task, 4, 12),
        "values": 3 * torch.randn(4, 12),
        "slow_values": 3 * torch.randn(4, 12),
        "returns": 3 * torch.randn(3, 12),
        "weights": torch.rand(4, 12),
        "invscale": torch.tensor(2.5),
        "latents": latents,
        "last": torch.maximum(data["terminated"], data["truncated"]),
        "terminated": data["terminated"],
        "rewards": data["rewards"],
    }
    record.settings.update(settings_of(agent.task, agent.cfg))
    record.params(actor=agent.actor, critic=agent.critic, target_critic=agent.target_critic)
    record.inputs(**given)
    loss, metrics = learner().actor_critic_loss(
        agent.actor,
        agent.critic,
        agent.target_critic,
        *given.values(),
        actions_dim=agent.task.actions,
        ent_coef=algo.actor.ent_coef,
        slow_regularizer=algo.critic.slow_regularizer,
        gamma=algo.gamma,
        lmbda=algo.lmbda,
        replay_loss=True,
        policy_scale=algo.loss_scales.policy,
        value_scale=algo.loss_scales.value,
        replay_value_scale=algo.loss_scales.replay_value,
    )
    agent.fabric.backward(loss)
    record.outputs(loss=loss)
    record.metrics(metrics)
    record.input_grads(latents=latents)
    record.grads(actor=agent.actor, critic=agent.critic)
