"""Benchmarks of other tools."""

from typing import Any

import pytest

from dreamer_core.gates.checks.threshold_median import ThresholdMedian
from dreamer_core.gates.foreign import foreign_group
from dreamer_core.gates.verdict import Verdict
from tests.unit.gates.values import baseline, judge

PYTEST: dict[str, Any] = {
    "machine_info": {"node": "ci-3", "system": "Linux", "cpu": {"brand_raw": "EPYC", "count": 2}, "release": "6.1"},
    "commit_info": {"id": "abc", "dirty": False},
    "benchmarks": [
        {"name": "test_a", "fullname": "tests/x.py::test_a", "stats": {"median": 0.5, "data": [0.4, 0.5, 0.6]}},
        {"name": "test_b", "stats": {"median": 2.0}},
        {"name": "test_c", "stats": {"data": 7}},
    ],
    "version": "5.1.0",
}
BENCHER: dict[str, Any] = {
    "parse": {"latency": {"value": 88.0, "lower_value": 80.0}, "throughput": {"value": 5.0}},
    "load": {"latency": {"value": "NaN"}, "odd": {"value": "x"}},
}


def test_pytest_benchmark_has_rounds_or_a_median_in_seconds() -> None:
    found = foreign_group(PYTEST, "bench.json")
    assert found is not None
    [run] = found.runs
    assert {key: series.values.tolist() for key, series in run.series.items()} == {
        "tests/x.py::test_a": [0.4, 0.5, 0.6],
        "test_b": [2.0],
    }
    assert set(found.directions.values()) == {"lower"}
    assert found.speed_keys == {"tests/x.py::test_a", "test_b"}
    assert dict(run.facts.testbed) == {"node": "ci-3", "system": "Linux", "cpu": "EPYC"}
    assert (run.facts.commit, run.facts.dirty, found.input_kind) == ("abc", False, "json")


def test_pytest_benchmark_without_a_machine_is_of_no_known_testbed() -> None:
    found = foreign_group({"benchmarks": PYTEST["benchmarks"]}, "x")
    assert found is not None
    assert not found.runs[0].facts.testbed


def test_the_bencher_metric_format_has_measures_with_directions() -> None:
    found = foreign_group(BENCHER, "bmf.json")
    assert found is not None
    assert found.keys == ["parse/latency", "parse/throughput", "load/latency"]
    assert dict(found.directions) == {"parse/latency": "lower", "parse/throughput": "higher", "load/latency": "lower"}
    assert found.runs[0].of("load/latency").first_bad() == 0


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"a": 1},
        {"a": {"b": 1}},
        {"a": {"b": {"c": 1}}},
        {"a": {}},
        {"benchmarks": 1},
        {"benchmarks": [1]},
        {"benchmarks": [{"stats": 1}]},
    ],
)
def test_other_objects_are_neither(tree: dict[str, Any]) -> None:
    assert foreign_group(tree, "x") is None


def test_a_file_without_benchmarks_has_no_metrics() -> None:
    found = foreign_group({"benchmarks": []}, "x")
    assert found is not None
    assert found.keys == []


def test_foreign_numbers_are_judged_in_their_own_direction_and_on_their_own_machine() -> None:
    def bench(seconds: float, node: str) -> Any:
        stats = {"median": seconds}
        return foreign_group({"machine_info": {"node": node}, "benchmarks": [{"name": "a", "stats": stats}]}, "x")

    before = baseline(bench(1.0, "here"))
    assert judge(ThresholdMedian(), bench(2.0, "here"), before).verdict is Verdict.FAIL
    assert judge(ThresholdMedian(), bench(0.5, "here"), before).verdict is Verdict.IMPROVED
    assert judge(ThresholdMedian(), bench(1.0, "there"), before).verdict is Verdict.NO_DATA
