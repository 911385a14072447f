"""The world model: encode, filter, and explain what was seen: observations, rewards, and whether it goes on."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from dreamer_core.config.tree import Config
from dreamer_core.errors import ConfigError
from dreamer_core.models.decoder import Decoder, LatentSizes
from dreamer_core.models.distributions import bernoulli_loss, categorical_entropy, categorical_kl
from dreamer_core.models.encoder import Encoder
from dreamer_core.models.gather import OneHots
from dreamer_core.models.layers import Style, head
from dreamer_core.models.rssm import RSSM, Observed
from dreamer_core.models.rssm_nature import NatureRSSM
from dreamer_core.models.rssm_sheeprl import SheeprlRSSM
from dreamer_core.models.twohot import SymexpTwoHot, SymlogTwoHot, TwoHot
from dreamer_core.rng import Sampler
from dreamer_core.types import ObsSpec, Spaces, State


class Moment(NamedTuple):
    """What the world model learns from: a batch with encoded actions, shifted to lead to their row."""

    obs: dict[str, Tensor]  # (T, B, ...)
    previous_action: Tensor  # (T, B, A)
    reward: Tensor  # (T, B)
    is_first: Tensor  # (T, B) bool
    terminated: Tensor  # (T, B) bool
    is_last: Tensor  # (T, B) bool
    start: State | None  # (B, ...)


class WorldModelLoss(NamedTuple):
    total: Tensor
    observed: Observed
    metrics: dict[str, Tensor]


class WorldModel(nn.Module):
    rssm: RSSM

    def __init__(self, config: Config, spaces: Spaces, style: Style) -> None:
        super().__init__()
        self.config = config
        encoded, decoded = encoded_specs(config, spaces), decoded_specs(config, spaces)
        model = config.world_model
        sizes = LatentSizes(model.stochastic_size * model.discrete_size, model.recurrent_model.recurrent_state_size)
        self.feature_size = sizes.features
        self.encoder = Encoder(model.encoder, style, encoded, vector_gain=model.vector_gain)
        kind = NatureRSSM if style.is_nature else SheeprlRSSM
        self.rssm = kind(model, style, embed=self.encoder.size, action=spaces.action.width, unimix=config.algo.unimix)
        self.decoder = Decoder(model.observation_model, style, decoded, sizes, vector_gain=model.vector_gain)
        reward, discount = model.reward_model, model.discount_model
        self.reward_head = head(style, sizes.features, reward.dense_units, reward.mlp_layers, reward.bins, scale=0.0)
        self.continue_head = head(style, sizes.features, discount.dense_units, discount.mlp_layers, 1, scale=1.0)
        self.reward_bins = make_two_hot(style, reward.bins)

    def observe(self, moment: Moment, sampler: Sampler) -> Observed:
        embedding = self.encoder(moment.obs)
        return self.rssm.observe(embedding, moment.previous_action, moment.is_first, moment.start, sampler)

    def loss(self, moment: Moment, sampler: Sampler) -> WorldModelLoss:
        """The whole loss on a batch of sequences, and the states it went through."""
        observed = self.observe(moment, sampler)
        features = observed.states.features
        observation = self.decoder.loss(self.decoder(features), moment.obs)
        reward_features = features if self.config.world_model.reward_grad else features.detach()
        reward = self.reward_bins.loss(self.reward_head(reward_features), moment.reward)
        proceed = bernoulli_loss(self.continue_logit(features), self.continue_target(moment.terminated))
        state, state_metrics = self._state_loss(observed)
        model, scales = self.config.world_model, self.config.algo.loss_scales
        total = (
            scales.observation * observation.mean()
            + scales.reward * reward.mean()
            + model.continue_scale_factor * proceed.mean()
            + model.kl_regularizer * state
        )
        metrics = {
            "Loss/world_model_loss": total,
            "Loss/observation_loss": observation.mean(),
            "Loss/reward_loss": reward.mean(),
            "Loss/continue_loss": model.continue_scale_factor * proceed.mean(),
            "Loss/state_loss": state,
            **state_metrics,
        }
        return WorldModelLoss(total, observed, {name: value.detach() for name, value in metrics.items()})

    def continue_logit(self, features: Tensor, ones: OneHots | None = None) -> Tensor:
        logit: Tensor = self.continue_head(features, ones)
        return logit.squeeze(-1).float()

    def continue_target(self, terminated: Tensor) -> Tensor:
        """1 unless terminated; with `continue_discount`, the discount takes the place of the 1."""
        survival = 1.0 - terminated.float()
        return survival * self.config.algo.gamma if self.config.world_model.continue_discount else survival

    def predict_reward(self, features: Tensor, ones: OneHots | None = None) -> Tensor:
        return self.reward_bins.mean(self.reward_head(features, ones))

    def _state_loss(self, observed: Observed) -> tuple[Tensor, dict[str, Tensor]]:
        """KL summed over the latents and clamped at the free nats: below them it has no gradient, on purpose."""
        model, posterior, prior = self.config.world_model, observed.posterior, observed.prior
        kl = categorical_kl(posterior.detach(), prior)
        dynamic = kl.clamp(min=model.kl_free_nats)
        representation = categorical_kl(posterior, prior.detach()).clamp(min=model.kl_free_nats)
        loss = model.kl_dynamic * dynamic.mean() + model.kl_representation * representation.mean()
        return loss, {
            "State/kl": kl.mean(),
            "State/kl_clamped": dynamic.mean(),
            "State/kl_below_free_nats": (kl.detach() < model.kl_free_nats).float().mean(),
            "State/post_entropy": categorical_entropy(posterior.detach()).mean(),
            "State/prior_entropy": categorical_entropy(prior.detach()).mean(),
        }


def make_two_hot(style: Style, bins: int, device: torch.device | None = None) -> TwoHot:
    return SymexpTwoHot(bins, device) if style.is_nature else SymlogTwoHot(bins, device)


def encoded_specs(config: Config, spaces: Spaces) -> dict[str, ObsSpec]:
    """The observations that are encoded: images first. A key that the environment lacks is an error."""
    return _choose(spaces, config.algo.cnn_keys.encoder, config.algo.mlp_keys.encoder, "encoder")


def decoded_specs(config: Config, spaces: Spaces) -> dict[str, ObsSpec]:
    encoded = encoded_specs(config, spaces)
    chosen = _choose(spaces, config.algo.cnn_keys.decoder, config.algo.mlp_keys.decoder, "decoder")
    return {key: spec for key, spec in chosen.items() if key in encoded}


def _choose(spaces: Spaces, images: tuple[str, ...], vectors: tuple[str, ...], part: str) -> dict[str, ObsSpec]:
    found: dict[str, ObsSpec] = {}
    for is_vector, wanted in ((False, images), (True, vectors)):
        offered = {key: spec for key, spec in spaces.obs.items() if (spec.kind == "vector") is is_vector}
        section = "mlp_keys" if is_vector else "cnn_keys"
        for key in wanted:
            if key not in offered:
                raise ConfigError(f"algo.{section}.{part}", f"the environment has no {key!r}, only {list(offered)}")
        found |= {key: offered[key] for key in wanted or offered}
    return found
