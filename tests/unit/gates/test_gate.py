"""A gate as a whole: how results come together, what they cost each other, and what is always said."""

from dataclasses import dataclass, replace

import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.baseline import Flag
from dreamer_core.gates.check import Check, Results
from dreamer_core.gates.checks.bounds import Ceiling, Floor
from dreamer_core.gates.checks.entropy_gap import EntropyGap
from dreamer_core.gates.checks.finite import Finite
from dreamer_core.gates.checks.hold import Hold
from dreamer_core.gates.checks.improves import Improves
from dreamer_core.gates.checks.replay_ratio import ReplayRatio
from dreamer_core.gates.checks.seeds_bootstrap import SeedsBootstrap
from dreamer_core.gates.checks.threshold_median import ThresholdMedian
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.gate import Gate, evaluate
from dreamer_core.gates.group import Facts, SeedGroup
from dreamer_core.gates.result import GateResult, to_plain
from dreamer_core.gates.verdict import Verdict
from dreamer_core.metrics.jsonsafe import dumps, loads
from tests.unit.gates.values import INF, LOSS, NAN, SCORE, baseline, flat, group, run


@dataclass(frozen=True, kw_only=True)
class Says(Check):
    """Comes to the verdict that it is told."""

    verdict: Verdict = Verdict.PASS
    warns: bool = False

    kind = "says"

    def judge(self, evidence: Evidence) -> Results:
        return (self.result(self.verdict, "because", warns=self.warns),)


@dataclass(frozen=True, kw_only=True)
class Breaks(Check):
    kind = "breaks"

    def judge(self, evidence: Evidence) -> Results:
        raise LookupError("nobody thought of this")


def judged(*checks: Check, **evidence: object) -> GateResult:
    known = {"candidate": SeedGroup(runs=()), **evidence}
    return evaluate(Gate(name="g", checks=checks), Evidence(**known))  # type: ignore[arg-type]


def test_the_worst_result_decides_and_is_named() -> None:
    found = judged(Says(), Says(verdict=Verdict.IMPROVED), Says(name="third", verdict=Verdict.NO_DATA))
    assert found.verdict is Verdict.NO_DATA
    assert found.reason == "no_data: third: because; 1 no_data, 1 improved, 1 pass of 3 results"


def test_the_metrics_that_decide_beside_the_first_are_named() -> None:
    candidate = group(*flat(1.0))
    found = judged(
        Floor(key=SCORE, value=5), Floor(key=SCORE, value=9), Ceiling(key=SCORE, value=0), candidate=candidate
    )
    assert found.reason.startswith(f"fail: {SCORE}: 1, must be at least 5; ")
    assert found.reason.endswith("; 3 fail of 3 results")
    assert "also" not in found.reason
    other = judged(Says(verdict=Verdict.FAIL), Says(name="b", verdict=Verdict.FAIL), Says())
    assert other.reason == "fail: says: because; also b; 2 fail, 1 pass of 3 results"


def test_what_is_not_required_only_warns() -> None:
    found = judged(Says(), Says(name="hint", verdict=Verdict.FAIL, required=False))
    assert found.verdict is Verdict.PASS
    assert [result.check for result in found.warnings] == ["hint"]
    assert found.reason == "pass: says: because; 1 warning (hint)"


def test_a_green_result_can_warn_too() -> None:
    found = judged(Says(warns=True))
    assert (found.verdict, len(found.warnings)) == (Verdict.PASS, 1)


def test_a_gate_of_hints_alone_cannot_be_passed() -> None:
    found = judged(Says(required=False))
    assert found.verdict is Verdict.NO_DATA
    assert "no check is required" in found.reason


def test_a_skipped_check_is_not_judged_and_not_green() -> None:
    found = judged(Says(), Breaks(skip="no GPU here"))
    assert found.verdict is Verdict.SKIPPED
    assert found.results[1].reason == "skipped: no GPU here"
    assert judged(Says(), Breaks(skip="no GPU here", required=False)).verdict is Verdict.PASS


def test_a_check_that_breaks_is_an_error_and_hides_no_failure() -> None:
    found = judged(Breaks(), Says())
    assert found.verdict is Verdict.ERROR
    assert found.results[0].reason == "the check broke: LookupError: nobody thought of this"
    assert judged(Breaks(), Says(verdict=Verdict.FAIL)).verdict is Verdict.FAIL


