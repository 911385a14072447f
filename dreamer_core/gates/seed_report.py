"""A comparison in the words of the older tool, so that what reads its output can read ours."""

from typing import Any

from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.result import GateResult, Result
from dreamer_core.gates.verdict import Verdict


def seed_report(result: GateResult, baseline: Baseline) -> dict[str, Any]:
    """Its fields, with the meaning they have there; `ok` is true only if the gate as a whole is green.

    A metric that could not be judged is not ok: `missing` if there was nothing to judge, otherwise why.
    """
    compared = [one for one in result.results if one.kind == "threshold_median" and one.key]
    details = [_detail(one) for one in compared]
    first = next((one.numbers for one in compared if "threshold_pct" in one.numbers), {})
    return {
        "ok": result.verdict.is_green,
        "compared": len(compared),
        "failures": sum(not detail["ok"] for detail in details),
        "missing": sum(bool(one.numbers.get("missing")) for one in compared),
        "threshold_pct": first.get("threshold_pct", baseline.threshold_pct),
        "abs_tol": first.get("abs_tol", baseline.abs_tol),
        "details": details,
    }


def _detail(result: Result) -> dict[str, Any]:
    numbers, is_ok = result.numbers, result.verdict.is_green
    detail = {"key": result.key, "baseline": numbers.get("baseline"), "current": numbers.get("current")}
    if "pct" in numbers:
        return {**detail, "delta": numbers["delta"], "pct": numbers["pct"], "ok": is_ok}
    reason = "non_finite" if result.verdict is Verdict.FAIL else "missing" if numbers.get("missing") else result.reason
    return {**detail, "ok": is_ok, "reason": reason}
