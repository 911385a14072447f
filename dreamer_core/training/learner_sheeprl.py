"""The `sheeprl` update: world model first, then actor, then critic, each with its own Adam and gradient clip."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from dreamer_core.config.model import OptimizerConfig
from dreamer_core.models.agent import Agent
from dreamer_core.models.behavior import Dream, action_metrics, imagine, imagine_watched, last_rows, look
from dreamer_core.models.returns import lambda_returns
from dreamer_core.models.world_model import Moment
from dreamer_core.rng import Sampler
from dreamer_core.training.collective import Collective
from dreamer_core.training.learner import Learner, Plan, Update, gradient_norm, scale_learning_rates
from dreamer_core.types import State


class Judged(NamedTuple):
    """A dream with its worth. Gradients flow through it only where actions are continuous."""

    dream: Dream
    logits: (
        Tensor | None
    )  # (H, N, bins) of the critic, with a gradient for its weights alone; None where actions are continuous
    values: Tensor  # (H + 1, N)
    returns: Tensor  # (H, N)
    weights: Tensor  # (H + 1, N)


class SheeprlLearner(Learner):
    def __init__(self, agent: Agent, collective: Collective | None = None) -> None:
        super().__init__(agent, collective)
        config = self.config
        self.adams = {
            "world_model": _adam(agent.world_model, config.world_model.optimizer),
            "actor": _adam(agent.actor, config.actor.optimizer),
            "critic": _adam(agent.critic, config.critic.optimizer),
        }

    @property
    def optimizers(self) -> dict[str, Optimizer]:
        return dict(self.adams)

    def restore(self, state: dict[str, Any], count: int) -> None:
        """Fused also where the run began before its optimizers were."""
        groups = (group for optimizer in state.values() for group in optimizer["param_groups"])
        for group in groups:
            group["fused"] = True
        super().restore(state, count)

    def _update(self, moment: Moment, sampler: Sampler, plan: Plan) -> Update:
        critic = self.config.critic
        if self.count % critic.per_rank_target_network_update_freq == 0:
            self.agent.update_slow_critic(1.0 if self.count == 0 else critic.tau)
        with self.autocast(), torch.set_grad_enabled(plan.world_model):
            model = self.agent.world_model.loss(moment, sampler)
        metrics = dict(model.metrics)
        if plan.world_model:
            config = self.config.world_model
            metrics["Grads/world_model"] = self._step(
                "world_model",
                self.agent.world_model,
                model.total,
                config.clip_gradients,
                config.optimizer.lr,
                plan.lr_scale,
            )
        states = model.observed.states.detach()
        del model  # and with it what its gradient needed of every moment
        if plan.actor_critic:
            metrics |= self._behave(moment, states, sampler, plan.lr_scale * plan.ac_lr_scale)
        return Update(metrics, states)

    def _behave(self, moment: Moment, states: State, sampler: Sampler, lr_scale: float) -> dict[str, Tensor]:
        actor, critic = self.config.actor, self.config.critic
        with self.autocast():
            judged = self._dream(moment, states, sampler)
            offset, scale = self.agent.moments.update(self.collective.gather(judged.returns))
            policy_loss, metrics = self._policy_loss(judged, offset, scale)
        metrics["Grads/actor"] = self._step(
            "actor", self.agent.actor, policy_loss, actor.clip_gradients, actor.optimizer.lr, lr_scale
        )
        with self.autocast():
            value_loss = self._value_loss(judged)
        metrics["Grads/critic"] = self._step(
            "critic", self.agent.critic, value_loss, critic.clip_gradients, critic.optimizer.lr, lr_scale
        )
        return metrics | {"Loss/policy_loss": policy_loss.detach(), "Loss/value_loss": value_loss.detach()}

    def _dream(self, moment: Moment, states: State, sampler: Sampler) -> Judged:
        """Imagine with the world model as it is after its step. The first continue is the real one."""
        agent, algo = self.agent, self.config.algo
        is_continuous = agent.spaces.action.is_continuous
        play = imagine if is_continuous else imagine_watched
        dream = play(agent.world_model, agent.actor, last_rows(states, algo.imag_last), algo.horizon, sampler)
        with torch.set_grad_enabled(is_continuous):
            logits, values = self._values(dream)
            reward = agent.world_model.predict_reward(*dream.seen(slice(1, None)))
            goes_on = (agent.world_model.continue_logit(dream.features, dream.ones) > 0).float()
            real = 1.0 - moment.terminated[-algo.imag_last :].float().flatten()
            discount = torch.cat([real[None], goes_on[1:]]) * algo.gamma
            returns = lambda_returns(reward, values[1:], discount[1:], algo.lmbda)
        return Judged(dream, logits, values, returns, torch.cumprod(discount, 0).detach() / algo.gamma)

    def _values(self, dream: Dream) -> tuple[Tensor | None, Tensor]:
        """Discrete dreams carry no gradient, so that one look of the critic serves the returns and its own loss."""
        if self.agent.spaces.action.is_continuous:
            return None, self.agent.critic.value(dream.features)
        return look(self.agent.critic, dream)

    def _policy_loss(self, judged: Judged, offset: Tensor, scale: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        is_continuous = self.agent.spaces.action.is_continuous
        policy = judged.dream.policy or self.agent.actor(judged.dream.features[:-1].detach())
        advantage = (judged.returns - offset) / scale - (judged.values[:-1] - offset) / scale
        if is_continuous:
            objective = advantage  # backpropagated through the dream itself
        else:
            weight = self.policy_weight(advantage.detach())
            objective = policy.log_prob(judged.dream.actions[:-1].detach()) * weight
        entropy = policy.entropy()
        loss = -(judged.weights[:-1] * (objective + self.config.actor.ent_coef * entropy)).mean()
        metrics = self.metrics_of_returns(judged.returns, judged.values, advantage, scale)
        return loss, metrics | action_metrics(entropy, judged.dream.actions, is_continuous)

    def _value_loss(self, judged: Judged) -> Tensor:
        critic = self.agent.critic
        features, ones = judged.dream.seen(slice(-1))
        features = features.detach()
        logits = critic(features, ones) if judged.logits is None else judged.logits
        with torch.no_grad():
            slow = self.agent.slow_critic.value(features, ones)
        loss = critic.bins.loss(logits, judged.returns, (slow, self.config.critic.slow_regularizer))
        return (judged.weights[:-1] * loss).mean()

    def _step(self, name: str, module: nn.Module, loss: Tensor, clip: float, lr: float, lr_scale: float) -> Tensor:
        """Backward, average over ranks, clip, step. Returns the norm before clipping."""
        optimizer, parameters = self.adams[name], list(module.parameters())
        optimizer.zero_grad(set_to_none=True)
        self.lap("forward")
        loss.backward(inputs=parameters)
        self.lap("backward")
        self.collective.average_gradients(parameters)
        norm = nn.utils.clip_grad_norm_(parameters, clip) if clip > 0 else gradient_norm(parameters)
        scale_learning_rates(optimizer, lr, lr_scale)
        optimizer.step()
        self.lap("optimizer")
        return norm.detach()


def _adam(module: nn.Module, config: OptimizerConfig) -> Adam:
    return Adam(
        module.parameters(),
        lr=config.lr,
        eps=config.eps,
        betas=config.betas,
        weight_decay=config.weight_decay,
        fused=True,  # one operator for all weights: an update of a small network has 600 fewer
    )