def test_a_gate_needs_a_name_and_checks() -> None:
    with pytest.raises(ConfigError, match="name: must not be empty"):
        Gate(name="", checks=(Says(),))
    with pytest.raises(ConfigError, match="checks: must list at least one check"):
        Gate(name="g", checks=())
    with pytest.raises(ConfigError, match="version"):
        Gate(name="g", version=0, checks=(Says(),))


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("", Verdict.PASS),
        ("succeeded", Verdict.PASS),
        ("running", Verdict.INCONCLUSIVE),
        ("stopped", Verdict.INCONCLUSIVE),
        ("failed", Verdict.ERROR),
    ],
)
def test_how_the_run_ended_counts(status: str, verdict: Verdict) -> None:
    found = judged(Says(), candidate=group([1.0], status=status, error="out of memory"))
    assert found.verdict is verdict
    if verdict is Verdict.ERROR:
        assert found.results[0].reason == "seed 0 (run-0) is failed: out of memory"


def test_a_run_that_goes_on_can_fail_already() -> None:
    found = judged(Floor(key=SCORE, value=5), candidate=group([1.0], status="running"))
    assert found.verdict is Verdict.FAIL
    assert found.results[0].reason == "seed 0 (run-0) is running"


def test_flags_of_the_baseline_show_up_wherever_it_was_used() -> None:
    before = replace(baseline(group(*flat(1.0))), flags=frozenset({Flag.DIRTY, Flag.SINGLE_SEED}))
    found = judged(ThresholdMedian(), Finite(keys=(SCORE,)), candidate=group(*flat(1.0)), baseline=before)
    assert found.flags == ("dirty", "single_seed")
    assert found.results[0].reason.endswith("[baseline: dirty, single seed]")
    assert "baseline" not in found.results[1].reason
    assert found.baseline == "blessed v1"


def test_what_could_not_be_checked_is_noted() -> None:
    before = baseline(group(*flat(1.0), key="sps"))
    found = judged(ThresholdMedian(), candidate=group(*flat(1.0), key="sps"), baseline=before)
    assert [note.split(":")[0] for note in found.notes] == [
        "the family of one side is not known",
        "the testbed of one side is not known",
    ]
    known = {"family": "f", "testbed": {"cpu": "A"}}
    before = baseline(group(*flat(1.0), key="sps", **known))
    assert judged(ThresholdMedian(), candidate=group(*flat(1.0), key="sps", **known), baseline=before).notes == ()


def test_runs_that_differ_in_more_than_the_seed_are_noted() -> None:
    runs = tuple(run({SCORE: [1.0]}, seed, facts=Facts(fingerprint=str(seed))) for seed in range(2))
    assert "not one seed group" in judged(Says(), candidate=SeedGroup(runs=runs)).notes[0]


def seeds(**levels: tuple[float, ...]) -> SeedGroup:
    """One run per seed; `score=(1, 2)` gives two runs that score 1 and 2 throughout."""
    names = {"score": SCORE, "success": "eval/success_rate", "loss": LOSS}
    count = len(next(iter(levels.values())))
    return SeedGroup(
        runs=tuple(
            run({names[key]: [column[seed]] * 4 for key, column in levels.items()}, seed) for seed in range(count)
        )
    )


def test_a_claim_pays_for_those_made_beside_it() -> None:
    """Four against four, fully apart, is one in 70: enough alone, and not among four claims."""
    before = baseline(seeds(score=(10, 11, 12, 13), success=(5, 6, 7, 8), loss=(1, 1, 1, 1)))
    after = seeds(score=(1, 2, 3, 4), success=(5, 6, 7, 8), loss=(1, 1, 1, 1))
    alone = judged(SeedsBootstrap(), candidate=after, baseline=before)
    assert alone.verdict is Verdict.FAIL
    assert "Holm" not in alone.results[0].reason
    crowd = (SeedsBootstrap(), *(SeedsBootstrap(keys=(key,)) for key in ("eval/success_rate", LOSS, LOSS)))
    found = judged(*crowd, candidate=after, baseline=before)
    assert found.results[0].verdict is Verdict.INCONCLUSIVE
    assert "Holm over 4 claims: p 0.0571429 of worse" in found.results[0].reason
    assert "5 seeds on each side would decide it" in found.results[0].reason
    assert found.results[0].numbers["claims"] == 4


def test_an_inconclusive_claim_says_how_many_seeds_would_decide() -> None:
    before = baseline(seeds(score=(70, 90, 110, 130)))
    found = judged(SeedsBootstrap(), candidate=seeds(score=(60, 80, 100, 120)), baseline=before)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "seeds on each side would" in found.results[0].reason


