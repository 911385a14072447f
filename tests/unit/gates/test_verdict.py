"""Seven verdicts, two of them green, and the worst of several."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer_core.gates.verdict import WORST_FIRST, Verdict, combine, exit_code

V = Verdict


def test_only_pass_and_improved_are_green() -> None:
    assert {verdict for verdict in Verdict if verdict.is_green} == {V.PASS, V.IMPROVED}


def test_no_two_verdicts_have_the_same_shape() -> None:
    assert len({verdict.shape for verdict in Verdict}) == len(Verdict)


def test_every_verdict_has_its_place_in_the_order() -> None:
    assert sorted(WORST_FIRST) == sorted(Verdict)


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        ([], V.NO_DATA),
        ([V.PASS], V.PASS),
        ([V.PASS, V.IMPROVED], V.IMPROVED),
        ([V.PASS, V.SKIPPED], V.SKIPPED),
        ([V.SKIPPED, V.INCONCLUSIVE, V.IMPROVED], V.INCONCLUSIVE),
        ([V.INCONCLUSIVE, V.NO_DATA, V.PASS], V.NO_DATA),
        ([V.NO_DATA, V.ERROR], V.ERROR),
        ([V.ERROR, V.FAIL, V.PASS], V.FAIL),
    ],
)
def test_the_worst_verdict_counts(verdicts: list[Verdict], together: Verdict) -> None:
    assert combine(verdicts) is together
    assert combine(reversed(verdicts)) is together


@settings(deadline=None)
@given(st.lists(st.sampled_from(Verdict)))
def test_all_must_be_green_for_all_to_be_green(verdicts: list[Verdict]) -> None:
    assert combine(verdicts).is_green == (bool(verdicts) and all(verdict.is_green for verdict in verdicts))


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(V.PASS, 0), (V.IMPROVED, 0), (V.FAIL, 1), (V.INCONCLUSIVE, 3), (V.NO_DATA, 3), (V.SKIPPED, 3), (V.ERROR, 4)],
)
def test_red_broken_and_unknown_end_differently(verdict: Verdict, code: int) -> None:
    assert exit_code(verdict) == code
