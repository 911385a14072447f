"""Whatever a file holds, it is refused with a word or judged with a verdict: nothing else comes out."""

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer_core.errors import UsageError
from dreamer_core.gates.baseline_json import to_json
from dreamer_core.gates.baseline_reading import baseline_from_json
from dreamer_core.gates.checks.finite import Finite
from dreamer_core.gates.checks.hold import Hold
from dreamer_core.gates.checks.seeds_bootstrap import SeedsBootstrap
from dreamer_core.gates.checks.threshold_median import ThresholdMedian
from dreamer_core.gates.checks.throughput import Throughput
from dreamer_core.gates.checks.time_to_threshold import TimeToThreshold
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.foreign import foreign_group
from dreamer_core.gates.gate import Gate, evaluate
from dreamer_core.gates.group import SeedGroup
from dreamer_core.gates.records import run_from_records, run_from_summary
from dreamer_core.gates.result import to_plain
from dreamer_core.gates.spec import gate_from_mapping
from dreamer_core.gates.verdict import Verdict
from dreamer_core.metrics.jsonsafe import dumps
from tests.unit.gates.values import SCORE, baseline, flat, group

GATE = Gate(
    name="g",
    checks=(
        ThresholdMedian(),
        Finite(keys=("*",)),
        Hold(level=1, keep=0),
        TimeToThreshold(level=1),
        SeedsBootstrap(),
        SeedsBootstrap(measure="auc"),
        SeedsBootstrap(measure="steps_to", level=1),
        Throughput(),
    ),
)
AFTER = group(*flat(1, 2, 3, 4), family="f", testbed={"cpu": "A"}, config={"a": 1})
BEFORE = json.loads(to_json(baseline(AFTER)))

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "NaN", "Infinity", SCORE, "lower"])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "a", SCORE]), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(tree: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree, by the keys that lead to it."""
    below = tree.items() if isinstance(tree, dict) else enumerate(tree[:2]) if isinstance(tree, list) else ()
    return [at, *(place for key, value in below for place in places(value, (*at, key)))]


@settings(deadline=None, max_examples=60)
@given(where=st.sampled_from(places(BEFORE)[1:]), value=ANYTHING)
def test_a_baseline_with_anything_in_it_is_refused_or_judged(where: tuple[Any, ...], value: Any) -> None:
    tree = copy.deepcopy(BEFORE)
    node = tree
    for key in where[:-1]:
        node = node[key]
    node[where[-1]] = value
    try:
        before = baseline_from_json(json.dumps(tree), "x")
    except UsageError:
        return
    found = evaluate(GATE, Evidence(candidate=AFTER, baseline=before))
    dumps(to_plain(found))
    assert [result.reason for result in found.results if result.verdict is Verdict.ERROR] == []


@settings(deadline=None, max_examples=40)
@given(st.lists(st.dictionaries(st.sampled_from(["env_steps", "sps", SCORE, "Loss/a"]), ANYTHING), max_size=6))
def test_records_with_anything_in_them_are_judged(records: list[dict[str, Any]]) -> None:
    candidate = SeedGroup(runs=(run_from_records(records, name="x", seed=0),))
    found = evaluate(GATE, Evidence(candidate=candidate, baseline=baseline(AFTER)))
    dumps(to_plain(found))
    assert not found.verdict.is_green
    assert Verdict.ERROR not in [result.verdict for result in found.results]


@settings(deadline=None, max_examples=40)
@given(tree=st.dictionaries(st.sampled_from(["benchmarks", "machine_info", "a", "seed", "testbed", SCORE]), ANYTHING))
def test_summaries_with_anything_in_them_are_read(tree: dict[str, Any]) -> None:
    found = foreign_group(tree, "x") or SeedGroup(runs=(run_from_summary(tree, name="x"),), input_kind="json")
    evaluate(GATE, Evidence(candidate=found, baseline=baseline(AFTER)))


@settings(deadline=None, max_examples=40)
@given(
    settings_=st.dictionaries(st.sampled_from(["keys", "level", "window", "n_min", "alpha", "name", "skip"]), ANYTHING),
    check=st.sampled_from(["hold", "finite", "seeds_bootstrap", "floor", "throughput"]),
)
def test_gates_with_anything_in_them_are_refused_or_built(settings_: dict[str, Any], check: str) -> None:
    try:
        gate = gate_from_mapping({"name": "g", "checks": [{"check": check, **settings_}]})
    except UsageError:
        return
    evaluate(gate, Evidence(candidate=AFTER, baseline=baseline(AFTER)))
