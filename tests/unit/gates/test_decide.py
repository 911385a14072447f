"""From p-values to verdicts, what many metrics cost, and how many seeds would decide."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer_core.gates.decide import advice, decide, fewest_seeds, holm, seeds_to_decide
from dreamer_core.gates.resample import Comparison
from dreamer_core.gates.verdict import Verdict

FOUND = Comparison(
    baseline=100,
    candidate=100,
    difference=0,
    low=-1,
    high=1,
    margin=10,
    p_worse=1,
    p_not_worse=1,
    p_better=1,
    spread=30,
    n_baseline=5,
    n_candidate=5,
    alpha=0.05,
)


@pytest.mark.parametrize(
    ("p_worse", "p_not_worse", "p_better", "verdict"),
    [
        (0.04, 0.9, 0.9, Verdict.FAIL),
        (0.05, 0.9, 0.9, Verdict.FAIL),
        (0.9, 0.05, 0.9, Verdict.PASS),
        (0.9, 0.01, 0.05, Verdict.IMPROVED),
        (0.9, 0.06, 0.01, Verdict.INCONCLUSIVE),
        (0.5, 0.5, 0.5, Verdict.INCONCLUSIVE),
        (float("nan"), float("nan"), float("nan"), Verdict.INCONCLUSIVE),
    ],
)
def test_a_claim_takes_a_small_p(p_worse: float, p_not_worse: float, p_better: float, verdict: Verdict) -> None:
    found = replace(FOUND, p_not_worse=p_not_worse)
    assert decide(found, p_worse=p_worse, p_better=p_better) is verdict


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_keeps_the_order_and_never_helps(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(after >= before for before, after in zip(p_values, corrected, strict=True))
    pairs = sorted(zip(p_values, corrected, strict=True))
    assert [after for _, after in pairs] == sorted(corrected)


@pytest.mark.parametrize(
    ("alpha", "claims", "seeds"), [(0.05, 1, 4), (0.01, 1, 5), (0.05, 3, 4), (0.05, 4, 5), (0.05, 26, 6)]
)
def test_below_some_number_of_seeds_nothing_can_be_rare_enough(alpha: float, claims: int, seeds: int) -> None:
    assert fewest_seeds(alpha, claims) == seeds


@pytest.mark.parametrize(
    ("difference", "spread", "needed"),
    [
        (-60.0, 30.0, 6),  # 50 away from the margin
        (-35.0, 30.0, 22),
        (0.0, 30.0, 134),
        (0.0, 5.0, 4),
        (-10.0, 30.0, None),  # exactly on the margin
        (-9.0, 30.0, None),  # and too near to it
        (-60.0, 0.0, 4),
        (-60.0, float("nan"), 4),
    ],
)
def test_the_number_of_seeds_that_would_decide(difference: float, spread: float, needed: int | None) -> None:
    assert seeds_to_decide(replace(FOUND, difference=difference, spread=spread)) == needed


def test_more_claims_need_more_seeds() -> None:
    assert (seeds_to_decide(replace(FOUND, difference=-35.0), claims=10) or 0) > 22


def test_advice_is_in_words() -> None:
    assert advice(replace(FOUND, difference=-35.0)) == "22 seeds on each side would decide it"
    assert "more than 1000 seeds" in advice(replace(FOUND, difference=-10.0))
