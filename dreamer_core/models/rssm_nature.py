"""The RSSM of the Nature paper: a block-diagonal GRU, and a state that starts from zeros."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dreamer_core.config.model import WorldModelConfig
from dreamer_core.models.layers import BlockLinear, Style, mlp
from dreamer_core.models.rssm import RSSM, gated_update, posterior_net, prior_net
from dreamer_core.types import State


class NatureRSSM(RSSM):
    def __init__(self, config: WorldModelConfig, style: Style, *, embed: int, action: int, unimix: float) -> None:
        super().__init__(config, unimix)
        model = config.recurrent_model
        flat = self.stochastic * self.classes
        self.blocks = model.blocks
        self.project_deter = mlp(style, self.deterministic, model.hidden_size, 1)
        self.project_stoch = mlp(style, flat, model.hidden_size, 1)
        self.project_action = mlp(style, action, model.hidden_size, 1)
        self.hidden, width = nn.ModuleList(), self.deterministic + self.blocks * 3 * model.hidden_size
        for _ in range(model.dynamics_layers):
            block = BlockLinear(width, self.deterministic, self.blocks)
            self.hidden.append(nn.Sequential(block, style.norm(self.deterministic), nn.SiLU()))
            width = self.deterministic
        self.gates = BlockLinear(width, 3 * self.deterministic, self.blocks)
        posterior, prior = config.representation_model, config.transition_model
        self.posterior_in = style.linear(self.deterministic + embed, posterior.hidden_size)
        self.posterior_net = posterior_net(style, posterior, flat)
        self.prior_net = prior_net(style, prior, self.deterministic, flat)

    def initial(self, batch: int) -> State:
        return self._zeros(batch)

    def embed_actions(self, action: Tensor) -> Tensor:
        embedding: Tensor = self.project_action(action / action.abs().clamp(min=1).detach())
        return embedding

    def advance(self, state: State, action_embedding: Tensor) -> Tensor:
        inputs = [self.project_deter(state.deter), self.project_stoch(state.stoch.flatten(-2)), action_embedding]
        shared = torch.cat(inputs, -1)[:, None].expand(-1, self.blocks, -1)  # (B, blocks, 3 U)
        x = torch.cat([state.deter.unflatten(-1, (self.blocks, -1)), shared], -1)
        for layer in self.hidden:
            x = layer(x)
        gates = self.gates(x).unflatten(-1, (self.blocks, 3, -1))
        reset, candidate, update = (gate.flatten(-2) for gate in gates.unbind(-2))
        return gated_update(state.deter, reset, candidate, update)

    def embed_observations(self, embedding: Tensor) -> Tensor:
        return F.linear(embedding, self.posterior_in.weight[:, self.deterministic :])

    def posterior_logits(self, deter: Tensor, embedded: Tensor) -> Tensor:
        weight = self.posterior_in.weight[:, : self.deterministic]
        logits: Tensor = self.posterior_net(F.linear(deter, weight, self.posterior_in.bias) + embedded)
        return logits

    def prior_logits(self, deter: Tensor) -> Tensor:
        logits: Tensor = self.prior_net(deter)
        return logits
