"""The `nature` update: one loss, one backward pass, one optimizer for world model, actor and critic."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from dreamer_core.models.agent import Agent
from dreamer_core.models.behavior import Dream, action_metrics, imagine_watched, last_rows, look
from dreamer_core.models.returns import lambda_returns, replay_returns
from dreamer_core.models.world_model import Moment, WorldModelLoss
from dreamer_core.rng import Sampler
from dreamer_core.training.collective import Collective
from dreamer_core.training.learner import Learner, Plan, Update, gradient_norm
from dreamer_core.training.optim import LaProp


class Judged(NamedTuple):
    """A dream with its worth (H + 1, N); logits and returns are those of all moments but the last."""

    dream: Dream
    logits: Tensor  # of the critic, with a gradient
    values: Tensor
    slow_values: Tensor
    returns: Tensor
    weights: Tensor  # how likely the dream still goes on at each moment


class NatureLearner(Learner):
    def __init__(self, agent: Agent, collective: Collective | None = None) -> None:
        super().__init__(agent, collective)
        self.parts = {"world_model": agent.world_model, "actor": agent.actor, "critic": agent.critic}
        groups = [{"params": list(part.parameters())} for part in self.parts.values()]
        self.optimizer = LaProp(groups, self.config.algo.optimizer)

    @property
    def optimizers(self) -> dict[str, Optimizer]:
        return {"agent": self.optimizer}

    @property
    def start_rows(self) -> slice:
        """The rows that dreams start from."""
        return slice(-self.config.algo.imag_last or None, None)

    def _update(self, moment: Moment, sampler: Sampler, plan: Plan) -> Update:
        self.optimizer.zero_grad(set_to_none=True)
        update = self.backward(moment, sampler, plan)
        self.step(plan)
        return update

    def backward(self, moment: Moment, sampler: Sampler, plan: Plan) -> Update:
        """All gradients of one update, and nothing that depends on how many came before (so it can be captured)."""
        with self.autocast(), torch.set_grad_enabled(plan.world_model):
            model = self.agent.world_model.loss(moment, sampler)
        losses, metrics = [model.total] if plan.world_model else [], dict(model.metrics)
        if plan.actor_critic:
            with self.autocast():
                behavior, more = self._behavior_loss(moment, model, sampler)
            losses, metrics = [*losses, behavior], metrics | more
        self.lap("forward")
        torch.stack(losses).sum().backward()
        self.lap("backward")
        self.collective.average_gradients(p for part in self.parts.values() for p in part.parameters())
        norms = {name: gradient_norm(part.parameters()) for name, part in self.parts.items()}
        metrics |= {f"Grads/{name}": norm for name, norm in norms.items()}
        metrics["Grads/agent"] = torch.linalg.vector_norm(torch.stack(list(norms.values())))
        return Update(metrics, model.observed.states.detach())

    def step(self, plan: Plan) -> None:
        """Apply the gradients, then let the slow critic follow."""
        if not plan.world_model:
            self.agent.world_model.zero_grad(set_to_none=True)  # frozen: without a gradient a weight is not stepped
        base, ac_scale = self.config.algo.optimizer.lr * plan.lr_scale, plan.ac_lr_scale
        factors = {"world_model": 1.0, "actor": ac_scale, "critic": ac_scale * self.config.critic.lr_factor}
        for name, group in zip(self.parts, self.optimizer.param_groups, strict=True):
            group["lr"] = base * factors[name]
        self.optimizer.step()
        if self.count % self.config.critic.per_rank_target_network_update_freq == 0:
            self.agent.update_slow_critic(self.config.critic.tau)
        self.lap("optimizer")

    def _behavior_loss(
        self, moment: Moment, model: WorldModelLoss, sampler: Sampler
    ) -> tuple[Tensor, dict[str, Tensor]]:
        judged = self._dream(model, sampler)
        _, scale = self.agent.moments.update(self.collective.gather(judged.returns))
        config, scales = self.config, self.config.algo.loss_scales
        policy = judged.dream.policy or self.agent.actor(judged.dream.features[:-1])
        advantage = (judged.returns - judged.values[:-1]) / scale
        log_prob, entropy = policy.log_prob(judged.dream.actions[:-1]), policy.entropy()
        weights = judged.weights[:-1]
        policy_loss = (weights * -(log_prob * self.policy_weight(advantage) + config.actor.ent_coef * entropy)).mean()
        critic_loss = self._critic_loss(judged.logits, judged.returns, judged.slow_values[:-1])
        value_loss = (weights * critic_loss).mean()
        loss = scales.policy * policy_loss + scales.value * value_loss
        metrics = {
            "Loss/policy_loss": policy_loss.detach(),
            "Loss/value_loss": value_loss.detach(),
            **action_metrics(entropy, judged.dream.actions, self.agent.spaces.action.is_continuous),
            **self.metrics_of_returns(judged.returns, judged.values, advantage, scale),
        }
        if config.critic.replay_loss and len(moment.reward[self.start_rows]) > 1:  # a return needs a next row
            replay_loss = self._replay_critic_loss(moment, model, judged.returns)
            loss = loss + scales.replay_value * replay_loss
            metrics["Loss/replay_value_loss"] = replay_loss.detach()
        return loss, metrics

    def _dream(self, model: WorldModelLoss, sampler: Sampler) -> Judged:
        """Nothing learns through the states of a dream: the critic learns from its view of them, the actor from the
        policy it dreamed with. Each looks once."""
        agent, algo = self.agent, self.config.algo
        with torch.no_grad():
            start = last_rows(model.observed.states.detach(), algo.imag_last)
        dream = imagine_watched(agent.world_model, agent.actor, start, algo.horizon, sampler)
        with torch.no_grad():
            reward = agent.world_model.predict_reward(*dream.seen(slice(1, None)))
            proceed = torch.sigmoid(agent.world_model.continue_logit(dream.features, dream.ones))
            slow = agent.slow_critic.value(dream.features, dream.ones)
        logits, values = look(agent.critic, dream)
        gamma = 1.0 if self.config.world_model.continue_discount else algo.gamma
        discount = proceed * gamma
        returns = lambda_returns(reward, values[1:], discount[1:], algo.lmbda)
        return Judged(dream, logits, values, slow, returns, torch.cumprod(discount, 0) / gamma)

    def _critic_loss(self, logits: Tensor, returns: Tensor, slow_values: Tensor) -> Tensor:
        """Toward the returns, and a little toward the slow critic so that values do not run away."""
        return self.agent.critic.bins.loss(logits, returns, (slow_values, self.config.critic.slow_regularizer))

    def _replay_critic_loss(self, moment: Moment, model: WorldModelLoss, imagined: Tensor) -> Tensor:
        """Ground the critic in rewards that really came, bootstrapped from what was imagined at each row."""
        algo, batch, row = self.config.algo, moment.reward.shape[1], self.start_rows
        is_last = moment.is_last[row]
        returns = replay_returns(
            moment.reward[row],
            imagined[0].unflatten(0, (-1, batch)),
            moment.terminated[row],
            is_last,
            gamma=algo.gamma,
            lmbda=algo.lmbda,
        )
        features = model.observed.states.features[row][:-1]
        if not self.config.critic.replay_grad:
            features = features.detach()
        with torch.no_grad():
            slow = self.agent.slow_critic.value(features)
        return ((1 - is_last[:-1].float()) * self._critic_loss(self.agent.critic(features), returns, slow)).mean()
