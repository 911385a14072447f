"""Baselines as text: the older tool's format, byte for byte, and our own, which begins with the same fields.

`schema_version` 1 is the older format's. Ours is the same object with one more key, `dreamgate`, that holds what the
older one has no place for: runs and seeds, curves, dispersion, provenance, flags.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dreamer_core.gates.baseline import Baseline, KeyStats
from dreamer_core.gates.group import Facts
from dreamer_core.metrics.jsonsafe import dumps

SCHEMA_VERSION = 1  # of the older format, and of what ours adds
EXTRA = "dreamgate"


def to_seed_json(baseline: Baseline) -> str:
    """What the older tool writes and reads. A NaN stays bare, as it writes it."""
    return json.dumps(_seed_tree(baseline), indent=2) + "\n"


def to_json(baseline: Baseline) -> str:
    """The older format's fields first, unchanged; then ours, one line for each, so that curves do not fill pages."""
    extra = ",\n".join(f"    {json.dumps(key)}: {dumps(value)}" for key, value in _extra_tree(baseline).items())
    seed_fields = to_seed_json(baseline).removesuffix("\n}\n")
    return f'{seed_fields},\n  "{EXTRA}": {{\n{extra}\n  }}\n}}\n'


def _seed_tree(baseline: Baseline) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "created_at": baseline.created_at,
        "source": baseline.source,
        "input_kind": baseline.input_kind,
        "env_steps_min": baseline.env_steps_min,
        "env_steps_max": baseline.env_steps_max,
        "count": baseline.count,
        "keys": baseline.keys,
        "metrics": {key: stats.median for key, stats in baseline.metrics.items()},
        "missing_keys": list(baseline.missing_keys),
        "threshold_pct": baseline.threshold_pct,
        "abs_tol": baseline.abs_tol,
    }


def _extra_tree(baseline: Baseline) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "name": baseline.name,
        "version": baseline.version,
        "who": baseline.who,
        "why": baseline.why,
        "asked": asdict(baseline.asked),
        "flags": sorted(baseline.flags),
        "non_finite": dict(baseline.non_finite),
        "directions": dict(baseline.directions),
        "speed_keys": sorted(baseline.speed_keys),
        "runs": [
            {"run": run.run, "seed": run.seed, "task": run.task, "facts": _plain_facts(run.facts)}
            for run in baseline.runs
        ],
        "metrics": {key: _plain_stats(stats) for key, stats in baseline.metrics.items()},
    }


def _plain_facts(facts: Facts) -> dict[str, Any]:
    """Only what is known."""
    found = {name: getattr(facts, name) for name in Facts.__dataclass_fields__}
    return {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in found.items()
        if value is not None and (isinstance(value, bool) or value)
    }


def _plain_stats(stats: KeyStats) -> dict[str, Any]:
    return {
        "n": stats.n,
        "mad": stats.mad,
        "sd": stats.sd,
        "runs": [{"run": run.run, "median": run.median, "n": run.n} for run in stats.runs],
        "curves": [
            {
                "run": curve.run,
                "is_thinned": curve.is_thinned,
                "steps": curve.steps.tolist(),
                "values": curve.values.tolist(),
            }
            for curve in stats.curves
        ],
        "band": None if stats.band is None else {name: array.tolist() for name, array in vars(stats.band).items()},
    }
