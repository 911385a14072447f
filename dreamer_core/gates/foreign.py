"""Benchmarks of other tools as a seed group: pytest-benchmark's JSON and the Bencher Metric Format."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dreamer_core.gates.group import Facts, RunNumbers, SeedGroup
from dreamer_core.gates.records import as_number
from dreamer_core.gates.series import Series
from dreamer_core.metrics.names import Direction

# Measures of the Bencher Metric Format that are better high; all others are times, sizes or counts.
_BETTER_HIGH = ("throughput", "accuracy", "score")
# What of pytest-benchmark's machine decides about speed.
_MACHINE = ("node", "machine", "system", "python_version")


def foreign_group(tree: Mapping[str, Any], name: str) -> SeedGroup | None:
    """None if it is of neither format."""
    if _is_pytest_benchmark(tree):
        return _pytest_benchmark(tree, name)
    return _bencher(tree, name) if _is_bencher(tree) else None


def _is_pytest_benchmark(tree: Mapping[str, Any]) -> bool:
    listed = tree.get("benchmarks")
    return isinstance(listed, list) and all(
        isinstance(one, Mapping) and isinstance(one.get("stats"), Mapping) for one in listed
    )


def _is_bencher(tree: Mapping[str, Any]) -> bool:
    """Benchmarks of measures of values, and at least one of each."""
    measures = [measure for measures in tree.values() if isinstance(measures, Mapping) for measure in measures.values()]
    is_nested = bool(tree) and all(isinstance(measures, Mapping) and measures for measures in tree.values())
    return is_nested and all(isinstance(measure, Mapping) and "value" in measure for measure in measures)


def _pytest_benchmark(tree: Mapping[str, Any], name: str) -> SeedGroup:
    """Each benchmark is a metric in seconds: its rounds where they were saved, else its median."""
    series: dict[str, Series] = {}
    directions: dict[str, Direction] = {}
    for one in tree["benchmarks"]:
        key = str(one.get("fullname") or one.get("name"))
        saved = one["stats"].get("data")
        rounds = saved if isinstance(saved, list) and saved else [one["stats"].get("median")]
        numbers = [number for value in rounds if (number := as_number(value)) is not None]
        if numbers:
            series[key], directions[key] = _series(numbers), "lower"
    machine, commit = _section(tree, "machine_info"), _section(tree, "commit_info")
    testbed = {part: str(machine[part]) for part in _MACHINE if part in machine}
    if cpu := _section(machine, "cpu").get("brand_raw"):
        testbed["cpu"] = str(cpu)
    is_dirty = commit["dirty"] if isinstance(commit.get("dirty"), bool) else None
    facts = Facts(testbed=testbed, commit=str(commit.get("id") or ""), dirty=is_dirty)
    return _group(name, series, directions, facts)


def _bencher(tree: Mapping[str, Any], name: str) -> SeedGroup:
    """Each measure of each benchmark is a metric called `benchmark/measure`."""
    series: dict[str, Series] = {}
    directions: dict[str, Direction] = {}
    for benchmark, measures in tree.items():
        for measure, found in measures.items():
            number = as_number(found["value"])
            if number is not None:
                key = f"{benchmark}/{measure}"
                series[key] = _series([number])
                directions[key] = "higher" if measure.lower() in _BETTER_HIGH else "lower"
    return _group(name, series, directions, Facts())


def _group(name: str, series: Mapping[str, Series], directions: Mapping[str, Direction], facts: Facts) -> SeedGroup:
    longest = max((len(one) for one in series.values()), default=0)
    run = RunNumbers(name=name, series=series, record_steps=np.full(longest, np.nan), facts=facts)
    return SeedGroup(runs=(run,), input_kind="json", directions=directions, speed_keys=frozenset(series))


def _section(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Empty where there is none."""
    found = tree.get(key)
    return found if isinstance(found, Mapping) else {}


def _series(numbers: list[float]) -> Series:
    count = len(numbers)
    return Series(steps=np.full(count, np.nan), values=np.array(numbers), records=np.arange(count))
