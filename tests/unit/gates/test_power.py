"""False alarms and power of seeds_bootstrap, simulated: a small part of what benchmarks/gates_power.py does."""

from collections.abc import Callable

import numpy as np
import pytest

from dreamer_core.gates.decide import decide, holm
from dreamer_core.gates.resample import Comparison, compare_scores
from dreamer_core.gates.series import Floats
from dreamer_core.gates.verdict import Verdict

ALPHA, TRIALS = 0.05, 300
# What a true rate of alpha exceeds once in a thousand times.
MOST_ALARMS = ALPHA * TRIALS + 3.1 * (ALPHA * (1 - ALPHA) * TRIALS) ** 0.5

Draw = Callable[[np.random.Generator, int], Floats]


def normal(rng: np.random.Generator, count: int) -> Floats:
    return 100 + 30 * rng.standard_normal(count)


def lognormal(rng: np.random.Generator, count: int) -> Floats:
    return 100 * rng.lognormal(0.0, 0.5, count)


def solved_or_not(rng: np.random.Generator, count: int) -> Floats:
    return np.where(rng.random(count) < 0.8, 500.0, rng.uniform(9.0, 500.0, count))


def compared(
    rng: np.random.Generator, draw: Draw, seeds: int, *, loss: float = 0.0, margin: float = 1e-9
) -> Comparison:
    before, after = draw(rng, seeds), draw(rng, seeds) - loss
    return compare_scores([before], [after], higher=True, margin=margin, alpha=ALPHA)


def verdict(found: Comparison) -> Verdict:
    return decide(found, p_worse=found.p_worse, p_better=found.p_better)


@pytest.mark.parametrize("draw", [normal, lognormal, solved_or_not])
@pytest.mark.parametrize("seeds", [4, 5, 10])
def test_equal_distributions_are_called_worse_or_better_no_more_often_than_alpha(draw: Draw, seeds: int) -> None:
    rng = np.random.default_rng((seeds, 7))
    found = [verdict(compared(rng, draw, seeds)) for _ in range(TRIALS)]
    assert found.count(Verdict.FAIL) <= MOST_ALARMS
    assert found.count(Verdict.IMPROVED) <= MOST_ALARMS


def test_a_loss_of_the_whole_margin_is_let_through_no_more_often_than_alpha() -> None:
    rng = np.random.default_rng(1)
    found = [verdict(compared(rng, normal, 8, loss=20, margin=20)) for _ in range(TRIALS)]
    assert sum(one.is_green for one in found) <= MOST_ALARMS


def test_a_gate_of_five_equal_metrics_fails_no_more_often_than_alpha() -> None:
    rng = np.random.default_rng(2)
    alarms = sum(
        any(p <= ALPHA for p in holm([compared(rng, normal, 8).p_worse for _ in range(5)])) for _ in range(TRIALS // 3)
    )
    assert alarms <= MOST_ALARMS / 3 + 3


@pytest.mark.parametrize(("loss", "seeds", "least"), [(50, 5, 0.68), (33, 10, 0.60), (25, 18, 0.60)])
def test_real_losses_are_seen(loss: float, seeds: int, least: float) -> None:
    """At the sizes where a test of two means has a power of 0.8; the IQM and the exact test cost some of it."""
    rng = np.random.default_rng(3)
    found = [verdict(compared(rng, normal, seeds, loss=loss)) for _ in range(TRIALS // 2)]
    assert found.count(Verdict.FAIL) >= least * len(found)
