"""What changed between two baselines."""

from dataclasses import replace

from dreamer_core.gates.baseline_diff import diff
from dreamer_core.gates.group import Facts, SeedGroup
from tests.unit.gates.values import LOSS, SCORE, baseline, flat, group, run


def one(preset: str, units: int, **medians: float) -> SeedGroup:
    facts = Facts(preset=preset, config={"algo.units": units, "algo.gamma": 0.9})
    return SeedGroup(runs=(run({key: [value] * 3 for key, value in medians.items()}, facts=facts),))


def test_every_metric_gets_a_word() -> None:
    before = baseline(one("x", 1, **{LOSS: 2.0, SCORE: 10.0, "State/kl": 1.0, "sps": 5.0, "old": 1.0}))
    after = baseline(one("x", 1, **{LOSS: 1.0, SCORE: 8.0, "State/kl": 2.0, "sps": 5.0, "new": 1.0}))
    assert {one.key: one.change for one in diff(before, after).metrics} == {
        LOSS: "better", SCORE: "worse", "State/kl": "changed", "sps": "same", "old": "removed", "new": "added",
    }  # fmt: skip


def test_changes_are_shares_of_what_was() -> None:
    def relative(before: float, after: float) -> float | None:
        [metric] = diff(baseline(one("x", 1, a=before)), baseline(one("x", 1, a=after))).metrics
        return metric.relative

    assert relative(-10, -5) == 0.5
    assert relative(0, 1) is None


def test_an_added_metric_has_no_share() -> None:
    found = diff(baseline(one("x", 1, a=1.0)), baseline(one("x", 1, b=1.0)))
    assert [metric.relative for metric in found.metrics] == [None, None]


def test_everything_that_numbers_come_from_is_compared() -> None:
    before = replace(baseline(one("x", 1, a=1.0)), name="main")
    after = replace(baseline(one("y", 2, a=1.0)), name="main", version=2, why="wider", flags=frozenset())
    found = diff(before, after)
    assert (found.before, found.after) == ("main v1", "main v2")
    assert {fact.name: (fact.before, fact.after) for fact in found.facts} == {
        "why": ("", "wider"),
        "flags": (["single_seed"], []),
        "preset": (["x"], ["y"]),
        "config.algo.units": (1, 2),
    }


def test_unknown_configs_are_not_compared() -> None:
    before, after = baseline(group(*flat(1.0))), replace(baseline(group(*flat(1.0))), runs=())
    assert [fact.name for fact in diff(before, after).facts] == ["seeds"]
    assert diff(before, before).facts == ()
