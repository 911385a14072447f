"""What is inside a window, and that missing, NaN and infinite are three things."""

import math

import numpy as np
import pytest

from dreamer_core.errors import ConfigError, UsageError
from dreamer_core.gates.group import SeedGroup, matching
from dreamer_core.gates.records import as_number, run_from_records, run_from_summary
from dreamer_core.gates.series import EMPTY, Window
from tests.unit.gates.values import INF, NAN, run, series

STEPS = np.array([100.0, 200.0, 300.0, NAN])


@pytest.mark.parametrize(
    ("window", "kept", "words"),
    [
        (Window(), [True, True, True, True], "all records"),
        (Window(env_steps_min=200), [False, True, True, False], "env steps 200..end"),
        (Window(env_steps_max=200), [True, True, False, False], "env steps start..200"),
        (Window(last=2), [False, False, True, True], "the last 2 records"),
        (Window(last=9), [True, True, True, True], "the last 9 records"),
        (Window(env_steps_max=250, last=1), [False, True, False, False], "env steps start..250, the last 1 records"),
        (Window(env_steps_min=900), [False] * 4, "env steps 900..end"),
    ],
)
def test_bounds_come_first_and_then_the_last_records(window: Window, kept: list[bool], words: str) -> None:
    assert window.keep(STEPS).tolist() == kept
    assert str(window) == words


def test_a_window_that_can_hold_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="last: must be at least 1, got 0"):
        Window(last=0)
    with pytest.raises(ConfigError, match="env_steps_max: must be at least env_steps_min, which is 5, got 4"):
        Window(env_steps_min=5, env_steps_max=4)


def test_the_first_bad_value_is_found() -> None:
    assert series(1, NAN, INF).first_bad() == 1
    assert series(1, 2).first_bad() is None
    assert EMPTY.first_bad() is None
    assert series(1, 2).is_finite
    assert not series(1, -INF).is_finite


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        (0.5, 0.5),
        ("Infinity", INF),
        ("-Infinity", -INF),
        (10**400, INF),
        (-(10**400), -INF),
        (True, None),
        (None, None),
        ("1", None),
        ([1], None),
    ],
)
def test_what_counts_as_a_number(value: object, number: float | None) -> None:
    assert as_number(value) == number


def test_the_word_nan_is_a_number() -> None:
    found = as_number("NaN")
    assert found is not None
    assert math.isnan(found)


def test_missing_is_not_nan() -> None:
    found = run_from_records(
        [{"env_steps": 1, "a": 1.0}, {"env_steps": 2, "a": "NaN"}, {"env_steps": 3, "a": None}, {"env_steps": 4}],
        name="run",
    )
    assert found.of("a").records.tolist() == [0, 1]
    assert found.of("a").first_bad() == 1
    assert len(found.of("never")) == 0


def test_records_are_put_in_the_order_of_their_steps() -> None:
    found = run_from_records(
        [{"env_steps": 3, "a": 30}, {"env_steps": 1, "a": 10}, {"env_steps": 2, "b": 2}], name="run"
    )
    assert found.record_steps.tolist() == [1, 2, 3]
    assert found.of("a").values.tolist() == [10, 30]
    assert found.of("a").steps.tolist() == [1, 3]


@pytest.mark.parametrize("step", ["NaN", None, "soon", True])
def test_records_stay_as_they_are_if_one_of_them_does_not_say_its_step(step: object) -> None:
    found = run_from_records([{"env_steps": 3, "a": 30}, {"env_steps": step, "a": 10}], name="run")
    assert found.of("a").values.tolist() == [30, 10]
    assert math.isnan(found.record_steps[1])


def test_a_summary_says_itself_what_it_is_of() -> None:
    found = run_from_summary(
        {"family": "f", "fingerprint": "p", "preset": "x", "recipe": "r", "seed": 3, "testbed": {"cores": 2}, "a": 1},
        name="eval.json",
    )
    assert (found.facts.family, found.facts.fingerprint, found.facts.preset, found.facts.recipe) == ("f", "p", "x", "r")
    assert (found.seed, dict(found.facts.testbed)) == (3, {"cores": "2"})
    assert run_from_summary({"seed": "x", "testbed": 1}, name="eval.json").seed is None


def test_runs_are_ordered_by_seed_and_none_counts_twice() -> None:
    together = SeedGroup(runs=(run({"a": [1]}, 7), run({"a": [2], "b": [3]}, 2)))
    assert [one.seed for one in together.runs] == [2, 7]
    assert together.keys == ["env_steps", "a", "b"]
    with pytest.raises(UsageError, match="the run same is given 2 times"):
        SeedGroup(runs=(run({"a": [1]}, name="same"), run({"a": [1]}, name="same")))


def test_a_window_of_a_group_keeps_only_what_is_asked_for() -> None:
    seen = SeedGroup(runs=(run({"a": [1, 2, 3], "b": [4, 5, 6]}),)).within(Window(last=2), ["a", "never"])
    assert seen.keys == ["a"]
    assert seen.runs[0].of("a").values.tolist() == [2, 3]
    assert seen.runs[0].extent == "2 records, env steps 200..300"


def test_a_window_of_a_window_is_a_window() -> None:
    once = SeedGroup(runs=(run({"a": [1, 2, 3, 4, 5]}),)).within(Window(env_steps_min=300), ["a"])
    twice = once.within(Window(last=2), ["a"])
    assert once.runs[0].of("a").records.tolist() == [0, 1, 2]
    assert twice.runs[0].of("a").values.tolist() == [4, 5]


def test_a_run_without_steps_says_so() -> None:
    assert run_from_records([{"a": 1}], name="run").extent == "1 record without env_steps"
    assert str(run_from_records([], name="run")) == "run"
    assert str(run({"a": [1]}, 3)) == "seed 3 (run-3)"


def test_patterns_find_metrics_and_plain_names_are_missed_if_absent() -> None:
    assert matching(["Loss/a", "Loss/b", "sps"], ("Loss/*", "sps", "nope", "no*")) == [
        "Loss/a",
        "Loss/b",
        "sps",
        "nope",
    ]
