"""What must hold for any numbers: worse is never greener, and order does not matter."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.check import Check
from dreamer_core.gates.checks.bounds import Ceiling, Floor
from dreamer_core.gates.checks.entropy_gap import EntropyGap
from dreamer_core.gates.checks.finite import Finite
from dreamer_core.gates.checks.hold import Hold
from dreamer_core.gates.checks.improves import Improves
from dreamer_core.gates.checks.parity import Parity
from dreamer_core.gates.checks.replay_ratio import ReplayRatio
from dreamer_core.gates.checks.seeds_bootstrap import SeedsBootstrap
from dreamer_core.gates.checks.threshold_median import ThresholdMedian
from dreamer_core.gates.checks.throughput import Throughput
from dreamer_core.gates.checks.time_to_threshold import TimeToThreshold
from dreamer_core.gates.evidence import Evidence, ParityCase
from dreamer_core.gates.gate import Gate, evaluate
from dreamer_core.gates.group import Facts, SeedGroup
from dreamer_core.gates.records import run_from_records
from dreamer_core.gates.verdict import Verdict
from dreamer_core.metrics.names import Direction
from tests.unit.gates.values import LOSS, NAN, SCORE, baseline, run

# Red, cannot tell, passed, improved: a worse candidate may only go down.
GREENNESS = {
    Verdict.FAIL: 0,
    Verdict.ERROR: 0,
    Verdict.NO_DATA: 1,
    Verdict.INCONCLUSIVE: 1,
    Verdict.SKIPPED: 1,
    Verdict.PASS: 2,
    Verdict.IMPROVED: 3,
}

KEY, LENGTH = "score", 6
MONOTONE: tuple[Check, ...] = (
    ThresholdMedian(),
    Finite(keys=(KEY,)),
    Floor(key=KEY, value=10.0),
    Floor(key=KEY, value=10.0, of="last", across="median", strict=True),
    Hold(key=KEY, level=15.0, keep=10.0, by_env_steps=300, n_min=2),
    Hold(key=KEY, level=15.0, keep=10.0, by_env_steps=200, for_env_steps=300, misses=1, quantile=0.3, n_min=2),
    TimeToThreshold(key=KEY, level=12.0, by_env_steps=400, min_solved=0.5),
    TimeToThreshold(key=KEY, level=12.0),
    SeedsBootstrap(keys=(KEY,)),
    SeedsBootstrap(keys=(KEY,), measure="auc", margin_pct=0.3),
    SeedsBootstrap(keys=(KEY,), measure="steps_to", level=12.0, margin_abs=100.0),
    Throughput(keys=(KEY,)),
)

COLUMN = st.lists(st.integers(1, 30), min_size=LENGTH, max_size=LENGTH)
LOSSES = st.lists(st.sampled_from([0, 0, 1, 5, 30]), min_size=LENGTH, max_size=LENGTH)


@st.composite
def sides(draw: st.DrawFn) -> tuple[Sequence[Sequence[float]], Sequence[Sequence[float]], Sequence[Sequence[float]]]:
    """A baseline, a candidate, and a candidate that is nowhere better than that."""
    before = draw(st.lists(COLUMN, min_size=1, max_size=6))
    after = draw(st.lists(COLUMN, min_size=1, max_size=6))
    losses = [draw(LOSSES) for _ in after]
    worse = [
        [value - loss for value, loss in zip(column, lost, strict=True)]
        for column, lost in zip(after, losses, strict=True)
    ]
    return before, after, worse


def seeds(columns: Sequence[Sequence[float]], sign: float) -> SeedGroup:
    """Bad where it is high, if the sign is negative."""
    facts = Facts(testbed={"cpu": "A"})
    runs = (run({KEY: [sign * value for value in column]}, seed, facts=facts) for seed, column in enumerate(columns))
    return SeedGroup(runs=tuple(runs))


def mirrored(check: Check) -> Check:
    """The same check where lower is better."""
    if isinstance(check, Floor):
        return Ceiling(key=KEY, value=-check.value, of=check.of, across=check.across, strict=check.strict)
    changes = {name: -getattr(check, name) for name in ("level", "keep") if getattr(check, name, None) is not None}
    return replace(check, **changes)


def verdict_of(checks: Sequence[Check], candidate: SeedGroup, before: Baseline, direction: Direction) -> Verdict:
    gate = Gate(name="g", checks=tuple(checks), directions={KEY: direction})
    return evaluate(gate, Evidence(candidate=candidate, baseline=before)).verdict


def not_greener(worse: Verdict, better: Verdict) -> bool:
    return GREENNESS[worse] <= GREENNESS[better]


@pytest.mark.parametrize("check", MONOTONE, ids=lambda check: f"{check.kind}-{getattr(check, 'measure', '')}")
@settings(deadline=None, max_examples=60)
@given(numbers=sides())
def test_a_worse_candidate_never_gets_a_greener_verdict(check: Check, numbers: Any) -> None:
    before, after, worse = numbers
    up = baseline(seeds(before, 1.0))
    assert not_greener(
        verdict_of([check], seeds(worse, 1.0), up, "higher"), verdict_of([check], seeds(after, 1.0), up, "higher")
    )
    if isinstance(check, Throughput):
        return  # a speed below zero is none
    down = baseline(seeds(before, -1.0))
    assert not_greener(
        verdict_of([mirrored(check)], seeds(worse, -1.0), down, "lower"),
        verdict_of([mirrored(check)], seeds(after, -1.0), down, "lower"),
    )


@settings(deadline=None, max_examples=60)
@given(numbers=sides(), chosen=st.sets(st.sampled_from(range(len(MONOTONE))), min_size=2, max_size=5))
def test_a_worse_candidate_never_gets_a_greener_gate(numbers: Any, chosen: set[int]) -> None:
    before, after, worse = numbers
    checks, blessed = [MONOTONE[number] for number in sorted(chosen)], baseline(seeds(before, 1.0))
    assert not_greener(
        verdict_of(checks, seeds(worse, 1.0), blessed, "higher"),
        verdict_of(checks, seeds(after, 1.0), blessed, "higher"),
    )


@pytest.mark.parametrize("check", MONOTONE, ids=lambda check: f"{check.kind}-{getattr(check, 'measure', '')}")
@settings(deadline=None, max_examples=30)
@given(numbers=sides(), where=st.tuples(st.integers(0, 5), st.integers(0, LENGTH - 1)))
def test_nan_is_worse_than_every_number(check: Check, numbers: Any, where: tuple[int, int]) -> None:
    before, after, _ = numbers
    broken = [[float(value) for value in column] for column in after]
    broken[where[0] % len(after)][where[1]] = NAN
    blessed = baseline(seeds(before, 1.0))
    assert verdict_of([check], seeds(broken, 1.0), blessed, "higher") is Verdict.FAIL


@settings(deadline=None, max_examples=60)
@given(numbers=sides(), random=st.randoms(use_true_random=False))
def test_the_order_of_records_and_of_seeds_changes_nothing(numbers: Any, random: Any) -> None:
    before, after, _ = numbers

    def shuffled(columns: Sequence[Sequence[float]]) -> SeedGroup:
        runs = []
        for seed, column in enumerate(columns):
            records: list[dict[str, float]] = [
                {"env_steps": 100 * (row + 1), KEY: value} for row, value in enumerate(column)
            ]
            random.shuffle(records)
            facts = Facts(testbed={"cpu": "A"})
            runs.append(run_from_records(records, name=f"run-{seed}", seed=seed, facts=facts))
        random.shuffle(runs)
        return SeedGroup(runs=tuple(runs))

    gate = Gate(name="g", checks=MONOTONE, directions={KEY: "higher"})
    plain = evaluate(gate, Evidence(candidate=seeds(after, 1.0), baseline=baseline(seeds(before, 1.0))))
    mixed = evaluate(gate, Evidence(candidate=shuffled(after), baseline=baseline(shuffled(before))))
    assert plain == mixed


@settings(deadline=None, max_examples=60)
@given(numbers=sides(), numbering=st.permutations(range(6)))
def test_which_seed_had_which_score_changes_no_verdict(numbers: Any, numbering: Sequence[int]) -> None:
    before, after, _ = numbers
    blessed, checks = baseline(seeds(before, 1.0)), [check for check in MONOTONE if not isinstance(check, Throughput)]
    order = [number for number in numbering if number < len(after)]
    assert verdict_of(checks, seeds([after[number] for number in order], 1.0), blessed, "higher") is verdict_of(
        checks, seeds(after, 1.0), blessed, "higher"
    )


@settings(deadline=None)
@given(column=COLUMN, at=st.integers(0, LENGTH - 1), loss=st.integers(0, 30))
def test_what_is_lost_after_it_was_reached_never_helps_to_hold(column: list[int], at: int, loss: int) -> None:
    """Without a deadline this is all that can be promised: who gets there later is asked about less."""
    check = Hold(key=SCORE, level=15.0, keep=10.0, n_min=2)
    first = next((place for place, value in enumerate(column) if value >= 15), LENGTH)
    worse = [value - loss if place > first and place >= at else value for place, value in enumerate(column)]
    found = [
        check.judge(Evidence(candidate=SeedGroup(runs=(run({SCORE: side}),))))[0].verdict for side in (worse, column)
    ]
    assert not_greener(*found)


@settings(deadline=None)
@given(column=st.lists(st.integers(1, 40), min_size=10, max_size=20), ramp=st.integers(0, 5))
def test_a_loss_that_rises_more_never_improves_more(column: list[int], ramp: int) -> None:
    worse = [value + (ramp * (place - 1) if place > 1 else 0) for place, value in enumerate(column)]
    found = [
        Improves().judge(Evidence(candidate=SeedGroup(runs=(run({LOSS: side}),))))[0].verdict
        for side in (worse, column)
    ]
    assert not_greener(*found)


@settings(deadline=None)
@given(gap=st.integers(0, 40), wider=st.integers(0, 40))
def test_entropies_further_apart_are_never_closer(gap: int, wider: int) -> None:
    def verdict(apart: int) -> Verdict:
        post, prior = [50.0 + apart] * 4, [50.0] * 4
        candidate = SeedGroup(runs=(run({"State/post_entropy": post, "State/prior_entropy": prior}),))
        return EntropyGap().judge(Evidence(candidate=candidate))[0].verdict

    assert not_greener(verdict(gap + wider), verdict(gap))


@settings(deadline=None)
@given(off=st.integers(0, 20), further=st.integers(0, 20), sign=st.sampled_from([1, -1]))
def test_a_ratio_further_off_is_never_nearer(off: int, further: int, sign: int) -> None:
    def verdict(percent: int) -> Verdict:
        candidate = SeedGroup(runs=(run({"replay_ratio": [1 + sign * percent / 100] * 4}),))
        return ReplayRatio(target=1.0).judge(Evidence(candidate=candidate))[0].verdict

    assert not_greener(verdict(off + further), verdict(off))


@settings(deadline=None)
@given(errors=st.lists(st.integers(0, 5), min_size=1, max_size=4), more=st.integers(0, 5), at=st.integers(0, 3))
def test_a_larger_error_is_never_nearer_to_the_reference(errors: list[int], more: int, at: int) -> None:
    def verdict(found: list[int]) -> Verdict:
        cases = tuple(ParityCase(name=str(number), error=error, tolerance=3) for number, error in enumerate(found))
        return Parity().judge(Evidence(candidate=SeedGroup(runs=()), parity=cases))[0].verdict

    worse = [error + (more if place == at % len(errors) else 0) for place, error in enumerate(errors)]
    assert not_greener(verdict(worse), verdict(errors))
