"""The watch over a training run: alarms when it goes wrong, the best so far, and when it is good enough."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dreamer_core.config.tree import Config, TrainConfig
from dreamer_core.training.signs import (
    ActionCollapse,
    ActorLossRise,
    BacklogGrowing,
    CriticSaturation,
    KlSpike,
    NoActorUpdates,
    Reading,
    Record,
    ReplayRatioDrift,
    Sign,
)


@dataclass(frozen=True)
class Event:
    """An alarm that begins (`kind`) or ends (`kind` with `_over`)."""

    kind: str
    env_steps: int
    train_steps: int
    message: str
    facts: dict[str, float] = field(default_factory=dict)


@dataclass
class EvalGap(Sign):
    """The policy was much better than it is now. Reads evaluations: {"score": ..., "step": ...}."""

    kind = "eval_gap"
    settle = 1  # evaluations are few, and each is already a mean over a cohort
    # Of what was gained since the first evaluation, or of the best itself, whichever is more: a peer's run that fell
    # from 500 to 323 on CartPole must be seen (0.35), the noise of one cohort must not (about 0.1).
    SHARE = 1 / 3

    first: float | None = None
    best: float | None = None
    best_step: float = 0

    def read(self, record: Record) -> Reading | None:
        score = record["score"]
        self.first = score if self.first is None else self.first
        if self.best is None or score > self.best:
            self.best, self.best_step = score, record["step"]
        gap = self.best - score
        is_on = gap > self.SHARE * max(self.best - self.first, abs(self.best))
        message = f"evaluation gives {score:.4g}; the best was {self.best:.4g} at step {self.best_step:.0f}"
        return Reading(is_on, message, {"latest": score, "best": self.best, "best_step": self.best_step})


class Watch:
    """Tells of each alarm once when it begins and once when it ends. `config` says what the run is meant to train."""

    def __init__(self, config: Config | None = None) -> None:
        config = config or Config()
        actor = NoActorUpdates(
            is_trained=config.mode in ("train", "dreamer"),
            warmup=config.train.actor_warmup_updates if config.mode == "train" else 0,
            gap=_longest_gap(config.train),
        )
        self.eval_gap = EvalGap()
        self.signs: list[Sign] = [
            KlSpike(),
            ActorLossRise(),
            CriticSaturation(),
            ActionCollapse(),
            actor,
            BacklogGrowing(),
            ReplayRatioDrift(),
        ]
        self.active: dict[str, int] = {}  # kind of alarm -> readings in a row that no longer show it
        self.env_steps = self.train_steps = 0

    def on_record(self, record: Mapping[str, Any]) -> list[Event]:
        """Values that are missing, no numbers or not finite say nothing: neither alarm nor all-clear."""
        numbers = {key: value for key, value in record.items() if _is_finite(value)}
        self.env_steps = int(numbers.get("env_steps", self.env_steps))
        self.train_steps = int(numbers.get("train_steps", self.train_steps))
        return [event for sign in self.signs for event in self._judge(sign, sign.read(numbers))]

    def on_eval(self, step: int, mean_return: float) -> list[Event]:
        self.env_steps = step
        if not _is_finite(mean_return):
            return []
        return self._judge(self.eval_gap, self.eval_gap.read({"score": mean_return, "step": step}))

    def state(self) -> dict[str, Any]:
        signs = {sign.kind: sign.state() for sign in (*self.signs, self.eval_gap)}
        return {
            "signs": signs,
            "active": dict(self.active),
            "env_steps": self.env_steps,
            "train_steps": self.train_steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        for sign in (*self.signs, self.eval_gap):
            sign.restore(state["signs"][sign.kind])
        self.active = dict(state["active"])
        self.env_steps, self.train_steps = state["env_steps"], state["train_steps"]

    def _judge(self, sign: Sign, reading: Reading | None) -> list[Event]:
        if reading is None:
            return []
        if reading.is_on:
            is_new = sign.kind not in self.active
            self.active[sign.kind] = 0
            return [self._event(sign.kind, reading)] if is_new else []
        if sign.kind not in self.active:
            return []
        self.active[sign.kind] += 1
        if self.active[sign.kind] < sign.settle:
            return []
        del self.active[sign.kind]
        return [self._event(f"{sign.kind}_over", reading)]

    def _event(self, kind: str, reading: Reading) -> Event:
        return Event(kind, self.env_steps, self.train_steps, reading.message, reading.facts)


class Best:
    """The best evaluation. A tie keeps the earlier one: it is no gain, and a best that moves cannot be compared."""

    def __init__(self) -> None:
        self.current: tuple[float, int] | None = None  # score, environment step

    def offer(self, score: float, step: int) -> bool:
        """Whether this is the best so far."""
        is_better = math.isfinite(score) and (self.current is None or score > self.current[0])
        if is_better:
            self.current = (score, step)
        return is_better

    def state(self) -> dict[str, Any]:
        return {"current": None if self.current is None else list(self.current)}

    def restore(self, state: dict[str, Any]) -> None:
        current = state["current"]
        self.current = None if current is None else (current[0], current[1])


class EarlyStop:
    """Enough is `passes` evaluations in a row at `level` or above: one good evaluation may be luck. 0 passes: never."""

    def __init__(self, passes: int, level: float | None) -> None:
        assert passes == 0 or level is not None, "passes need a level to pass"
        self.passes = passes
        self.level = math.inf if level is None else level
        self.streak = 0

    def offer(self, score: float) -> bool:
        """Whether it is time to stop."""
        self.streak = self.streak + 1 if score >= self.level else 0  # a NaN is no pass
        return 0 < self.passes <= self.streak

    def state(self) -> dict[str, Any]:
        return {"streak": self.streak}

    def restore(self, state: dict[str, Any]) -> None:
        self.streak = state["streak"]


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _longest_gap(config: TrainConfig) -> int:
    """The most updates from one of the actor to the next that the schedule allows."""
    ratio = config.wm_ac_ratio_max if config.wm_ac_ratio_cosine else config.wm_ac_ratio
    return max(ratio, config.surprise.wm_focus_ratio if config.surprise.wm_focus else 1)
