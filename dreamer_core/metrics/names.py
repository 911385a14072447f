"""Every metric by name: what it means, which way is better, and its unit.

Direction `info` is for numbers that are neither better high nor low: a gate on one is two-sided, or about its trend.
"""

from dataclasses import dataclass
from typing import Literal

Direction = Literal["lower", "higher", "info"]


@dataclass(frozen=True)
class Metric:
    meaning: str
    direction: Direction
    unit: str = ""  # empty: a plain number


IDENTITY = {
    "run_id": "the run's folder",
    "trace_id": "the same in everything that this run writes",
    "schema_version": "of the record",
}

_WORLD_MODEL = {
    "Loss/world_model_loss": Metric("all losses of the world model together", "lower", "nat"),
    "Loss/observation_loss": Metric("reconstruction of the observations", "lower", "nat"),
    "Loss/reward_loss": Metric("prediction of the reward", "lower", "nat"),
    "Loss/state_loss": Metric(
        "KL between posterior and prior, balanced, weighted, above the free nats", "lower", "nat"
    ),
    "Loss/continue_loss": Metric("prediction of whether the episode goes on", "lower", "nat"),
    "State/kl": Metric("KL from posterior to prior, summed over the latent variables", "info", "nat"),
    "State/kl_clamped": Metric("the same, each moment counted as the free nats at least", "info", "nat"),
    "State/kl_below_free_nats": Metric("share of moments whose KL is below the free nats", "info", "share"),
    "State/post_entropy": Metric("entropy of the posterior", "info", "nat"),
    "State/prior_entropy": Metric("entropy of the prior", "info", "nat"),
}

_BEHAVIOR = {
    "Loss/policy_loss": Metric("loss of the actor", "info"),
    "Loss/value_loss": Metric("loss of the critic on dreams", "lower", "nat"),
    "Loss/replay_value_loss": Metric("nature: loss of the critic on what really came", "lower", "nat"),
    "action_entropy": Metric("entropy of the policy in dreams, summed over its heads", "info", "nat"),
    "action_top_fraction": Metric("largest share that one choice of one head has of all actions", "info", "share"),
    "value_mean": Metric("mean of the values in dreams", "info", "return"),
    "value_std": Metric("standard deviation of the values in dreams", "info", "return"),
    "return_mean": Metric("mean of the lambda returns in dreams", "info", "return"),
    "adv_mean": Metric("mean of the normalized advantages", "info"),
    "adv_std": Metric("standard deviation of the normalized advantages", "info"),
    "ret_p05": Metric("running low percentile of the returns", "info", "return"),
    "ret_p95": Metric("running high percentile of the returns", "info", "return"),
    "ret_scale": Metric("what advantages are divided by: the range of the returns, never below its floor", "info"),
}

_GRADIENTS = {
    "Grads/world_model": Metric("gradient norm of the world model before clipping", "info"),
    "Grads/actor": Metric("gradient norm of the actor before clipping", "info"),
    "Grads/critic": Metric("gradient norm of the critic before clipping", "info"),
    "Grads/agent": Metric("nature: gradient norm of all that its one optimizer trains", "info"),
}

_PROGRESS = {
    "env_steps": Metric("environment steps so far, over all environments and ranks", "info", "steps"),
    "train_steps": Metric("optimizer updates so far", "info", "updates"),
    "opt_steps": Metric("the same as train_steps, under its older name", "info", "updates"),
    "wall_time_s": Metric("time spent acting and learning so far", "info", "s"),
    "cpu_time_s": Metric("processor time of that, of all threads of the first rank", "info", "s"),
    "updates": Metric("updates since the last record", "info", "updates"),
    "actor_updates": Metric("updates since the last record that trained the actor", "info", "updates"),
}

_REPLAY = {
    "replay_ratio": Metric("updates per environment step since the last record", "info", "updates/step"),
    "replay_ratio_actual": Metric("updates per environment step since learning began", "info", "updates/step"),
    "replay_ratio_target": Metric("updates per environment step as asked for", "info", "updates/step"),
    "update_backlog": Metric("updates that are due but were put off", "lower", "updates"),
    "replay_size": Metric("rows in replay", "info", "rows"),
    "committed_t": Metric("rows of each environment that may be sampled, counted from the first", "info", "rows"),
    "commit_stride": Metric("rows that become readable together", "info", "rows"),
    "ready_steps": Metric("rows of each environment that may be sampled now", "info", "rows"),
    "min_ready_steps": Metric("rows of each environment that sampling needs", "info", "rows"),
    "seq_len": Metric("rows of a training sequence", "info", "rows"),
}

_SPEED = {
    "sps": Metric("environment steps per second", "higher", "steps/s"),
    "train_sps": Metric("updates per second of learning", "higher", "updates/s"),
    "actor_ms": Metric("time spent acting since the last record", "lower", "ms"),
    "learner_ms": Metric("time spent learning since the last record", "lower", "ms"),
    "total_ms": Metric("time since the last record", "lower", "ms"),
    "overlap_eff": Metric("acting and learning time over total time; above 1 they overlap", "higher"),
}

