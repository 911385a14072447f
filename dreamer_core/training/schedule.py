"""What each update trains, how fast, and how often there is one: warm-up, shares, learning rates, ratio, surprise.

Every counter ticks once per optimizer update. (A ratio that ticks once per time step of the batch, as one known
implementation did, is no ratio at all: its last tick of every update is always the same one.)
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dreamer_core.config.tree import Mode, TrainConfig
from dreamer_core.training.learner import Plan
from dreamer_core.training.surprise import Surprise


class Controller:
    """`plan` before each update, `observe` after it where `needs_losses`.

    With several ranks, all must observe the same losses (their mean), or their plans part and the ranks wait for each
    other for ever.
    """

    def __init__(self, config: TrainConfig, mode: Mode) -> None:
        self.config = config
        self.trains_actor = mode in ("train", "dreamer")
        # A frozen world model leaves nothing else to train: neither warm-up nor ratio nor focus may skip the actor.
        self.is_frozen = mode == "dreamer" and config.freeze_world_model
        # In mode `dreamer` the world model comes trained.
        self.warmup = config.actor_warmup_updates if mode == "train" else 0
        focus = config.surprise.wm_focus and not self.is_frozen
        self.surprise = Surprise(replace(config.surprise, wm_focus=focus))
        self.since_actor = 0  # updates since the actor and critic were last trained
        self.last_update = -1

    @property
    def needs_losses(self) -> bool:
        """Reading losses waits for the device, so ask for them only if something is done with them."""
        return self.config.surprise.enabled

    @property
    def metrics(self) -> dict[str, float]:
        """For the record: what is switched on."""
        config = self.config
        update = max(self.last_update, 0)
        metrics = self.surprise.metrics if config.surprise.enabled else {}
        if config.wm_ac_ratio_cosine:
            metrics["train.wm_ac_ratio"] = float(self.ratio(update))
        if config.lr_cosine_decay:
            metrics["train.lr_scale"] = self.lr_scale(update)
        if config.replay_ratio_cosine_decay:
            metrics["train.replay_ratio_scale"] = self.replay_ratio_scale(update)
        return metrics

    def plan(self, update: int) -> Plan:
        """Exactly once per update; `update` counts from 0."""
        assert update > self.last_update, f"update {update} was planned already; the last one was {self.last_update}"
        self.last_update = update
        if update == self.warmup:
            # The falling losses of the warm-up are no yardstick for what follows.
            self.surprise = Surprise(self.surprise.config)
        return Plan(
            world_model=not self.is_frozen,
            actor_critic=self._is_actors_turn(update),
            lr_scale=self.lr_scale(update),
            ac_lr_scale=self.surprise.ac_lr_scale,
        )

    def observe(self, losses: Mapping[str, float]) -> None:
        """The losses of the update just done, by their metric names."""
        self.surprise.observe(losses)

    def ratio(self, update: int) -> int:
        """World-model updates per update of the actor and critic, at this update."""
        config = self.config
        ratio = config.wm_ac_ratio
        if config.wm_ac_ratio_cosine:
            ends = (config.wm_ac_ratio_max, config.wm_ac_ratio_min)
            first, last = reversed(ends) if config.wm_ac_ratio_invert else ends
            ratio = math.floor(_cosine(first, last, (update - self.warmup) / config.schedule_updates) + 0.5)
        return max(ratio, config.surprise.wm_focus_ratio) if self.surprise.is_focusing else ratio

    def lr_scale(self, update: int) -> float:
        if not self.config.lr_cosine_decay:
            return 1.0
        return _cosine(1.0, self.config.lr_cosine_min_factor, update / self.config.schedule_updates)

    def replay_ratio_scale(self, update: int) -> float:
        if not self.config.replay_ratio_cosine_decay:
            return 1.0
        return _cosine(1.0, self.config.replay_ratio_cosine_min_factor, update / self.config.schedule_updates)

    def state(self) -> dict[str, Any]:
        return {
            "last_update": self.last_update,
            "since_actor": self.since_actor,
            "surprise": self.surprise.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.last_update, self.since_actor = state["last_update"], state["since_actor"]
        self.surprise.restore(state["surprise"])

    def _is_actors_turn(self, update: int) -> bool:
        if not self.trains_actor or update < self.warmup:
            return False
        self.since_actor += 1
        if not self.is_frozen and self.since_actor < self.ratio(update):
            return False
        self.since_actor = 0
        return True


def _cosine(first: float, last: float, progress: float) -> float:
    """From `first` to `last` along half a cosine, and `last` from then on."""
    share = 0.5 * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))
    return last + (first - last) * share
