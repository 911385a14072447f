"""The whole configuration of a run: the root of the tree, and the parts that are not networks."""

from dataclasses import dataclass, field
from typing import Literal

from dreamer_core.config.checks import MAX_SEED, above, at_least, at_most, within
from dreamer_core.config.model import ActorConfig, CriticConfig, LaPropConfig, RecurrentConfig, WorldModelConfig
from dreamer_core.errors import ConfigError

Recipe = Literal["nature", "sheeprl"]
Mode = Literal["train", "bootstrap", "dreamer", "standing_still"]
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, kw_only=True)
class EnvConfig:
    id: str = "CartPole-v1"
    num_envs: int = 4
    action_repeat: int = 1
    max_episode_steps: int | None = None  # None keeps the environment's own limit
    obs: Literal["vector", "pixels"] = "vector"
    screen_size: int = 64
    grayscale: bool = False
    success_return: float | None = None  # an episode succeeds from this return on; None: when it terminates
    autoreset: Literal["next_step"] = "next_step"

    def __post_init__(self) -> None:
        at_least(1, num_envs=self.num_envs, action_repeat=self.action_repeat, screen_size=self.screen_size)
        if self.max_episode_steps is not None:
            at_least(1, max_episode_steps=self.max_episode_steps)


@dataclass(frozen=True, kw_only=True)
class PrecisionPolicy:
    model_dtype: Literal["float32"] = "float32"
    rnn_dtype: Literal["float32"] = "float32"
    autocast: bool = False  # bfloat16 matrix products; recurrent maths stays float32
    allow_tf32: bool = False
    allow_bf16: bool = False  # of float32 products and convolutions on a CPU with AMX; what they add up stays float32


@dataclass(frozen=True, kw_only=True)
class ReplayConfig:
    capacity: int = 1_000_000  # rows over all environments
    max_bytes: int = 4 * 2**30  # whichever of the two is reached first
    seq_len: int = 64  # the same as algo.per_rank_sequence_length
    batch_size: int = 16  # the same as algo.per_rank_batch_size
    commit_stride: int = 1
    safety_margin: int = 0
    online: bool = False  # nature: batches start with the newest sequences

    def __post_init__(self) -> None:
        at_least(1, capacity=self.capacity, max_bytes=self.max_bytes)
        at_least(2, seq_len=self.seq_len)
        at_least(1, batch_size=self.batch_size, commit_stride=self.commit_stride)
        at_least(0, safety_margin=self.safety_margin)


@dataclass(frozen=True, kw_only=True)
class KeysConfig:
    """Which observations are encoded and decoded. Empty means every one of that kind."""

    encoder: tuple[str, ...] = ()
    decoder: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        undecodable = set(self.decoder) - set(self.encoder)
        if self.encoder and undecodable:
            raise ConfigError("decoder", f"decodes {sorted(undecodable)}, which the encoder {self.encoder} never sees")


@dataclass(frozen=True, kw_only=True)
class LossScales:
    observation: float = 1.0
    reward: float = 1.0
    policy: float = 1.0
    value: float = 1.0
    replay_value: float = 0.3

    def __post_init__(self) -> None:
        at_least(0, observation=self.observation, reward=self.reward, policy=self.policy)
        at_least(0, value=self.value, replay_value=self.replay_value)