_BENCH = {
    "bench/updates_per_s": Metric("updates per second, acting included", "higher", "updates/s"),
    "bench/collect_share": Metric("share of the time spent acting", "info", "share"),
    "bench/peak_memory_mib": Metric("most memory that was in use", "lower", "MiB"),
    **{
        f"bench/{phase}_ms_{share}": Metric(f"time of one {what}, {words}", "lower", "ms")
        for phase, what in {
            "collect": "collection",
            "sample": "sampling",
            "forward": "forward pass",
            "backward": "backward pass",
            "optimizer": "optimizer step",
        }.items()
        for share, words in {"p50": "median", "p95": "95th percentile"}.items()
    },
}

_SCHEDULE = {
    "train.wm_ac_ratio": Metric("world-model updates per update of the actor and critic", "info"),
    "train.lr_scale": Metric("share of the learning rate that the schedule leaves", "info", "share"),
    "train.replay_ratio_scale": Metric("share of the replay ratio that the schedule leaves", "info", "share"),
    "wm.surprise.ready": Metric("1 once there is an average to be surprised against", "info"),
    "wm.surprise.smoothed": Metric("the largest recent total_log_ratio, fading", "info"),
    "wm.surprise.total_log_ratio": Metric("log ratio of the world-model loss to its average", "info"),
    "wm.surprise.max_component_log_ratio": Metric("the largest of the log ratios of its parts", "info"),
    "wm.surprise.reward_log_ratio": Metric("log ratio of the reward loss to its average", "info"),
    "wm.surprise.continue_log_ratio": Metric("log ratio of the continue loss to its average", "info"),
    "wm.surprise.observation_log_ratio": Metric("log ratio of the observation loss to its average", "info"),
    "wm.surprise.kl_dyn_log_ratio": Metric("log ratio of the KL that trains the prior to its average", "info"),
    "wm.surprise.kl_rep_log_ratio": Metric("log ratio of the KL that trains the posterior to its average", "info"),
    "ac.lr_scale": Metric("share of the actor's and critic's learning rate that surprise leaves", "info", "share"),
    "ac.wm_focus_active": Metric("1 while the world model has precedence", "info"),
    "ac.wm_focus_cooldown": Metric("updates until it may have precedence again", "info", "updates"),
}

_EPISODES = {
    "Rewards/rew_avg": Metric("mean return of the episodes that ended", "higher", "return"),
    "Game/ep_len_avg": Metric("mean length of the episodes that ended", "info", "steps"),
    "episodes": Metric("episodes that ended", "info", "episodes"),
}

_EVAL = {
    "eval/mean_return": Metric("mean return on the fixed cohort", "higher", "return"),
    "eval/return_std": Metric("standard deviation of the returns on the fixed cohort", "info", "return"),
    "eval/return_min": Metric("worst return on the fixed cohort", "higher", "return"),
    "eval/return_max": Metric("best return on the fixed cohort", "higher", "return"),
    "eval/success_rate": Metric("share of the cohort's episodes that succeeded", "higher", "share"),
    "eval/ep_len_avg": Metric("mean length of the cohort's episodes", "info", "steps"),
}

# In the summary of an evaluation, which is a file of its own and uses the names of existing ones.
_EVAL_SUMMARY = {
    "mean_return": Metric("mean return", "higher", "return"),
    "successes": Metric("episodes that succeeded", "higher", "episodes"),
    "success_rate": Metric("share of episodes that succeeded", "higher", "share"),
    "median_steps_to_goal": Metric("lower median length of the episodes that succeeded", "lower", "steps"),
    "steps_p50_success": Metric("the same as median_steps_to_goal", "lower", "steps"),
    "return_mean_success": Metric("mean return of the episodes that succeeded", "higher", "return"),
    "return_mean_fail": Metric("mean return of the episodes that did not", "higher", "return"),
    "dist_at_end_p50": Metric("lower median distance to the goal at the end", "lower"),
    "return_std": Metric("standard deviation of the returns", "info", "return"),
    "return_min": Metric("worst return", "higher", "return"),
    "return_max": Metric("best return", "higher", "return"),
}

METRICS: dict[str, Metric] = {
    **_WORLD_MODEL,
    **_BEHAVIOR,
    **_GRADIENTS,
    **_PROGRESS,
    **_REPLAY,
    **_SPEED,
    **_BENCH,
    **_SCHEDULE,
    **_EPISODES,
    **_EVAL,
    **_EVAL_SUMMARY,
}

# What a baseline is made of unless somebody says otherwise.
BASELINE_KEYS = (
    "Loss/world_model_loss",
    "Loss/observation_loss",
    "Loss/reward_loss",
    "Loss/state_loss",
    "Loss/continue_loss",
    "State/kl",
    "State/post_entropy",
    "State/prior_entropy",
    "Loss/policy_loss",
    "Loss/value_loss",
    "Grads/world_model",
    "Grads/actor",
    "Grads/critic",
    "action_entropy",
    "value_mean",
    "value_std",
    "adv_mean",
    "adv_std",
    "ret_p05",
    "ret_p95",
    "ret_scale",
    "replay_ratio",
    "replay_size",
    "ready_steps",
    "sps",
    "train_sps",
)
