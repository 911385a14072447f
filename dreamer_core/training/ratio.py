"""How many updates are due: so many per environment step, never in a burst, never forgotten."""

from typing import Any


class Ratio:
    """Called with the steps taken since learning began; gives the updates to do now.

    Without the cap it is sheeprl's sequence, number for number. Several ranks give it the steps of all of them, divided
    by their number.
    """

    def __init__(self, ratio: float, pretrain_steps: int, max_per_tick: int) -> None:
        assert ratio >= 0, ratio
        assert pretrain_steps >= 0, pretrain_steps
        assert max_per_tick >= 1, max_per_tick
        self.ratio = ratio
        self.pretrain_steps = pretrain_steps
        self.max_per_tick = max_per_tick
        self.backlog = 0  # updates that are due but did not fit into a tick
        self.updates = 0  # given out so far
        self._origin = 0.0  # the step from which updates are owed
        self._paid = 0.0  # the step up to which they are counted as due; it lags by the fraction of an update
        self._step: float | None = None  # the step of the last call
        self.rate = ratio  # of the last call

    def __call__(self, step: float, scale: float = 1.0) -> int:
        """`scale`: the share of the ratio that holds for the steps since the last call."""
        assert self._step is None or step >= self._step, f"steps went back from {self._step} to {step}"
        self.rate = self.ratio * scale
        self.backlog += self._first_due(step) if self._step is None else self._newly_due(step)
        self._step = step
        now = min(self.backlog, self.max_per_tick)
        self.backlog -= now
        self.updates += now
        return now

    def start_from(self, step: float) -> None:
        """Owe nothing for the steps before `step`: for going on where no saved state says what was done."""
        self.backlog = self.updates = 0
        self._origin = self._paid = self._step = step

    @property
    def actual(self) -> float:
        """Updates per step since learning began. Below `ratio` by what the backlog holds."""
        steps = (self._step or 0.0) - self._origin
        return self.updates / steps if steps > 0 else 0.0

    def state(self) -> dict[str, Any]:
        return {
            "backlog": self.backlog,
            "updates": self.updates,
            "origin": self._origin,
            "paid": self._paid,
            "step": self._step,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.backlog, self.updates = state["backlog"], state["updates"]
        self._origin, self._paid, self._step = state["origin"], state["paid"], state["step"]

    def _first_due(self, step: float) -> int:
        """The first call settles all steps before it: each once, or only `pretrain_steps` of them when that is set."""
        owed = min(self.pretrain_steps, step) if self.pretrain_steps else step
        self._origin, self._paid = step - owed, step
        return int(owed * self.rate)

    def _newly_due(self, step: float) -> int:
        if self.rate == 0:
            self._paid = step
            return 0
        due = int((step - self._paid) * self.rate)
        self._paid += due / self.rate  # not `step`: the fraction that is left over counts towards the next update
        return due