@dataclass(frozen=True, kw_only=True)
class AlgoConfig:
    recipe: Recipe = "sheeprl"
    total_steps: int = 5_000_000  # environment steps
    gamma: float = 0.996996996996997
    lmbda: float = 0.95
    horizon: int = 15
    imag_last: int = 0  # imagine from the last rows of each sequence only; 0 = from all of them
    replay_ratio: float = 1.0  # updates per environment step
    learning_starts: int = 1024  # environment steps before the first update
    random_prefill: bool = True  # sheeprl: act at random until then; nature plays its policy
    per_rank_pretrain_steps: int = 0
    max_updates_per_tick: int = 64
    per_rank_batch_size: int = 16
    per_rank_sequence_length: int = 64
    replay_context: int = 0  # nature: rows whose stored belief starts the sequence; 0 = start from nothing
    unimix: float = 0.01
    hafner_initialization: bool = True  # sheeprl
    dense_units: int = 1024
    mlp_layers: int = 5
    norm_eps: float = 1e-3
    cnn_keys: KeysConfig = field(default_factory=KeysConfig)
    mlp_keys: KeysConfig = field(default_factory=KeysConfig)
    loss_scales: LossScales = field(default_factory=LossScales)
    optimizer: LaPropConfig = field(default_factory=LaPropConfig)  # nature

    def __post_init__(self) -> None:
        above(0, gamma=self.gamma, norm_eps=self.norm_eps)
        at_least(0, lmbda=self.lmbda)
        at_most(1, gamma=self.gamma, lmbda=self.lmbda)
        within(0, 1, unimix=self.unimix)
        at_least(1, total_steps=self.total_steps, horizon=self.horizon, max_updates_per_tick=self.max_updates_per_tick)
        at_least(1, per_rank_batch_size=self.per_rank_batch_size)
        at_least(1, dense_units=self.dense_units, mlp_layers=self.mlp_layers)
        at_least(2, per_rank_sequence_length=self.per_rank_sequence_length)
        at_least(0, replay_ratio=self.replay_ratio, learning_starts=self.learning_starts, imag_last=self.imag_last)
        at_least(0, per_rank_pretrain_steps=self.per_rank_pretrain_steps)
        if self.replay_context not in (0, 1):
            raise ConfigError("replay_context", f"must be 0 or 1, got {self.replay_context}")


@dataclass(frozen=True, kw_only=True)
class DistributionConfig:
    """Of actions. `auto`: categorical where discrete, a bounded normal where continuous."""

    type: Literal["auto", "discrete", "scaled_normal"] = "auto"


@dataclass(frozen=True, kw_only=True)
class SurpriseConfig:
    """Reactions to a world model that is suddenly worse than it was. Measured per update; all off by default."""

    enabled: bool = False
    ema_beta: float = 0.99
    scale_ac_lr: bool = False
    lr_scale_k: float = 10.0
    wm_focus: bool = False  # train the actor and critic only once in `wm_focus_ratio` updates for a while
    wm_focus_threshold: float = 0.1
    wm_focus_ratio: int = 4
    wm_focus_duration: int = 20
    wm_focus_cooldown: int = 50

    def __post_init__(self) -> None:
        within(0, 1, ema_beta=self.ema_beta)
        at_least(0, lr_scale_k=self.lr_scale_k, wm_focus_threshold=self.wm_focus_threshold)
        at_least(1, wm_focus_ratio=self.wm_focus_ratio, wm_focus_duration=self.wm_focus_duration)
        at_least(0, wm_focus_cooldown=self.wm_focus_cooldown)
        if (self.wm_focus or self.scale_ac_lr) and not self.enabled:
            raise ConfigError("enabled", "must be true for wm_focus or scale_ac_lr to have an effect, got false")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How updates are shared out over time. Every counter ticks once per optimizer update."""

    actor_warmup_updates: int = 0  # updates of the world model alone at the start
    wm_ac_ratio: int = 1  # world-model updates per actor-critic update
    wm_ac_ratio_cosine: bool = False
    wm_ac_ratio_max: int = 8
    wm_ac_ratio_min: int = 2
    wm_ac_ratio_invert: bool = False
    lr_cosine_decay: bool = False
    lr_cosine_min_factor: float = 0.1
    replay_ratio_cosine_decay: bool = False
    replay_ratio_cosine_min_factor: float = 0.1
    schedule_updates: int = 100_000  # updates over which the cosines run
    average_share: float = 0.0  # evaluate the mean weights of about this share of the updates so far; 0 = the weights
    freeze_world_model: bool = False  # mode `dreamer`
    reset_ac: bool = True  # mode `dreamer`: start with a fresh actor and critic
    standing_still_action: int = 0
    surprise: SurpriseConfig = field(default_factory=SurpriseConfig)

    def __post_init__(self) -> None:
        at_least(0, actor_warmup_updates=self.actor_warmup_updates, standing_still_action=self.standing_still_action)
        at_least(1, wm_ac_ratio=self.wm_ac_ratio, wm_ac_ratio_min=self.wm_ac_ratio_min)
        at_least(self.wm_ac_ratio_min, wm_ac_ratio_max=self.wm_ac_ratio_max)
        at_least(1, schedule_updates=self.schedule_updates)
        at_least(0, lr_cosine_min_factor=self.lr_cosine_min_factor)
        # The cosine runs over updates: with none at its end, it would never get there.
        above(0, replay_ratio_cosine_min_factor=self.replay_ratio_cosine_min_factor)
        at_most(1, lr_cosine_min_factor=self.lr_cosine_min_factor)
        at_most(1, replay_ratio_cosine_min_factor=self.replay_ratio_cosine_min_factor)
        within(0, 1, average_share=self.average_share)


@dataclass(frozen=True, kw_only=True)
class EvalConfig:
    """Evaluation during training, always on the same cohort of environment seeds."""

    every: int = 10_000  # environment steps; 0 = never
    episodes: int = 10
    greedy: bool = True
    seed_base: int = 1_000_000
    stop_after_passes: int = 0  # stop early after this many consecutive passes; 0 = never
    pass_return: float | None = None  # the mean return that counts as a pass

    def __post_init__(self) -> None:
        at_least(0, every=self.every, seed_base=self.seed_base, stop_after_passes=self.stop_after_passes)
        at_most(MAX_SEED, seed_base=self.seed_base)
        at_least(1, episodes=self.episodes)
        if self.stop_after_passes and self.pass_return is None:
            raise ConfigError("pass_return", "is needed when stop_after_passes is set, got null")
        if self.stop_after_passes and not self.every:
            raise ConfigError("every", "must be at least 1 when stop_after_passes is set, got 0: nothing could pass")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What does not change the numbers: where, how often, how many threads."""

    log_every: int = 250  # environment steps
    checkpoint_every: int = 10_000  # environment steps; 0 = only at the end
    keep_checkpoints: int = 3
    save_replay: bool = True  # needed for exact resume
    threads: int = 1
    env_processes: int = 0  # environments step there while the learner works; 0: in the learner's own process
    tag: str = "run"

    def __post_init__(self) -> None:
        at_least(1, log_every=self.log_every, keep_checkpoints=self.keep_checkpoints, threads=self.threads)
        at_least(0, checkpoint_every=self.checkpoint_every, env_processes=self.env_processes)
        if not self.tag.replace("-", "").replace("_", "").isalnum():
            raise ConfigError("tag", f"may hold letters, digits, '-' and '_', got {self.tag!r}")


