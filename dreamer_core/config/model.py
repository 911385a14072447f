"""The networks: world model, actor and critic, under the key names of sheeprl."""

from dataclasses import dataclass, field
from typing import Literal

from dreamer_core.config.checks import above, at_least, within
from dreamer_core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """Adam, as the `sheeprl` recipe uses it three times."""

    lr: float = 1e-4
    eps: float = 1e-8
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        above(0, lr=self.lr, eps=self.eps)
        at_least(0, weight_decay=self.weight_decay)
        _check_betas(self.betas)


@dataclass(frozen=True, kw_only=True)
class LaPropConfig:
    """The one optimizer of the `nature` recipe: LaProp with adaptive gradient clipping and a linear warm-up."""

    lr: float = 4e-5
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-20
    agc: float = 0.3
    agc_pmin: float = 1e-3
    warmup: int = 1000
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        above(0, lr=self.lr, eps=self.eps, agc_pmin=self.agc_pmin)
        at_least(0, agc=self.agc, warmup=self.warmup, weight_decay=self.weight_decay)
        _check_betas(self.betas)


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    cnn_channels_multiplier: int = 96
    cnn_stages: tuple[int, ...] = (2, 3, 4, 4)  # nature only; sheeprl doubles from 1
    cnn_kernel_size: int = 5  # nature only; sheeprl's is 4 with stride 2
    mlp_layers: int = 5
    dense_units: int = 1024
    symlog_inputs: bool = True
    append_one: bool = False  # a 1 beside the numbers of vectors, so that the first norm keeps their size

    def __post_init__(self) -> None:
        at_least(1, cnn_channels_multiplier=self.cnn_channels_multiplier, mlp_layers=self.mlp_layers)
        at_least(1, dense_units=self.dense_units, cnn_kernel_size=self.cnn_kernel_size)
        at_least(1, cnn_stages=min(self.cnn_stages, default=0))


@dataclass(frozen=True, kw_only=True)
class DecoderConfig:
    cnn_channels_multiplier: int = 96
    cnn_stages: tuple[int, ...] = (2, 3, 4, 4)  # nature only
    cnn_kernel_size: int = 5  # nature only
    block_space: int = 8  # nature only: groups of the projection from the recurrent state to the first map; 0 = none
    mlp_layers: int = 5
    dense_units: int = 1024

    def __post_init__(self) -> None:
        at_least(1, cnn_channels_multiplier=self.cnn_channels_multiplier, mlp_layers=self.mlp_layers)
        at_least(1, dense_units=self.dense_units, cnn_kernel_size=self.cnn_kernel_size)
        at_least(1, cnn_stages=min(self.cnn_stages, default=0))
        at_least(0, block_space=self.block_space)


@dataclass(frozen=True, kw_only=True)
class RecurrentConfig:
    recurrent_state_size: int = 4096
    dense_units: int = 1024  # sheeprl: width of the layer before the GRU
    hidden_size: int = 1024  # nature: width of each of the three input projections
    blocks: int = 8  # nature: groups of the block-diagonal GRU
    dynamics_layers: int = 1  # nature: block-diagonal layers before the gates

    def __post_init__(self) -> None:
        at_least(1, recurrent_state_size=self.recurrent_state_size, dense_units=self.dense_units)
        at_least(1, hidden_size=self.hidden_size, blocks=self.blocks, dynamics_layers=self.dynamics_layers)


@dataclass(frozen=True, kw_only=True)
class LatentHeadConfig:
    """The MLP from the recurrent state (and, for the posterior, the observation) to the categorical logits."""

    hidden_size: int = 1024
    layers: int = 1

    def __post_init__(self) -> None:
        at_least(1, hidden_size=self.hidden_size, layers=self.layers)


@dataclass(frozen=True, kw_only=True)
class ScalarHeadConfig:
    """An MLP from the latent state to one quantity; `bins` where that quantity is two-hot."""

    mlp_layers: int = 5
    dense_units: int = 1024
    bins: int = 255

    def __post_init__(self) -> None:
        at_least(1, mlp_layers=self.mlp_layers, dense_units=self.dense_units)
        at_least(2, bins=self.bins)


