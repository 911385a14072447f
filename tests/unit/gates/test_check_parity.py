"""parity: every case within its tolerance, none left out, all of one reference."""

import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.checks.parity import Parity
from dreamer_core.gates.evidence import ParityCase
from dreamer_core.gates.group import SeedGroup
from dreamer_core.gates.result import Result
from dreamer_core.gates.verdict import Verdict
from dreamer_core.metrics.jsonsafe import dumps
from tests.unit.gates.values import INF, NAN, judge


def case(error: float, tolerance: float = 1e-5, name: str = "rssm", reference: str = "33b6366") -> ParityCase:
    return ParityCase(name=name, error=error, tolerance=tolerance, reference=reference)


SKIPPED = ParityCase(name="scan", status="skipped", reference="33b6366")


def looked_at(*cases: ParityCase, check: Parity | None = None) -> Result:
    return judge(check or Parity(), SeedGroup(runs=()), parity=cases)


@pytest.mark.parametrize(
    ("error", "tolerance", "verdict"),
    [
        (0.0, 0.0, Verdict.PASS),
        (1e-5, 1e-5, Verdict.PASS),
        (2e-5, 1e-5, Verdict.FAIL),
        (NAN, 1e-5, Verdict.FAIL),
        (INF, 1e-5, Verdict.FAIL),
        (-INF, 1e-5, Verdict.FAIL),
        (-1e-9, 1e-5, Verdict.FAIL),
        (0.0, NAN, Verdict.FAIL),
    ],
)
def test_an_error_is_within_its_tolerance_or_not(error: float, tolerance: float, verdict: Verdict) -> None:
    assert looked_at(case(error, tolerance)).verdict is verdict


def test_the_worst_case_is_named() -> None:
    found = looked_at(case(0), case(2e-5, name="a"), case(3e-5, name="b"))
    assert "2 of 3 cases out of tolerance, the worst b: error 3e-05, allowed 1e-05" in found.reason
    assert "worst c: error nan" in looked_at(case(3, name="b"), case(NAN, name="c")).reason


def test_the_case_nearest_to_its_limit_is_named() -> None:
    found = looked_at(case(1e-6), case(0.5, 1.0, name="losses"), case(0, 0, name="exact"))
    assert "nearest to its limit losses" in found.reason


def test_a_result_keeps_what_is_bad_or_near_to_it_and_counts_the_rest() -> None:
    good = [case(1e-8 * number, name=f"good {number:04}") for number in range(900)]  # the nearest takes 0.899 of it
    bad = [case(2e-5 + 1e-6 * number, name=f"bad {number}") for number in range(30)]
    found = looked_at(*good, *bad, SKIPPED).numbers
    kept = [one["name"] for one in found["cases"]]
    assert kept[:2] == ["bad 29", "bad 28"]
    assert kept[29:] == ["bad 0", *(f"good {number:04}" for number in range(899, 879, -1)), "scan"]
    counts = {"all": 931, "within": 900, "out_of_tolerance": 30, "skipped": 1, "left_out": 880}
    assert found["counts"] == counts
    assert looked_at(*reversed(bad), SKIPPED, *reversed(good)).numbers == found


def test_a_result_of_thousands_of_cases_is_small() -> None:
    """They were 400 KB, of which nobody ever needed more than the worst."""
    passed = looked_at(*(case(1e-7, name=f"golden/test_modules.py::test_{number}") for number in range(4000)))
    failed = looked_at(*(case(1.0, name=f"golden/test_modules.py::test_{number}") for number in range(4000)))
    assert len(dumps(passed.numbers)) < 3_000
    assert len(dumps(failed.numbers)) < 120_000
    assert failed.numbers["counts"]["left_out"] == 3000
    assert "4000 of 4000 cases out of tolerance" in failed.reason


def test_nothing_compared_is_no_parity() -> None:
    assert looked_at().verdict is Verdict.NO_DATA
    assert looked_at(case(0), check=Parity(n_min=2)).verdict is Verdict.NO_DATA


def test_a_skipped_case_is_not_a_success_but_hides_no_failure() -> None:
    assert looked_at(case(0), SKIPPED).verdict is Verdict.SKIPPED
    assert looked_at(case(9), SKIPPED).verdict is Verdict.FAIL


def test_cases_of_another_reference_are_not_comparable() -> None:
    assert looked_at(case(0), check=Parity(reference="33b6366")).verdict is Verdict.PASS
    assert looked_at(case(0), check=Parity(reference="e3f0224")).verdict is Verdict.NO_DATA
    assert looked_at(case(0), case(0, reference="e3f0224")).verdict is Verdict.NO_DATA


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="n_min"):
        Parity(n_min=0)
