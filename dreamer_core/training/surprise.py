"""Surprise: is the world model suddenly worse than it was, and what the actor and critic do about it.

Everything here ticks once per optimizer update, in `observe`: the averages, the smoothed surprise, the focus and its
cooldown. What is observed after one update acts on the next.
"""

import math
from collections.abc import Mapping
from typing import Any

from dreamer_core.config.tree import SurpriseConfig

# Component -> the loss it is read from. The two KLs are equal in value and differ only in where their gradient goes.
COMPONENTS = {
    "reward": "Loss/reward_loss",
    "continue": "Loss/continue_loss",
    "observation": "Loss/observation_loss",
    "kl_dyn": "State/kl",
    "kl_rep": "State/kl",
}
TOTAL = "Loss/world_model_loss"

# Keeps the logarithm of a loss of 0 finite.
_TINY = 1e-8
# A surprise fades by a tenth per update: half of it is gone after seven.
_FADE = 0.9


class Surprise:
    def __init__(self, config: SurpriseConfig) -> None:
        self.config = config
        self.averages: dict[str, float] = {}  # of the total and of each component
        self.log_ratios: dict[str, float] = {}  # of the last update; only what could be measured
        self.smoothed = 0.0
        self.focus_left = 0  # updates
        self.cooldown_left = 0  # updates

    @property
    def is_ready(self) -> bool:
        """Whether there is an average to be surprised against."""
        return "total" in self.averages

    @property
    def is_focusing(self) -> bool:
        """Whether the world model has precedence: the actor and critic train only now and then."""
        return self.focus_left > 0

    @property
    def ac_lr_scale(self) -> float:
        return 1.0 / (1.0 + self.config.lr_scale_k * self.smoothed) if self.config.scale_ac_lr else 1.0

    @property
    def metrics(self) -> dict[str, float]:
        components = [value for name, value in self.log_ratios.items() if name != "total"]
        worst = {"max_component_log_ratio": max(components)} if components else {}
        ratios = {f"{name}_log_ratio": value for name, value in self.log_ratios.items()}
        surprise = {"ready": float(self.is_ready), "smoothed": self.smoothed, **worst, **ratios}
        return {
            **{f"wm.surprise.{name}": value for name, value in surprise.items()},
            "ac.lr_scale": self.ac_lr_scale,
            "ac.wm_focus_active": float(self.is_focusing),
            "ac.wm_focus_cooldown": float(self.cooldown_left),
        }

    def observe(self, losses: Mapping[str, float]) -> None:
        """Take in the losses of one update, by their metric names."""
        named = {"total": TOTAL, **COMPONENTS}
        measured = {name: self._compare(name, losses[key]) for name, key in named.items() if key in losses}
        self.log_ratios = {name: value for name, value in measured.items() if value is not None}
        total = self.log_ratios.get("total", 0.0)
        self.smoothed = max(_FADE * self.smoothed, total)
        self._advance_focus(is_surprised=total > self.config.wm_focus_threshold)

    def state(self) -> dict[str, Any]:
        return {
            "averages": dict(self.averages),
            "log_ratios": dict(self.log_ratios),
            "smoothed": self.smoothed,
            "focus_left": self.focus_left,
            "cooldown_left": self.cooldown_left,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.averages, self.log_ratios = dict(state["averages"]), dict(state["log_ratios"])
        self.smoothed = state["smoothed"]
        self.focus_left, self.cooldown_left = state["focus_left"], state["cooldown_left"]

    def _compare(self, name: str, loss: float) -> float | None:
        """ln(loss / average), before the loss joins the average. None if the loss is no number."""
        if not math.isfinite(loss):
            return None  # one NaN would stay in the average for ever
        loss = max(loss, 0.0)
        average = self.averages.get(name, loss)
        beta = self.config.ema_beta
        self.averages[name] = beta * average + (1 - beta) * loss
        return math.log((loss + _TINY) / (average + _TINY))

    def _advance_focus(self, *, is_surprised: bool) -> None:
        """`wm_focus_duration` updates of focus, then `wm_focus_cooldown` updates that no surprise can interrupt."""
        config = self.config
        if self.focus_left:
            self.focus_left -= 1
            if not self.focus_left:
                self.cooldown_left = config.wm_focus_cooldown
        elif self.cooldown_left:
            self.cooldown_left -= 1
        if config.wm_focus and is_surprised and not (self.focus_left or self.cooldown_left):
            self.focus_left = config.wm_focus_duration
