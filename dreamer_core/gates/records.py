"""From records as they stand in metrics.jsonl to the numbers of a run."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dreamer_core.gates.group import Facts, RunNumbers
from dreamer_core.gates.series import Floats, Series
from dreamer_core.metrics.jsonsafe import NUMBERS


def run_from_records(
    records: Sequence[Mapping[str, Any]],
    *,
    name: str,
    seed: int | None = None,
    task: str = "",
    facts: Facts | None = None,
) -> RunNumbers:
    """Records are put in the order of `env_steps`, if all of them say it, and stay as they are otherwise.

    A number may be one of the words that strict JSON has for NaN and infinities. What is no number is left out.
    """
    ordered = _in_order(records)
    steps = np.array([step_of(record) for record in ordered], dtype=np.float64)
    positions: dict[str, list[int]] = {}
    values: dict[str, list[float]] = {}
    for position, record in enumerate(ordered):
        for key, value in record.items():
            number = as_number(value)
            if number is not None:
                positions.setdefault(key, []).append(position)
                values.setdefault(key, []).append(number)
    series = {key: _series(steps, positions[key], numbers) for key, numbers in values.items()}
    return RunNumbers(name=name, series=series, record_steps=steps, seed=seed, task=task, facts=facts or Facts())


def run_from_summary(tree: Mapping[str, Any], *, name: str) -> RunNumbers:
    """One object of numbers, as evaluations and benchmarks write it; it may say itself what it is of.

    Where it has `laps`, each is a record, and its numbers count in place of those of the whole.
    """
    machine = tree.get("testbed")
    testbed = {str(key): str(value) for key, value in machine.items()} if isinstance(machine, Mapping) else {}
    seed = tree.get("seed")
    facts = Facts(
        family=str(tree.get("family", "")),
        fingerprint=str(tree.get("fingerprint", "")),
        preset=str(tree.get("preset", "")),
        recipe=str(tree.get("recipe", "")),
        testbed=testbed,
    )
    return run_from_records(_laps(tree), name=name, seed=seed if isinstance(seed, int) else None, facts=facts)


def _laps(tree: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    laps = tree.get("laps")
    if not isinstance(laps, list) or not laps or not all(isinstance(lap, Mapping) for lap in laps):
        return [tree]
    return [{**tree, **laps[0]}, *laps[1:]]


def as_number(value: Any) -> float | None:
    """True and false are no numbers, and neither is text, but for the three words."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return NUMBERS.get(value) if isinstance(value, str) else None


def step_of(record: Mapping[str, Any]) -> float:
    found = as_number(record.get("env_steps"))
    return math.nan if found is None or not math.isfinite(found) else found


def _in_order(records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    steps = [step_of(record) for record in records]
    if any(math.isnan(step) for step in steps):
        return records
    return [records[position] for position in sorted(range(len(records)), key=steps.__getitem__)]


def _series(steps: Floats, positions: list[int], numbers: list[float]) -> Series:
    records = np.array(positions, dtype=np.intp)
    # Where every record has the metric, all series share one array of steps.
    own_steps = steps if len(positions) == len(steps) else steps[records]
    return Series(steps=own_steps, values=np.array(numbers, dtype=np.float64), records=records)
