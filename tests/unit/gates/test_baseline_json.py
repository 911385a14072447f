"""Baselines as text: the older format byte for byte, ours around it, and damage that is called damage."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer_core.errors import UsageError
from dreamer_core.gates.baseline import Baseline, Flag
from dreamer_core.gates.baseline_json import to_json, to_seed_json
from dreamer_core.gates.baseline_reading import baseline_from_json
from dreamer_core.gates.group import Facts, SeedGroup
from dreamer_core.gates.series import Window
from tests.unit.gates.values import LOSS, NAN, SCORE, baseline, flat, group, run

# As the older tool writes it, spaces, line end and all.
SEED_FILE = """{
  "schema_version": 1,
  "created_at": "2026-01-31T12:47:09.706377+00:00",
  "source": "runs/exit_oak_eval.json",
  "input_kind": "json",
  "env_steps_min": null,
  "env_steps_max": null,
  "count": 1,
  "keys": [
    "Game/ep_len_avg",
    "mean_return",
    "success_rate"
  ],
  "metrics": {
    "success_rate": 0.0,
    "mean_return": -1.2812143564224243,
    "Game/ep_len_avg": 128.0
  },
  "missing_keys": [
    "dist"
  ],
  "threshold_pct": 0.15,
  "abs_tol": 1e-06
}
"""


def whole() -> Baseline:
    """With something in every field."""
    facts = Facts(family="f", dirty=True, status="failed", config={"a.b": [1, None]}, testbed={"cpu": "A"})
    runs = (
        run({LOSS: [1.0, 2.0, 3.5], SCORE: [5.0, NAN, 7.0]}, 3, facts=facts),
        run({LOSS: [2.0, 2.0, 4.0], SCORE: [5.0, 6.0, 7.0]}, 4, facts=facts),
    )
    found = baseline(
        SeedGroup(runs=runs, directions={LOSS: "lower"}, speed_keys=frozenset({"x"})), window=Window(last=3)
    )
    return replace(found, name="main", version=2, who="ann", why="bütter")


def test_the_older_format_survives_byte_for_byte() -> None:
    assert to_seed_json(baseline_from_json(SEED_FILE, "x")) == SEED_FILE


def test_the_older_format_survives_being_carried_in_ours() -> None:
    ours = to_json(baseline_from_json(SEED_FILE, "x"))
    assert ours.startswith(SEED_FILE.removesuffix("\n}\n"))
    assert to_seed_json(baseline_from_json(ours, "x")) == SEED_FILE


def test_a_bare_nan_of_the_older_format_survives_too() -> None:
    broken = SEED_FILE.replace("-1.2812143564224243", "NaN")
    found = baseline_from_json(broken, "x")
    assert math.isnan(found.metrics["mean_return"].median)
    assert to_seed_json(found) == broken


def test_letters_beyond_ascii_are_written_as_the_older_tool_does() -> None:
    assert '"source": "l\\u00e4ufe"' in to_seed_json(replace(whole(), source="läufe"))


@pytest.mark.parametrize(
    ("kind", "count", "flags"),
    [
        ("json", 1, {Flag.SINGLE_SEED}),
        ("jsonl", 25, {Flag.SINGLE_SEED}),
        ("jsonl", 1, {Flag.SINGLE_SEED, Flag.SHORT_WINDOW}),
    ],
)
def test_the_older_format_knows_one_run_and_that_is_said(kind: str, count: int, flags: set[Flag]) -> None:
    tree = json.loads(SEED_FILE) | {"input_kind": kind, "count": count}
    assert baseline_from_json(json.dumps(tree), "x").flags == flags


def test_ours_comes_back_whole() -> None:
    before = whole()
    after = baseline_from_json(to_json(before), "x")
    assert after == before
    assert to_json(after) == to_json(before)
    old, new = before.metrics[LOSS].curves[1], after.metrics[LOSS].curves[1]
    assert np.array_equal(old.values, new.values)
    band = after.metrics[LOSS].band
    assert band is not None
    assert band.high.tolist() == [2, 2, 4]


def test_ours_is_strict_json_with_one_line_for_each_field() -> None:
    text = to_json(whole())
    tree = json.loads(text, parse_constant=pytest.fail)
    assert tree["dreamgate"]["flags"] == ["dirty", "failed", "non_finite"]
    assert '    "who": "ann",\n    "why": "bütter",\n' in text


def test_only_what_is_known_of_a_run_is_written() -> None:
    tree = json.loads(to_json(whole()))
    assert tree["dreamgate"]["runs"][0]["facts"] == {
        "family": "f", "dirty": True, "status": "failed", "config": {"a.b": [1, None]}, "testbed": {"cpu": "A"},
    }  # fmt: skip


def with_(path: str, value: Any) -> str:
    """Our file with one place changed; None deletes it."""
    tree = json.loads(to_json(whole()))
    *parents, last = path.split(".")
    node = tree
    for parent in parents:
        node = node[parent]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return json.dumps(tree)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "x is not JSON"),
        ("[" * 100_000, "x is not JSON"),
        ("[1]", "x is not a baseline"),
        ('{"metrics": {}}', "x is not a baseline"),
        (with_("schema_version", 2), "x has schema_version 2, this Dreamgate reads 1"),
        (with_("count", None), "x is a damaged baseline: KeyError: 'count'"),
        (with_("count", "many"), "count must be a number, got 'many'"),
        (with_("metrics", [1]), "damaged"),
        (with_("keys", ["a"]), "keys and metrics do not name the same metrics"),
        (with_("input_kind", "csv"), "input_kind must be json or jsonl, got 'csv'"),
        (with_("threshold_pct", -1), "threshold_pct must be at least 0 and finite, got -1"),
        (with_("abs_tol", "Infinity"), "abs_tol must be at least 0"),
        (with_("dreamgate.schema_version", 9), "dreamgate.schema_version is 9"),
        (with_("dreamgate.flags", ["odd"]), "'odd' is not a valid Flag"),
        (with_("dreamgate.metrics", {}), "KeyError"),
        (with_("dreamgate.runs", []), "KeyError"),
        (with_("dreamgate.asked", {"frist": 1}), "frist"),
        (with_("dreamgate.runs", [{"run": "a", "seed": 1, "task": "", "facts": {"odd": 1}}]), "odd"),
        (with_("dreamgate.runs", [{"run": "a", "seed": 1, "task": "", "facts": {"env": 1}}]), "facts.env must be str"),
        (with_("dreamgate.who", 3), "who must be text, got 3"),
        (with_("dreamgate.directions", {"a": "up"}), "a direction is lower, higher or info, got 'up'"),
        (
            with_(f"dreamgate.metrics.{LOSS}.curves", [{"run": "run-3", "is_thinned": 0, "steps": [], "values": []}]),
            "some",
        ),
        (with_(f"dreamgate.metrics.{LOSS}.band", {"steps": [1], "low": [1, 2], "middle": [1], "high": [1]}), "as many"),
        (with_(f"dreamgate.metrics.{LOSS}.band", {"steps": [1], "low": [], "middle": [1], "high": [1]}), "as many"),
        (with_("env_steps_max", 99), "env_steps_max must be at least env_steps_min, which is 100, got 99"),
        (with_("env_steps_max", "Infinity"), "cannot convert float infinity to integer"),
    ],
)
def test_damage_is_called_damage(text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        baseline_from_json(text, "x")
    assert complaint in str(caught.value)


@settings(deadline=None, max_examples=30)
@given(
    levels=st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=5),
    threshold=st.floats(0, 10),
    who=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_whatever_was_captured_comes_back(levels: list[float], threshold: float, who: str) -> None:
    before = replace(baseline(group(*flat(*levels)), threshold_pct=threshold), who=who)
    assert baseline_from_json(to_json(before), "x") == before
    assert to_seed_json(baseline_from_json(to_seed_json(before), "x")) == to_seed_json(before)
