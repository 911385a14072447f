"""Reading baselines, of either format: whatever does not fit is refused with a word about what and where."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast, get_args

import numpy as np

from dreamer_core.config.parse import from_mapping
from dreamer_core.errors import ConfigError, UsageError
from dreamer_core.gates.baseline import (
    FEWEST_RECORDS,
    Band,
    Baseline,
    Curve,
    Flag,
    KeyStats,
    RunFacts,
    RunStats,
)
from dreamer_core.gates.baseline_json import EXTRA, SCHEMA_VERSION
from dreamer_core.gates.group import Facts
from dreamer_core.gates.records import as_number
from dreamer_core.gates.series import Floats, Window
from dreamer_core.metrics.names import Direction


def baseline_from_json(text: str | bytes, where: str) -> Baseline:
    """`where` is what errors call it."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is not JSON: {error}") from None
    if not isinstance(tree, dict) or "metrics" not in tree or "schema_version" not in tree:
        raise UsageError(f"{where} is not a baseline: it has no schema_version and metrics; capture one first")
    if tree["schema_version"] != SCHEMA_VERSION:
        raise UsageError(
            f"{where} has schema_version {tree['schema_version']!r}, this Dreamgate reads {SCHEMA_VERSION}"
        )
    try:
        return _baseline(tree)
    except (ArithmeticError, AttributeError, ConfigError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{where} is a damaged baseline: {type(error).__name__}: {error}") from None


def _baseline(tree: Mapping[str, Any]) -> Baseline:
    medians = {str(key): _number(value, f"metrics.{key}") for key, value in tree["metrics"].items()}
    if sorted(tree["keys"]) != sorted(medians):
        raise ValueError("keys and metrics do not name the same metrics")
    if tree["input_kind"] not in ("json", "jsonl"):
        raise ValueError(f"input_kind must be json or jsonl, got {tree['input_kind']!r}")
    low, high = (_whole_or_none(tree[name], name) for name in ("env_steps_min", "env_steps_max"))
    if low is not None and high is not None and high < low:
        raise ValueError(f"env_steps_max must be at least env_steps_min, which is {low}, got {high}")
    common = {
        "created_at": _text(tree["created_at"], "created_at"),
        "source": _text(tree["source"], "source"),
        "input_kind": tree["input_kind"],
        "env_steps_min": low,
        "env_steps_max": high,
        "count": _whole(tree["count"], "count"),
        "missing_keys": tuple(_text(key, "missing_keys") for key in tree["missing_keys"]),
        "threshold_pct": _at_least_zero(tree["threshold_pct"], "threshold_pct"),
        "abs_tol": _at_least_zero(tree["abs_tol"], "abs_tol"),
    }
    extra = tree.get(EXTRA)
    return _bare(medians, common) if extra is None else _with_extra(medians, common, extra)


def _bare(medians: Mapping[str, float], common: Mapping[str, Any]) -> Baseline:
    """The older format knows one run, and nothing about it."""
    source, count = common["source"], common["count"]
    flags = {Flag.SINGLE_SEED}
    if common["input_kind"] == "jsonl" and count < FEWEST_RECORDS:
        flags.add(Flag.SHORT_WINDOW)
    metrics = {
        key: KeyStats(median=median, n=count, runs=(RunStats(run=source, median=median, n=count),))
        for key, median in medians.items()
    }
    return Baseline(**common, metrics=metrics, flags=frozenset(flags), runs=(RunFacts(run=source),))


def _with_extra(medians: Mapping[str, float], common: Mapping[str, Any], extra: Mapping[str, Any]) -> Baseline:
    if extra["schema_version"] != SCHEMA_VERSION:
        raise ValueError(
            f"{EXTRA}.schema_version is {extra['schema_version']!r}, this Dreamgate reads {SCHEMA_VERSION}"
        )
    runs = tuple(_run(run) for run in extra["runs"])
    known = {run.run: run for run in runs}
    return Baseline(
        **common,
        metrics={key: _stats(median, extra["metrics"][key], known) for key, median in medians.items()},
        name=_text(extra["name"], "name"),
        version=_whole(extra["version"], "version"),
        who=_text(extra["who"], "who"),
        why=_text(extra["why"], "why"),
        asked=from_mapping(Window, extra["asked"], "asked"),
        flags=frozenset(Flag(flag) for flag in extra["flags"]),
        non_finite={key: _whole(bad, "non_finite") for key, bad in extra["non_finite"].items()},
        runs=runs,
        directions={key: _direction(way) for key, way in extra["directions"].items()},
        speed_keys=frozenset(_text(key, "speed_keys") for key in extra["speed_keys"]),
    )


def _run(tree: Mapping[str, Any]) -> RunFacts:
    return RunFacts(
        run=_text(tree["run"], "run"),
        seed=_whole_or_none(tree["seed"], "seed"),
        task=_text(tree["task"], "task"),
        facts=_facts(tree["facts"]),
    )


def _facts(tree: Mapping[str, Any]) -> Facts:
    facts, unknown = Facts(**tree), Facts()
    for name, value in tree.items():
        expected = bool if name == "dirty" else type(getattr(unknown, name))
        if not isinstance(value, expected):
            raise ValueError(f"facts.{name} must be {expected.__name__}, got {value!r:.80}")
    return replace(facts, testbed={part: str(value) for part, value in facts.testbed.items()})


def _stats(median: float, tree: Mapping[str, Any], known: Mapping[str, RunFacts]) -> KeyStats:
    band = tree["band"]
    return KeyStats(
        median=median,
        n=_whole(tree["n"], "n"),
        mad=_number(tree["mad"], "mad"),
        sd=None if tree["sd"] is None else _number(tree["sd"], "sd"),
        runs=tuple(_run_stats(one, known[one["run"]]) for one in tree["runs"]),
        curves=tuple(_curve(one, known[one["run"]]) for one in tree["curves"]),
        band=None if band is None else Band(**_arrays(band)),
    )


def _run_stats(tree: Mapping[str, Any], of: RunFacts) -> RunStats:
    median, n = _number(tree["median"], "median"), _whole(tree["n"], "n")
    return RunStats(run=of.run, seed=of.seed, task=of.task, median=median, n=n)


def _curve(tree: Mapping[str, Any], of: RunFacts) -> Curve:
    arrays = _arrays({name: tree[name] for name in ("steps", "values")})
    return Curve(run=of.run, is_thinned=bool(tree["is_thinned"]), **arrays)


def _arrays(lists: Mapping[str, list[Any]]) -> dict[str, Floats]:
    """All of one length, which is not zero."""
    arrays = {name: np.array([_number(value, name) for value in values]) for name, values in lists.items()}
    lengths = {len(array) for array in arrays.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"{', '.join(arrays)} must have as many values as each other, and some")
    return arrays


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where} must be text, got {value!r:.80}")
    return value


def _number(value: Any, where: str) -> float:
    found = as_number(value)
    if found is None:
        raise ValueError(f"{where} must be a number, got {value!r:.80}")
    return found


def _at_least_zero(value: Any, where: str) -> float:
    found = _number(value, where)
    if not 0 <= found < math.inf:
        raise ValueError(f"{where} must be at least 0 and finite, got {value!r:.80}")
    return found


def _whole(value: Any, where: str) -> int:
    return int(_number(value, where))


def _whole_or_none(value: Any, where: str) -> int | None:
    return None if value is None else _whole(value, where)


def _direction(word: Any) -> Direction:
    if word not in get_args(Direction):
        raise ValueError(f"a direction is lower, higher or info, got {word!r:.80}")
    return cast("Direction", word)
