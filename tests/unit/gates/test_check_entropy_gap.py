"""entropy_gap: posterior and prior stay together, alive, after warm-up."""

from collections.abc import Sequence
from typing import Any

import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.checks.entropy_gap import EntropyGap
from dreamer_core.gates.group import RunNumbers, SeedGroup
from dreamer_core.gates.verdict import Verdict
from tests.unit.gates.values import INF, NAN, group, judge, run

POST, PRIOR = "State/post_entropy", "State/prior_entropy"


def latents(post: Sequence[float], prior: Sequence[float], seed: int = 0) -> RunNumbers:
    return run({POST: post, PRIOR: prior}, seed)


def one(post: Sequence[float], prior: Sequence[float]) -> SeedGroup:
    return SeedGroup(runs=(latents(post, prior),))


@pytest.mark.parametrize(
    ("post", "prior", "verdict"),
    [
        (8.0, 10.0, Verdict.PASS),
        (12.9, 10.0, Verdict.PASS),
        (13.0, 10.0, Verdict.FAIL),  # the limit itself is too far
        (6.9, 10.0, Verdict.FAIL),
        (0.2, 0.4, Verdict.PASS),  # below one nat the gap is absolute
        (0.1, 0.5, Verdict.FAIL),
        (0.0, 0.0, Verdict.FAIL),  # dead
        (0.005, 0.009, Verdict.FAIL),
        (0.02, 0.005, Verdict.PASS),
    ],
)
def test_the_gap_is_relative_above_one_nat(post: float, prior: float, verdict: Verdict) -> None:
    assert judge(EntropyGap(), one([post] * 4, [prior] * 4)).verdict is verdict


def test_a_dead_latent_is_called_so() -> None:
    found = judge(EntropyGap(), one([0.0] * 4, [0.0] * 4))
    assert found.reason.startswith("dead latent: both entropies below 0.01 nat; gap 0")


def test_warm_up_does_not_count() -> None:
    post, prior = [0.0] * 5 + [9.0] * 5, [30.0] * 5 + [10.0] * 5
    assert judge(EntropyGap(warm_up=0.5), one(post, prior)).verdict is Verdict.PASS
    assert judge(EntropyGap(warm_up=0.0), one(post, prior)).verdict is Verdict.FAIL


def test_the_worst_run_counts() -> None:
    runs = (latents([9.0] * 4, [10.0] * 4, 0), latents([2.0] * 4, [10.0] * 4, 1), latents([6.0] * 4, [10.0] * 4, 2))
    found = judge(EntropyGap(), SeedGroup(runs=runs))
    assert (found.verdict, found.numbers["run"], found.numbers["gap"]) == (Verdict.FAIL, "run-1", 0.8)


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_bad_entropies_fail(bad: float) -> None:
    assert judge(EntropyGap(), one([9.0, bad, 9.0], [10.0] * 3)).verdict is Verdict.FAIL
    assert judge(EntropyGap(), one([9.0] * 3, [10.0, 10.0, bad])).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "candidate",
    [SeedGroup(runs=()), one([], []), one([9.0], [10.0]), group([9.0] * 9, key=POST), one([9.0] * 9, [1.0])],
)
def test_too_few_pairs_are_no_data(candidate: SeedGroup) -> None:
    found = judge(EntropyGap(), candidate)
    assert found.verdict is Verdict.NO_DATA
    assert found.reason


@pytest.mark.parametrize("wrong", [{"max_gap": 0}, {"warm_up": 1}, {"dead_below": -1}, {"n_min": 0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        EntropyGap(**wrong)