def test_numbers_at_the_end_of_the_range_never_pass() -> None:
    before = baseline(seeds(score=(1e308, 1e308, 1e308, 1e308)))
    found = judged(
        SeedsBootstrap(), ThresholdMedian(), candidate=seeds(score=(-1e308, -1e308, -1e308, 1e308)), baseline=before
    )
    assert not any(result.verdict.is_green for result in found.results)


def test_the_gate_says_the_direction_of_its_own_metrics() -> None:
    before, after = baseline(group(*flat(1.0), key="mine")), group(*flat(2.0), key="mine")
    gate = Gate(name="g", checks=(ThresholdMedian(),), directions={"mine": "higher"})
    assert evaluate(gate, Evidence(candidate=after, baseline=before)).verdict is Verdict.IMPROVED
    against = Evidence(candidate=after, baseline=before, directions={"mine": "lower"})
    assert evaluate(gate, against).verdict is Verdict.IMPROVED


def test_a_result_becomes_strict_json() -> None:
    before = baseline(seeds(score=(10, 11, 12, 13)))
    after = SeedGroup(runs=(*seeds(score=(1, 2, 3)).runs, run({SCORE: [NAN, INF, 1, 1]}, 9)))
    found = judged(SeedsBootstrap(), Finite(keys=("*",)), candidate=after, baseline=before)
    tree = loads(dumps(to_plain(found)))
    assert (tree["verdict"], tree["green"], len(tree["results"])) == ("fail", False, 2)
    assert tree["results"][1]["numbers"]["value"] == "NaN"
    whole = to_plain(judged(SeedsBootstrap(), candidate=seeds(score=(1, 2, 3, 4)), baseline=before))
    assert loads(dumps(whole))["results"][0]["comparison"]["n_baseline"] == 4


def test_the_same_evidence_gives_the_same_result() -> None:
    before = baseline(seeds(score=(70, 90, 110, 130)))
    first, second = (
        judged(SeedsBootstrap(), ThresholdMedian(), candidate=seeds(score=(60, 80, 100, 120)), baseline=before)
        for _ in range(2)
    )
    assert first == second


EVERY_RUN = (
    Floor(key=SCORE, value=10.0),
    Hold(key=SCORE, level=10.0, keep=5.0),
    Improves(key=SCORE, min_drop=0.1),
)


@pytest.mark.parametrize("check", EVERY_RUN, ids=lambda check: check.kind)
def test_a_run_without_data_does_not_hide_that_another_has_failed(check: Check) -> None:
    candidate = SeedGroup(runs=(run({SCORE: [1.0] * 10}, 0), run({LOSS: [1.0] * 10}, 1), run({SCORE: [1.0] * 10}, 2)))
    found = judged(check, candidate=candidate)
    assert found.verdict is Verdict.FAIL
    assert [result.verdict for result in found.results] == [Verdict.FAIL, Verdict.FAIL]


@pytest.mark.parametrize(
    ("check", "bad"),
    [
        (EntropyGap(), {"State/post_entropy": [9.0] * 10, "State/prior_entropy": [1.0] * 10}),
        (ReplayRatio(target=1.0), {"replay_ratio": [9.0] * 10, "train_steps": [1.0 + 9 * i for i in range(10)]}),
        (Finite(keys=(SCORE,)), {SCORE: [NAN] * 10}),
    ],
    ids=lambda value: value.kind if isinstance(value, Check) else "",
)
def test_a_run_without_its_metrics_does_not_hide_a_failure_either(check: Check, bad: dict[str, list[float]]) -> None:
    candidate = SeedGroup(runs=(run(bad, 0), run({}, 1)))
    assert judged(check, candidate=candidate).verdict is Verdict.FAIL


@pytest.mark.parametrize("check", EVERY_RUN, ids=lambda check: check.kind)
def test_a_run_without_data_beside_a_good_one_is_no_data(check: Check) -> None:
    good = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 65.0, 66.0, 67.0, 68.0, 69.0]
    candidate = SeedGroup(runs=(run({SCORE: good}, 0), run({LOSS: good}, 1)))
    assert judged(check, candidate=candidate).verdict is not Verdict.PASS


def test_the_middle_run_cannot_be_known_while_one_is_missing() -> None:
    candidate = SeedGroup(runs=(run({SCORE: [1.0]}, 0), run({LOSS: [1.0]}, 1)))
    assert judged(Floor(key=SCORE, value=10.0, across="median"), candidate=candidate).verdict is Verdict.NO_DATA
