"""Is the task solved? So say the episodes of training themselves; evaluations are not asked, they are for judging."""

from typing import Any


class Solved:
    """From so many successes in a row on, until fewer than half of the last as many are any."""

    def __init__(self, streak: int) -> None:
        """`streak`: of episodes; 0 = it is never solved."""
        self.streak = streak
        self.recent: list[bool] = []
        self.is_solved = False

    def observe(self, successes: int, failures: int) -> None:
        """What ended in one tick, of all ranks. The failures count as older, so that a streak begins after them."""
        self.recent = [*self.recent, *[False] * failures, *[True] * successes][-self.streak :] if self.streak else []
        if self.streak and len(self.recent) == self.streak:
            wins = sum(self.recent)
            self.is_solved = 2 * wins >= self.streak if self.is_solved else wins == self.streak

    def state(self) -> dict[str, Any]:
        return {"recent": list(self.recent), "is_solved": self.is_solved}

    def restore(self, state: dict[str, Any]) -> None:
        self.recent, self.is_solved = list(state["recent"]), state["is_solved"]
