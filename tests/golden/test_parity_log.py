"""Parity as numbers: a gate that reads them is green exactly where the tests are."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dreamer_core.gates import Evidence, Gate, SeedGroup, Verdict, evaluate
from dreamer_core.gates.checks import Parity
from dreamer_core.gates.posted import parity_from
from dreamer_core.metrics.jsonsafe import loads
from tests.golden.parity_log import ParityLog, nearest_to_its_limit, reference_of
from tests.golden.tolerances import EXACT, VALUES, Tolerance, assert_near

ROOT = Path(__file__).parents[2]
LOOSE = Tolerance(0.1, 0.5)


def nearest(ours: list[float], theirs: list[float], tolerance: Tolerance = LOOSE) -> tuple[float, float]:
    return nearest_to_its_limit(torch.tensor(ours), torch.tensor(theirs), tolerance)


def test_the_number_that_uses_most_of_its_tolerance_is_told() -> None:
    assert nearest([1.0, 100.5], [1.25, 100.0]) == (0.25, 0.625)  # 0.25 of 0.625 is more than 0.5 of 10.5
    assert nearest([1.0, 106.0], [1.25, 100.0]) == (6.0, 10.5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_beyond_every_tolerance(bad: float) -> None:
    error, tolerance = nearest([0.0, bad], [0.0, 1.0])
    assert not error <= tolerance


def test_where_nothing_may_differ_nothing_does() -> None:
    assert nearest([1.0, math.inf], [1.0, math.inf], EXACT) == (0.0, 0.0)
    error, tolerance = nearest([1.0, 2.0], [1.0, 2.5], EXACT)
    assert (error, tolerance) == (0.5, 0.0)
    assert nearest([], []) == (0.0, 0.0)


def close(ours: Tensor, theirs: Tensor) -> bool:
    try:
        assert_near("x", ours, theirs)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("off", [0.0, 5e-6, 1e-5, 2e-5, 1e-3, math.nan])
def test_a_log_says_what_the_comparison_says(off: float) -> None:
    log, theirs = ParityLog(), torch.tensor([1.0, -3.0])
    with log.of_test("some test", "us"):
        is_close = close(theirs * (1 + off), theirs)
    [case] = log.cases
    assert case.name == "some test: x"
    assert case.error is not None
    assert case.tolerance is not None
    assert (case.error <= case.tolerance) is is_close
    assert close(theirs, theirs)  # nobody listens any more
    assert len(log.cases) == 1


def judged(file: Path) -> Verdict:
    cases = parity_from(loads(file.read_text())["parity"], str(file))
    return evaluate(
        Gate(name="parity", checks=(Parity(),)), Evidence(candidate=SeedGroup(runs=()), parity=cases)
    ).verdict


def test_failed_and_skipped_tests_are_not_green(tmp_path: Path) -> None:
    file, log = tmp_path / "parity.json", ParityLog()
    with log.of_test("a", "us"):
        assert_near("x", torch.zeros(2), torch.zeros(2), VALUES)
    log.write(file)
    assert judged(file) is Verdict.PASS
    log.skipped("b", "us")
    log.write(file)
    assert judged(file) is Verdict.SKIPPED
    log.failed("c", "")
    log.write(file)
    assert judged(file) is Verdict.FAIL


def test_references_are_named_as_in_the_manifest() -> None:
    assert reference_of(Path("test_nature_maths.py")) == "sheeprl 0.8.4"
    assert reference_of(Path("test_sheeprl_maths.py")) == "sheeprl 0.5.8.dev 33b6366"


def pytest_run(*words: str) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120).returncode


def test_the_option_writes_every_comparison_of_the_tests_that_run(tmp_path: Path) -> None:
    file = tmp_path / "parity.json"
    assert pytest_run("tests/golden", "-k", "test_nature_maths", "--parity", str(file)) == 0
    cases = loads(file.read_text())["parity"]
    assert len(cases) > 20
    assert {case["reference"] for case in cases} == {"sheeprl 0.8.4"}
    assert judged(file) is Verdict.PASS


def test_tests_that_never_ran_fail_the_gate(tmp_path: Path) -> None:
    file = tmp_path / "parity.json"
    assert pytest_run("tests/golden", "-k", "nobody", "--parity", str(file)) == 5
    assert judged(file) is Verdict.FAIL


def test_several_processes_are_refused(tmp_path: Path) -> None:
    assert pytest_run("tests/golden", "-n", "2", "--parity", str(tmp_path / "parity.json")) == 4
