"""replay_ratio: over the window, weighted by steps, within two percent."""

from collections.abc import Sequence
from typing import Any

import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.checks.replay_ratio import ReplayRatio
from dreamer_core.gates.group import SeedGroup
from dreamer_core.gates.records import run_from_records
from dreamer_core.gates.series import Window
from dreamer_core.gates.verdict import Verdict
from tests.unit.gates.values import INF, NAN, judge, run


def ratios(values: Sequence[float], target: float = 0.5, seed: int = 0) -> SeedGroup:
    return SeedGroup(runs=(run({"replay_ratio": values, "replay_ratio_target": [target] * len(values)}, seed),))


@pytest.mark.parametrize(
    ("values", "target", "verdict"),
    [
        ([0.5, 0.5, 0.5], 0.5, Verdict.PASS),
        ([9.9, 0.51, 0.49], 0.5, Verdict.PASS),  # the first record is about what was before the window
        ([0.5, 0.52, 0.52], 0.5, Verdict.FAIL),
        ([0.5, 0.48, 0.48], 0.5, Verdict.FAIL),
        ([0.0, 0.0, 0.0], 0.0, Verdict.PASS),
        ([0.0, 0.1, 0.0], 0.0, Verdict.FAIL),
    ],
)
def test_the_ratio_of_the_window_is_near_its_target(values: list[float], target: float, verdict: Verdict) -> None:
    assert judge(ReplayRatio(), ratios(values, target)).verdict is verdict


def test_less_than_one_update_is_not_off() -> None:
    """49 steps at a ratio of 0.25 are 12.25 updates; nobody can make a quarter of one."""

    def window(updates: int) -> SeedGroup:
        records = [{"env_steps": step, "replay_ratio": updates / 49} for step in (100, 149)]
        return SeedGroup(runs=(run_from_records(records, name="run"),))

    assert judge(ReplayRatio(target=0.25), window(12)).verdict is Verdict.PASS
    assert judge(ReplayRatio(target=0.25), window(11)).verdict is Verdict.FAIL
    assert judge(ReplayRatio(target=0.25), window(14)).verdict is Verdict.FAIL


def test_records_count_by_the_steps_they_stand_for() -> None:
    records = [{"env_steps": step, "replay_ratio": ratio} for step, ratio in ((100, 0), (200, 1.0), (1000, 0.5))]
    found = judge(ReplayRatio(target=0.5), SeedGroup(runs=(run_from_records(records, name="run"),)))
    assert found.numbers["ratio"] == pytest.approx((100 * 1.0 + 800 * 0.5) / 900)


def test_a_target_that_falls_counts_on_average() -> None:
    columns = {"replay_ratio": [0.5, 0.5, 0.3, 0.1], "replay_ratio_target": [0.5, 0.5, 0.3, 0.1]}
    found = judge(ReplayRatio(), SeedGroup(runs=(run(columns, 0),)))
    assert (found.verdict, found.numbers["target"]) == (Verdict.PASS, pytest.approx(0.3))
    late = {**columns, "replay_ratio": [0.5, 0.5, 0.5, 0.5]}
    assert judge(ReplayRatio(), SeedGroup(runs=(run(late, 0),))).verdict is Verdict.FAIL


def test_the_window_forgets_the_beginning() -> None:
    values = [0.1, 0.1, 0.1, 0.5, 0.5]
    assert judge(ReplayRatio(), ratios(values)).verdict is Verdict.FAIL
    assert judge(ReplayRatio(window=Window(last=4)), ratios(values)).verdict is Verdict.FAIL
    assert judge(ReplayRatio(window=Window(last=3)), ratios(values)).verdict is Verdict.PASS


def test_the_run_furthest_off_counts() -> None:
    found = judge(ReplayRatio(), SeedGroup(runs=(*ratios([0.5] * 3).runs, *ratios([0.6] * 3, seed=1).runs)))
    assert (found.verdict, found.numbers["run"]) == (Verdict.FAIL, "run-1")


def test_a_run_that_is_off_is_not_hidden_by_one_that_is_short() -> None:
    """The short one is further off, by less than an update; and one that cannot be told does not hide it either."""
    short = [{"env_steps": step, "replay_ratio": 0.2} for step in (0, 4)]
    long = [{"env_steps": step, "replay_ratio": 0.24} for step in (0, 1000)]
    blind = [{"replay_ratio": 0.25}] * 2
    runs = [run_from_records(records, name=name) for name, records in (("a", short), ("b", long), ("c", blind))]
    found = judge(ReplayRatio(target=0.25), SeedGroup(runs=tuple(runs)))
    assert (found.verdict, found.numbers["run"]) == (Verdict.FAIL, "b")


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_bad_values_fail(bad: float) -> None:
    assert judge(ReplayRatio(), ratios([0.5, bad, 0.5])).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        (SeedGroup(runs=()), "no runs"),
        (ratios([]), "0 values"),
        (ratios([0.5]), "1 value in all records, needs 2"),
        (SeedGroup(runs=(run({"replay_ratio": [0.5] * 3}),)), "does not record replay_ratio_target"),
        (ratios([0.5] * 3, NAN), "does not record replay_ratio_target"),
        (
            SeedGroup(runs=(run_from_records([{"replay_ratio": 0.5, "replay_ratio_target": 0.5}] * 3, name="x"),)),
            "does not say at which steps",
        ),
    ],
)
def test_what_cannot_be_computed_is_no_data(candidate: SeedGroup, why: str) -> None:
    found = judge(ReplayRatio(), candidate)
    assert found.verdict is Verdict.NO_DATA
    assert why in found.reason


@pytest.mark.parametrize("wrong", [{"tolerance": 0}, {"target": -1}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        ReplayRatio(**wrong)
