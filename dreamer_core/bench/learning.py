"""How soon a preset learns a task, and whether it keeps it: from a seed's evaluations to a row of a table. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCORE = "eval/mean_return"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Solved soon and cheaply, and then never forgotten."""

    level: float  # of the mean return
    by_env_steps: int
    cpu_s: float
    keep_env_steps: int  # from then on, the evaluations reach the level again
    every: int = 2500  # namely those at the multiples of this
    floor: float  # and the few that miss it not even this
    misses: int = 1

    def __str__(self) -> str:
        return (
            f"at least {self.level:g} within {self.by_env_steps:,} environment steps and {self.cpu_s / 60:g} "
            f"CPU-minutes, and every {self.every:,} of the next {self.keep_env_steps:,} steps, but for {self.misses} "
            f"a run that is not below {self.floor:g}"
        )


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    env_steps: int
    updates: int
    cpu_s: float
    score: float


@dataclass(frozen=True, kw_only=True)
class Learned:
    """One seed."""

    seed: int
    solved: Evaluation | None  # the first that reached the level
    after: tuple[Evaluation, ...]  # that evaluation and those by which it is judged whether it was kept
    seen: tuple[Evaluation, ...]  # all of them
    error: str = ""

    def missed(self, goal: Goal) -> int:
        return sum(one.score < goal.level for one in self.after)

    @property
    def worst(self) -> float | None:
        return min((one.score for one in self.after), default=None)

    def is_soon(self, goal: Goal) -> bool:
        found = self.solved
        return found is not None and found.env_steps <= goal.by_env_steps and found.cpu_s <= goal.cpu_s

    def is_kept(self, goal: Goal) -> bool | None:
        """None: the run ended before it could be known."""
        if self.solved is None or self.worst is None:
            return None
        if self.missed(goal) > goal.misses or self.worst < goal.floor:
            return False
        return True if self.seen[-1].env_steps >= self.solved.env_steps + goal.keep_env_steps else None


def evaluations(records: Iterable[Mapping[str, Any]], look: int) -> list[Evaluation]:
    """Of a run's metrics, one every `look` steps or a multiple of it.

    The environments step together, so one that is due at 2,500 may come at 2,503.
    """
    return [
        Evaluation(
            env_steps=int(record["env_steps"]) // look * look,
            updates=int(record["train_steps"]),
            cpu_s=float(record["cpu_time_s"]),
            score=float(record[SCORE]),
        )
        for record in records
        if SCORE in record
    ]


def learned(seed: int, found: Sequence[Evaluation], goal: Goal, error: str = "") -> Learned:
    solved = next((one for one in found if one.score >= goal.level), None)
    return Learned(seed=seed, solved=solved, after=_after(solved, found, goal), seen=tuple(found), error=error)


def _after(solved: Evaluation | None, found: Sequence[Evaluation], goal: Goal) -> tuple[Evaluation, ...]:
    if solved is None:
        return ()
    judging = range(solved.env_steps + 1, solved.env_steps + goal.keep_env_steps + 1)
    return (solved, *(one for one in found if one.env_steps in judging and one.env_steps % goal.every == 0))
