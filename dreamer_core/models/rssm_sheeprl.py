"""The RSSM of sheeprl 33b6366: a dense GRU with a LayerNorm over its gates, and a learned first state."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dreamer_core.config.model import WorldModelConfig
from dreamer_core.models import gather
from dreamer_core.models.activation import Stage
from dreamer_core.models.gates import lowered
from dreamer_core.models.gather import OneHots
from dreamer_core.models.layers import Linear, Style, runs_by_hand, stage_of
from dreamer_core.models.rssm import RSSM, Predict, gated_update, posterior_net, prior_net
from dreamer_core.models.scan import Plan, Posterior, given
from dreamer_core.models.scan_sheeprl import Cell, scan
from dreamer_core.rng import Sampler
from dreamer_core.types import ActionSpec, State


class SheeprlRSSM(RSSM):
    first_deter: Tensor

    def __init__(self, config: WorldModelConfig, style: Style, *, embed: int, action: int, unimix: float) -> None:
        super().__init__(config, unimix)
        zeros = torch.zeros(self.deterministic)
        if config.learnable_initial_recurrent_state:
            self.first_deter = nn.Parameter(zeros)
        else:
            self.register_buffer("first_deter", zeros)
        flat, units = self.stochastic * self.classes, config.recurrent_model.dense_units
        self.is_decoupled = config.decoupled_rssm
        self.mix_in = style.linear(flat + action, units)
        self.mix_norm = nn.Sequential(style.norm(units), nn.SiLU())
        self.gates = Linear(units + self.deterministic, 3 * self.deterministic, bias=False)
        self.gates_norm = style.norm(3 * self.deterministic)
        posterior, prior = config.representation_model, config.transition_model
        inputs = embed if self.is_decoupled else self.deterministic + embed
        self.posterior_in = style.linear(inputs, posterior.hidden_size)
        self.posterior_net = posterior_net(style, posterior, flat)
        self.prior_net = prior_net(style, prior, self.deterministic, flat)

    def initial(self, batch: int) -> State:
        """tanh of a learned vector, and the most likely latent that its prior expects (without a gradient)."""
        deter = torch.tanh(self.first_deter).expand(batch, -1)
        index = self.prior(deter[:1]).argmax(-1)
        return State(deter, F.one_hot(index, self.classes).to(deter.dtype).expand(batch, -1, -1))

    def embed_actions(self, action: Tensor) -> Tensor:
        return F.linear(action, self.mix_in.weight[:, self.stochastic * self.classes :])

    def advance(self, state: State, action_embedding: Tensor) -> Tensor:
        stoch = F.linear(state.stoch.flatten(-2), self.mix_in.weight[:, : self.stochastic * self.classes])
        return self._gate(state.deter, stoch + action_embedding)

    def predictor(self, action: ActionSpec) -> Predict:
        if not runs_by_hand(self.mix_in.weight):
            return super().predictor(action)
        rows = gather.table(self.mix_in.weight[:, : self.stochastic * self.classes], None, self.classes)

        def predict(deter: Tensor, ones: OneHots, taken: Tensor, sampler: Sampler) -> tuple[Tensor, OneHots]:
            mixed = F.embedding_bag(ones.at, rows, mode="sum") + self.embed_actions(taken)
            after = self._gate(deter, mixed)
            return after, self._draw(self.prior_logits(after), sampler)

        return predict

    def _scan(
        self, state: State, fresh: State, keep: Tensor, actions: Tensor, embedded: Tensor, sampler: Sampler
    ) -> tuple[State, Tensor]:
        if self.is_decoupled or len(self.posterior_net) > 3 or not (self.unimix and runs_by_hand(embedded)):
            # Without a floor under them, probabilities can be 0, and only logits tell how unlikely that is.
            return super()._scan(state, fresh, keep, actions, embedded, sampler)
        norm, out = self.posterior_net[0], self.posterior_net[2]
        assert isinstance(out, Linear)
        hidden = stage_of(self.posterior_in.weight[:, : self.deterministic], None, norm)
        gates = stage_of(self.gates.weight, None, self.gates_norm)
        cell = Cell(
            mix=stage_of(self.mix_in.weight[:, : self.stochastic * self.classes], None, self.mix_norm[0]),
            gates=gates._replace(shift=lowered(given(gates.shift))),
        )
        posterior, plan = Posterior(hidden, Stage(out.weight, out.bias)), Plan(sampler, self.unimix, hidden.eps)
        deter, stoch, probs = scan(cell, posterior, state, fresh, keep, (actions, embedded), plan)
        return State(deter, stoch), probs.log()

    def _gate(self, deter: Tensor, mixed: Tensor) -> Tensor:
        gates = self.gates_norm(self.gates(torch.cat([deter, self.mix_norm(mixed)], -1)))
        return gated_update(deter, *gates.chunk(3, -1))

    def embed_observations(self, embedding: Tensor) -> Tensor:
        start = 0 if self.is_decoupled else self.deterministic
        return F.linear(embedding, self.posterior_in.weight[:, start:])

    def posterior_logits(self, deter: Tensor, embedded: Tensor) -> Tensor:
        if not self.is_decoupled:
            embedded = embedded + F.linear(deter, self.posterior_in.weight[:, : self.deterministic])
        logits: Tensor = self.posterior_net(embedded)
        return logits

    def prior_logits(self, deter: Tensor) -> Tensor:
        logits: Tensor = self.prior_net(deter)
        return logits