@dataclass(frozen=True, kw_only=True)
class Config:
    preset: str = "sheeprl"
    mode: Mode = "train"
    seed: int = 0
    device: Device = "auto"
    env: EnvConfig = field(default_factory=EnvConfig)
    precision: PrecisionPolicy = field(default_factory=PrecisionPolicy)
    replay: ReplayConfig = field(default_factory=ReplayConfig)
    algo: AlgoConfig = field(default_factory=AlgoConfig)
    world_model: WorldModelConfig = field(default_factory=WorldModelConfig)
    actor: ActorConfig = field(default_factory=ActorConfig)
    critic: CriticConfig = field(default_factory=CriticConfig)
    distribution: DistributionConfig = field(default_factory=DistributionConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def __post_init__(self) -> None:
        at_least(0, seed=self.seed)
        at_most(MAX_SEED, seed=self.seed)
        _check_same("replay.seq_len", self.replay.seq_len, "algo.per_rank_sequence_length", self.sequence_length)
        _check_same("replay.batch_size", self.replay.batch_size, "algo.per_rank_batch_size", self.batch_size)
        if self.algo.imag_last > self.sequence_length:
            raise ConfigError("algo.imag_last", f"must be at most {self.sequence_length}, got {self.algo.imag_last}")
        if self.run.env_processes > self.env.num_envs:
            problem = f"must be at most env.num_envs ({self.env.num_envs}), got {self.run.env_processes}"
            raise ConfigError("run.env_processes", problem)
        if self.is_nature:
            _check_blocks(self.world_model.recurrent_model)

    @property
    def is_nature(self) -> bool:
        return self.algo.recipe == "nature"

    @property
    def sequence_length(self) -> int:
        return self.algo.per_rank_sequence_length

    @property
    def batch_size(self) -> int:
        return self.algo.per_rank_batch_size


# Kept as a name because the specification calls the root so.
DreamerV3Config = Config


def _check_same(key: str, value: int, other: str, expected: int) -> None:
    if value != expected:
        raise ConfigError(key, f"must equal {other} ({expected}), got {value}; set {other} and leave {key} out")


def _check_blocks(model: RecurrentConfig) -> None:
    if model.recurrent_state_size % model.blocks:
        key = "world_model.recurrent_model.recurrent_state_size"
        raise ConfigError(key, f"must be a multiple of blocks ({model.blocks}), got {model.recurrent_state_size}")
