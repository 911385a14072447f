"""Short ways to write down runs, groups, baselines and evidence, so that a test shows only its numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.capture import Blessing, capture
from dreamer_core.gates.check import Check
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import Facts, RunNumbers, SeedGroup
from dreamer_core.gates.records import run_from_records
from dreamer_core.gates.result import Result
from dreamer_core.gates.series import Series, Window

NAN, INF = float("nan"), float("inf")
LOSS, SCORE = "Loss/observation_loss", "eval/mean_return"
WHEN = "2026-01-02T03:04:05+00:00"


def series(*values: float, steps: Sequence[float] | None = None) -> Series:
    """One value every 100 environment steps, beginning at 100."""
    places = [100.0 * (position + 1) for position in range(len(values))] if steps is None else steps
    return Series(
        steps=np.array(places, dtype=float), values=np.array(values, dtype=float), records=np.arange(len(values))
    )


def run(
    values: Mapping[str, Sequence[float]], seed: int = 0, *, task: str = "", facts: Facts | None = None, name: str = ""
) -> RunNumbers:
    """Columns of equal length become records every 100 steps."""
    length = max((len(column) for column in values.values()), default=0)
    records = [
        {"env_steps": 100 * (row + 1), **{key: column[row] for key, column in values.items() if row < len(column)}}
        for row in range(length)
    ]
    return run_from_records(records, name=name or f"run-{seed}", seed=seed, task=task, facts=facts)


def group(*columns: Sequence[float], key: str = SCORE, **facts: Any) -> SeedGroup:
    """One run for each column, seeds 0, 1, 2 ..."""
    return SeedGroup(runs=tuple(run({key: column}, seed, facts=Facts(**facts)) for seed, column in enumerate(columns)))


def summary(**values: float) -> SeedGroup:
    return SeedGroup(runs=(run_from_records([values], name="summary", seed=0),), input_kind="json")


def baseline(group: SeedGroup, *, keys: Sequence[str] = (), window: Window | None = None, **said: Any) -> Baseline:
    blessing = Blessing(created_at=WHEN, source="blessed", name="blessed", window=window or Window(), **said)
    wanted = keys or [key for key in group.keys if key != "env_steps"]
    return capture(group, wanted, blessing)


def flat(*levels: float, length: int = 4) -> list[list[float]]:
    """One constant column for each level."""
    return [[level] * length for level in levels]


def judge(check: Check, candidate: SeedGroup, before: Baseline | None = None, **more: Any) -> Result:
    """The one result of a check."""
    [result] = check.judge(Evidence(candidate=candidate, baseline=before, **more))
    return result
