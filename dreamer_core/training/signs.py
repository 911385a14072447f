"""The signs of a run going wrong, each read from one record after the other.

Records hold finite numbers only (the watch drops the rest). A sign that cannot tell from a record gives None, which
neither begins an alarm nor ends one. Times are counted in records, because that is what a person sees as points.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from statistics import median
from typing import Any, ClassVar, NamedTuple

Record = Mapping[str, float]

# How many records make a trend. The shortest preset writes 40 records, so an alarm must be possible within a quarter.
TREND = 10


class Reading(NamedTuple):
    is_on: bool
    message: str
    facts: dict[str, float]


class Sign:
    """Its fields are its memory: numbers and lists of numbers, so that a checkpoint can hold them."""

    kind: ClassVar[str]
    settle: ClassVar[int] = 3  # readings in a row without the sign until it counts as over

    def read(self, record: Record) -> Reading | None:
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        return deepcopy(vars(self))

    def restore(self, state: dict[str, Any]) -> None:
        vars(self).update(deepcopy(state))


@dataclass
class KlSpike(Sign):
    """The posterior is suddenly far from the prior: the dreams no longer are what happens."""

    kind = "kl_spike"
    # The seed's run went from 0.004 to 0.017 (4.25 times) 5,000 steps before its collapse; its noise stayed below 2.
    FACTOR: ClassVar[float] = 3.0
    # Below this a KL is as good as none, and a multiple of nothing says nothing.
    FLOOR: ClassVar[float] = 0.01
    MEMORY: ClassVar[int] = 30

    history: list[float] = field(default_factory=list)

    def read(self, record: Record) -> Reading | None:
        kl = record.get("State/kl")
        if kl is None:
            return None
        usual = median(self.history) if len(self.history) >= TREND else kl
        remember(self.history, kl, self.MEMORY)
        is_on = kl > max(self.FACTOR * usual, self.FLOOR)
        return Reading(is_on, f"KL is {kl:.4g}, usually {usual:.4g}", {"kl": kl, "usual": usual})


@dataclass
class ActorLossRise(Sign):
    """The policy loss climbs away from a level at which it had been flat."""

    kind = "actor_loss_rise"
    # How far above the flat part, in units of its own spread. A straight climb without a flat part reaches 5.
    SPREADS: ClassVar[float] = 6.0
    # The seed's healthy loss was 0.005 to 0.007, the one of the collapse 0.14 to 0.21.
    LEAST: ClassVar[float] = 0.02

    history: list[float] = field(default_factory=list)
    base: float | None = None  # while it is on: the flat level, and the level above which it stays on
    limit: float = 0.0

    def read(self, record: Record) -> Reading | None:
        loss = record.get("Loss/policy_loss")
        if loss is None:
            return None
        remember(self.history, loss, 2 * TREND)
        now = median(self.history[-TREND // 2 :])
        if self.base is None:
            self._look_for_a_climb(now)
        base, is_on = self.base, self.base is not None and now > self.limit
        if not is_on:
            self.base = None
        message = f"policy loss is {now:.4g}" if base is None else f"policy loss is {now:.4g}, was flat at {base:.4g}"
        return Reading(is_on, message, {"policy_loss": now} | ({} if base is None else {"was": base}))

    def _look_for_a_climb(self, now: float) -> None:
        if len(self.history) < 2 * TREND:
            return
        flat, middle = self.history[:TREND], self.history[TREND : -TREND // 2]
        base = median(flat)
        spread = median(abs(value - base) for value in flat)
        limit = base + max(self.SPREADS * spread, self.LEAST)
        if min(now, median(middle)) > limit:  # both halves of the last ten, so that a few bad records are not a climb
            self.base, self.limit = base, limit


@dataclass
class CriticSaturation(Sign):
    """The critic says the same whatever happens, or has run to the end of what it can say."""

    kind = "critic_saturation"
    # The seed's critic stood at 147 while the return fell from 363 to 157.
    PINNED: ClassVar[float] = 0.01  # all of the last values within this share of their size
    FLAT: ClassVar[float] = 0.01  # the spread over states has shrunk to this share of what it was
    MOVED: ClassVar[float] = 0.2  # by this share the return must have moved for a still critic to be wrong
    # The two-hot bins end at e^20, which is 5e8. Nothing that is trained here has returns near this.
    RUNAWAY: ClassVar[float] = 1e7

    values: list[float] = field(default_factory=list)
    spreads: list[float] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)

    def read(self, record: Record) -> Reading | None:
        if "Rewards/rew_avg" in record:
            remember(self.returns, record["Rewards/rew_avg"], 2 * TREND)
        value, spread = record.get("value_mean"), record.get("value_std")
        if value is None:
            return None
        remember(self.values, value, TREND)
        is_alike = self._is_pinned() or self._is_flat(spread)
        is_on = abs(value) > self.RUNAWAY or (is_alike and self._have_returns_moved())
        facts = {"value_mean": value} | ({} if spread is None else {"value_std": spread})
        return Reading(is_on, f"values average {value:.4g}, {'all alike' if is_alike else 'and move'}", facts)

    def _is_pinned(self) -> bool:
        size = max(map(abs, self.values))
        return len(self.values) == TREND and max(self.values) - min(self.values) <= self.PINNED * size

    def _is_flat(self, spread: float | None) -> bool:
        if spread is None:
            return False
        is_flat = len(self.spreads) >= TREND and spread < self.FLAT * median(self.spreads)
        if not is_flat:  # a collapsed spread must not become the usual one
            remember(self.spreads, spread, 3 * TREND)
        return is_flat

    def _have_returns_moved(self) -> bool:
        """From the first half of the memory to the second, not just from one record to the next."""
        if len(self.returns) < TREND // 2:
            return False
        half = len(self.returns) // 2
        before, after = median(self.returns[:half]), median(self.returns[half:])
        return abs(after - before) > self.MOVED * max(abs(before), abs(after))


@dataclass
class ActionCollapse(Sign):
    """The policy does one thing only, whatever it sees. Fine only where the task wants just that."""

    kind = "action_collapse"
    TOP: ClassVar[float] = 0.98  # with 1 % of uniform mixed in, the most common of two actions cannot exceed 0.995
    ENTROPY: ClassVar[float] = 0.01  # nats; of discrete policies only, since that of a density may be anything

    records: int = 0

    def read(self, record: Record) -> Reading | None:
        top, entropy = record.get("action_top_fraction"), record.get("action_entropy")
        if top is None:
            return None
        is_single = top >= self.TOP or (entropy is not None and entropy <= self.ENTROPY)
        self.records = self.records + 1 if is_single else 0
        facts = {"action_top_fraction": top} | ({} if entropy is None else {"action_entropy": entropy})
        return Reading(self.records >= TREND, f"{top:.1%} of the actions are the same one", facts)


@dataclass
class NoActorUpdates(Sign):
    """The actor should train and does not: in the seed a focus threshold of 0.02 kept it from training at all."""

    kind = "no_actor_updates"

    is_trained: bool = True
    warmup: int = 0  # updates in which it rightly does not train
    gap: int = 1  # the most updates that may rightly lie between two of its own
    records: int = 0
    updates: int = 0

    def read(self, record: Record) -> Reading | None:
        updates, of_actor = record.get("updates"), record.get("actor_updates")
        if not self.is_trained or not updates or of_actor is None:
            return None
        if record.get("train_steps", updates) - updates < self.warmup:
            return None
        self.records = 0 if of_actor else self.records + 1
        self.updates = 0 if of_actor else self.updates + int(updates)
        is_on = self.records >= TREND and self.updates >= 2 * self.gap
        message = f"none of the last {self.updates} updates trained the actor" if is_on else "the actor trains"
        return Reading(is_on, message, {"updates_without_actor": self.updates})


@dataclass
class BacklogGrowing(Sign):
    """More updates fall due than can be done: the replay ratio asked for is not the one that is trained."""

    kind = "backlog_growing"
    # One update per record in the mean: slower than that, it would take a day to matter.
    LEAST: ClassVar[int] = TREND - 1

    history: list[float] = field(default_factory=list)

    def read(self, record: Record) -> Reading | None:
        backlog = record.get("update_backlog")
        if backlog is None:
            return None
        remember(self.history, backlog, TREND)
        never_fell = len(self.history) == TREND and self.history == sorted(self.history)
        is_on = never_fell and backlog - self.history[0] >= self.LEAST
        return Reading(is_on, f"{backlog:.0f} updates are due and not done", {"update_backlog": backlog})


@dataclass
class ReplayRatioDrift(Sign):
    """The updates done per step are not what was asked for."""

    kind = "replay_ratio_drift"
    # The seed's bench flags 20 %.
    TOLERANCE: ClassVar[float] = 0.2
    # From here on a whole update more or less is 2 %, well within the tolerance.
    FROM_UPDATES: ClassVar[int] = 50
    RECORDS: ClassVar[int] = 3

    records: int = 0
    steps: float = 0.0  # since learning began
    asked: float = 0.0  # updates, over these steps: the target may fall

    def read(self, record: Record) -> Reading | None:
        actual, target = record.get("replay_ratio_actual"), self._mean_target(record)
        if actual is None or not target or record.get("train_steps", 0) < self.FROM_UPDATES:
            return None
        self.records = self.records + 1 if abs(actual - target) > self.TOLERANCE * target else 0
        facts = {"actual": actual, "target": target}
        return Reading(self.records >= self.RECORDS, f"{actual:.3g} updates per step, wanted {target:.3g}", facts)

    def _mean_target(self, record: Record) -> float | None:
        """Since learning began, as `replay_ratio_actual` is."""
        target, actual = record.get("replay_ratio_target"), record.get("replay_ratio_actual")
        if target is None or not actual:
            return target
        new = max(0.0, record.get("train_steps", 0) / actual - self.steps)
        self.steps, self.asked = self.steps + new, self.asked + new * target
        return self.asked / self.steps if self.steps else target


def remember(history: list[float], value: float, length: int) -> None:
    """Append, and forget what is older than the last `length`."""
    history.append(value)
    del history[:-length]
