"""The older tool's report: its fields, with our verdicts behind them."""

from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.checks.finite import Finite
from dreamer_core.gates.checks.threshold_median import ThresholdMedian
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.gate import Gate, evaluate
from dreamer_core.gates.group import SeedGroup
from dreamer_core.gates.seed_report import seed_report
from tests.unit.gates.values import LOSS, NAN, SCORE, baseline, run

BEFORE = {LOSS: [10.0] * 4, SCORE: [100.0] * 4, "State/kl": [1.0] * 4, "Loss/reward_loss": [1.0] * 4}


def report(after: dict[str, list[float]], **settings: float) -> dict[str, object]:
    before: Baseline = baseline(SeedGroup(runs=(run(BEFORE),)))
    gate = Gate(name="compare", checks=(ThresholdMedian(**settings), Finite()))  # type: ignore[arg-type]
    return seed_report(evaluate(gate, Evidence(candidate=SeedGroup(runs=(run(after),)), baseline=before)), before)


def test_an_identical_run_is_ok() -> None:
    found = report(BEFORE)
    assert {key: found[key] for key in ("ok", "compared", "failures", "missing", "threshold_pct", "abs_tol")} == {
        "ok": True, "compared": 4, "failures": 0, "missing": 0, "threshold_pct": 0.15, "abs_tol": 1e-6,
    }  # fmt: skip
    assert found["details"][0] == {  # type: ignore[index]
        "key": LOSS, "baseline": 10.0, "current": 10.0, "delta": 0.0, "pct": 0.0, "ok": True,
    }  # fmt: skip


def test_failures_missing_metrics_and_nan_are_counted() -> None:
    after = {LOSS: [20.0] * 4, SCORE: [200.0] * 4, "Loss/reward_loss": [1.0, NAN, 1.0, 1.0]}
    found = report(after, threshold_pct=0.2)
    assert (found["ok"], found["compared"], found["failures"], found["missing"]) == (False, 4, 3, 1)
    assert found["threshold_pct"] == 0.2
    details = {detail["key"]: detail for detail in found["details"]}  # type: ignore[attr-defined]
    assert (details[LOSS]["ok"], details[LOSS]["pct"]) == (False, 1.0)
    assert details[SCORE]["ok"]
    assert details["State/kl"] == {
        "key": "State/kl",
        "baseline": 1.0,
        "current": None,
        "ok": False,
        "reason": "missing",
    }
    assert details["Loss/reward_loss"]["reason"] == "non_finite"


def test_what_may_not_be_compared_says_why() -> None:
    before = baseline(SeedGroup(runs=(run({"sps": [1.0] * 4}),)))
    after = SeedGroup(runs=(run({"sps": [1.0] * 4}),))
    before = type(before)(**{**vars(before), "metrics": {"sps": type(before.metrics["sps"])(median=NAN, n=1)}})
    gate = Gate(name="compare", checks=(ThresholdMedian(),))
    [detail] = seed_report(evaluate(gate, Evidence(candidate=after, baseline=before)), before)["details"]
    assert (detail["ok"], detail["reason"]) == (False, "sps: the baseline is nan [baseline: single seed]")
