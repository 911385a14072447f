"""The RSSM of the Nature paper: a block-diagonal GRU, and a state that starts from zeros."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dreamer_core.config.model import WorldModelConfig
from dreamer_core.models import gather
from dreamer_core.models.activation import Stage
from dreamer_core.models.cell_nature import Cell, DreamedCell
from dreamer_core.models.gates import lowered
from dreamer_core.models.gather import OneHots
from dreamer_core.models.layers import BlockLinear, Linear, Style, mlp, runs_by_hand, stage_of
from dreamer_core.models.rssm import RSSM, Predict, gated_update, posterior_net, prior_net
from dreamer_core.models.scan import Plan, Posterior
from dreamer_core.models.scan_nature import scan
from dreamer_core.rng import Sampler
from dreamer_core.types import ActionSpec, State


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

    def cell(self) -> Cell | None:
        """The same cell as plain arithmetic, for who keeps books of gradients himself. Only for one hidden layer."""
        (block, norm, _), *deeper = [list(layer.children()) for layer in self.hidden]
        if deeper or not isinstance(block, BlockLinear):
            return None
        width = self.deterministic // self.blocks
        shared = block.weight[:, width:].transpose(0, 1).flatten(1)  # (3 U, D)
        units = len(shared) // 3
        return Cell(
            deter=self.project_deter.stages()[0],
            stoch=self.project_stoch.stages()[0],
            own=block.weight[:, :width],
            shared=shared[: 2 * units],
            action=shared[2 * units :],
            bias=block.bias,
            hidden=stage_of(block.weight, block.bias, norm),
            gates=self.gates.weight,
            gates_bias=lowered(self.gates.bias.unflatten(-1, (self.blocks, 1, -1))),
        )

    def predictor(self, action: ActionSpec) -> Predict:
        cell = self.cell()
        if cell is None or not runs_by_hand(cell.own):
            return super().predictor(action)
        # One of A actions as a one-hot: its share of the hidden layer is a row of a table.
        single = len(action.sizes) == 1 and not action.is_continuous
        table = self._from_action(cell, torch.eye(action.width)) if single else None
        rows, dreamed = gather.table(cell.stoch.weight, cell.stoch.bias, self.classes), DreamedCell(cell)

        def predict(deter: Tensor, ones: OneHots, taken: Tensor, sampler: Sampler) -> tuple[Tensor, OneHots]:
            from_deter = F.linear(deter, cell.deter.weight, cell.deter.bias)
            from_stoch = F.embedding_bag(ones.at, rows, mode="sum")
            from_action = self._from_action(cell, taken) if table is None else taken @ table
            after = dreamed.advance(deter, from_deter, from_stoch, from_action)
            return after, self._draw(self.prior_logits(after), sampler)

        return predict

    def _scan(
        self, state: State, fresh: State, keep: Tensor, actions: Tensor, embedded: Tensor, sampler: Sampler
    ) -> tuple[State, Tensor]:
        cell = self.cell()
        if cell is None or len(self.posterior_net) > 3 or not (self.unimix and runs_by_hand(embedded)):
            # Without a floor under them, probabilities can be 0, and only logits tell how unlikely that is.
            return super()._scan(state, fresh, keep, actions, embedded, sampler)
        layer, norm, out = self.posterior_in, self.posterior_net[0], self.posterior_net[2]
        assert isinstance(out, Linear)
        hidden = stage_of(layer.weight[:, : self.deterministic], None, norm)
        posterior, plan = Posterior(hidden, Stage(out.weight, out.bias)), Plan(sampler, self.unimix, hidden.eps)
        known = cell.bias + actions @ cell.action, embedded + layer.bias
        deter, stoch, probs = scan(cell, posterior, state, keep, known, plan)
        return State(deter, stoch), probs.log()

    def _from_action(self, cell: Cell, action: Tensor) -> Tensor:
        return torch.addmm(cell.bias, self.embed_actions(action), cell.action)

    def embed_observations(self, embedding: Tensor) -> Tensor:
        return F.linear(embedding, self.posterior_in.weight[:, self.deterministic :])

    def posterior_logits(self, deter: Tensor, embedded: Tensor) -> Tensor:
        weight = self.posterior_in.weight[:, : self.deterministic]
        logits: Tensor = self.posterior_net(F.linear(deter, weight, self.posterior_in.bias) + embedded)
        return logits

    def prior_logits(self, deter: Tensor) -> Tensor:
        logits: Tensor = self.prior_net(deter)
        return logits