@dataclass(frozen=True, kw_only=True)
class WorldModelConfig:
    discrete_size: int = 32  # C: classes per variable
    stochastic_size: int = 32  # S: variables
    kl_dynamic: float = 0.5
    kl_representation: float = 0.1
    kl_free_nats: float = 1.0
    kl_regularizer: float = 1.0
    continue_scale_factor: float = 1.0
    vector_gain: float = 1.0  # vectors times this, before symlog, going in and being predicted
    continue_discount: bool = False  # nature: the continue head predicts the discount, not bare survival
    reward_grad: bool = True  # the reward loss shapes the latent states
    clip_gradients: float = 1000.0  # sheeprl
    decoupled_rssm: bool = False  # sheeprl: the posterior sees the observation only
    learnable_initial_recurrent_state: bool = True  # sheeprl
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    recurrent_model: RecurrentConfig = field(default_factory=RecurrentConfig)
    transition_model: LatentHeadConfig = field(default_factory=LatentHeadConfig)
    representation_model: LatentHeadConfig = field(default_factory=LatentHeadConfig)
    observation_model: DecoderConfig = field(default_factory=DecoderConfig)
    reward_model: ScalarHeadConfig = field(default_factory=ScalarHeadConfig)
    discount_model: ScalarHeadConfig = field(default_factory=ScalarHeadConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)  # sheeprl

    def __post_init__(self) -> None:
        at_least(2, discrete_size=self.discrete_size)
        at_least(1, stochastic_size=self.stochastic_size)
        at_least(0, kl_dynamic=self.kl_dynamic, kl_representation=self.kl_representation)
        at_least(0, kl_free_nats=self.kl_free_nats, kl_regularizer=self.kl_regularizer)
        above(0, vector_gain=self.vector_gain)
        at_least(0, continue_scale_factor=self.continue_scale_factor, clip_gradients=self.clip_gradients)


@dataclass(frozen=True, kw_only=True)
class PercentileConfig:
    low: float = 0.05
    high: float = 0.95

    def __post_init__(self) -> None:
        for key, value in (("low", self.low), ("high", self.high)):
            if not 0.0 < value < 1.0:
                raise ConfigError(key, f"must be in (0, 1), got {value}")
        if not self.low < self.high:
            raise ConfigError("low", f"must be below high ({self.high}), got {self.low}")


@dataclass(frozen=True, kw_only=True)
class MomentsConfig:
    """The running range of the returns that advantages are divided by."""

    decay: float = 0.99
    max: float = 1.0  # the range is never taken smaller than 1 / max
    percentile: PercentileConfig = field(default_factory=PercentileConfig)

    def __post_init__(self) -> None:
        within(0, 1, decay=self.decay)
        above(0, max=self.max)


@dataclass(frozen=True, kw_only=True)
class ActorConfig:
    ent_coef: float = 3e-4
    min_std: float = 0.1
    max_std: float = 1.0
    init_std: float = 2.0
    mlp_layers: int = 5
    dense_units: int = 1024
    unimix: float = 0.01
    action_clip: float = 1.0  # sheeprl
    outscale: float = 0.01  # nature: scale of the last layer at the start
    # `centred` takes the batch's mean from the advantages of a dreamed step, `standard` also divides by their spread.
    advantage: Literal["plain", "centred", "standard"] = "plain"
    clip_gradients: float = 100.0  # sheeprl
    moments: MomentsConfig = field(default_factory=MomentsConfig)
    optimizer: OptimizerConfig = field(default_factory=lambda: OptimizerConfig(lr=8e-5, eps=1e-5))  # sheeprl

    def __post_init__(self) -> None:
        at_least(0, ent_coef=self.ent_coef, action_clip=self.action_clip, clip_gradients=self.clip_gradients)
        at_least(0, outscale=self.outscale)
        above(0, min_std=self.min_std)
        at_least(self.min_std, max_std=self.max_std)
        at_least(1, mlp_layers=self.mlp_layers, dense_units=self.dense_units)
        within(0, 1, unimix=self.unimix)


@dataclass(frozen=True, kw_only=True)
class CriticConfig:
    mlp_layers: int = 5
    dense_units: int = 1024
    bins: int = 255
    tau: float = 0.02
    per_rank_target_network_update_freq: int = 1
    clip_gradients: float = 100.0  # sheeprl
    slow_regularizer: float = 1.0
    replay_loss: bool = False  # nature: learn on replayed steps too
    replay_grad: bool = False  # nature: let that loss shape the world model
    outscale: float = 0.0  # nature
    lr_factor: float = 1.0  # nature: its learning rate, in units of the optimizer's
    optimizer: OptimizerConfig = field(default_factory=lambda: OptimizerConfig(lr=8e-5, eps=1e-5))  # sheeprl

    def __post_init__(self) -> None:
        at_least(1, mlp_layers=self.mlp_layers, dense_units=self.dense_units)
        at_least(2, bins=self.bins)
        at_least(1, per_rank_target_network_update_freq=self.per_rank_target_network_update_freq)
        at_least(0, clip_gradients=self.clip_gradients, slow_regularizer=self.slow_regularizer, outscale=self.outscale)
        above(0, lr_factor=self.lr_factor)
        if not 0.0 < self.tau <= 1.0:
            raise ConfigError("tau", f"must be in (0, 1], got {self.tau}")


def _check_betas(betas: tuple[float, float]) -> None:
    for beta in betas:
        within(0, 1, betas=beta)
