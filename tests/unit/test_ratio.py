"""Updates fall due as sheeprl says, no tick bursts, nothing is lost."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from dreamer_core.training.ratio import Ratio

FIXTURES = Path(__file__).parents[1] / "golden" / "fixtures"
UNCAPPED = 10**9


def calls(ratio: Ratio, steps: list[int]) -> list[int]:
    return [ratio(step) for step in steps]


def resumed(ratio: Ratio, config: Ratio) -> Ratio:
    """`config` goes on where `ratio` is, by way of a file."""
    config.restore(json.loads(json.dumps(ratio.state())))
    return config


@pytest.mark.parametrize(
    ("name", "rates"), [("sheeprl_ratio", [0.0625, 0.3, 1.0, 2.5]), ("nature_ratio", [0.03125, 0.3, 1.0, 2.5])]
)
def test_the_sequence_is_sheeprls(name: str, rates: list[float]) -> None:
    fixture = load_file(FIXTURES / f"{name}.safetensors")
    steps = fixture["in.steps"].tolist()
    for rate, straight, again in zip(
        rates, fixture["out.straight"].tolist(), fixture["out.resumed"].tolist(), strict=True
    ):
        assert calls(Ratio(rate, 0, UNCAPPED), steps) == straight
        first = Ratio(rate, 0, UNCAPPED)
        begun = calls(first, steps[:5])
        assert begun + calls(resumed(first, Ratio(rate, 0, UNCAPPED)), steps[5:]) == again


def test_the_sequence_with_pretraining_is_sheeprls() -> None:
    fixture = load_file(FIXTURES / "sheeprl_ratio.safetensors")
    for rate, expected in zip([0.0625, 0.3, 1.0, 2.5], fixture["out.pretrained"].tolist(), strict=True):
        assert calls(Ratio(rate, 2, UNCAPPED), fixture["in.steps"].tolist()) == expected


def test_pretraining_never_exceeds_the_steps_there_are() -> None:
    assert calls(Ratio(1.0, 100, UNCAPPED), [4, 8]) == [4, 4]


def test_half_an_update_per_step_is_one_every_second_step() -> None:
    assert calls(Ratio(0.5, 0, 64), [0, 1, 2, 3, 4, 5, 6]) == [0, 0, 1, 0, 1, 0, 1]


def test_a_ratio_of_zero_never_trains() -> None:
    assert calls(Ratio(0.0, 0, 64), [0, 100, 1000]) == [0, 0, 0]


def test_a_tick_does_at_most_its_cap_and_the_rest_is_seen_as_backlog() -> None:
    ratio = Ratio(1.0, 0, 4)
    assert [(ratio(step), ratio.backlog) for step in (10, 11, 12, 12, 12)] == [(4, 6), (4, 3), (4, 0), (0, 0), (0, 0)]


def test_pretraining_is_capped_too() -> None:
    ratio = Ratio(1.0, 6, 4)
    assert [(ratio(step), ratio.backlog) for step in (100, 101, 102)] == [(4, 2), (3, 0), (1, 0)]


def test_a_resume_with_the_saved_state_goes_on_with_the_backlog() -> None:
    first = Ratio(1.0, 0, 4)
    first(10)
    again = resumed(first, Ratio(1.0, 0, 4))
    assert again.backlog == 6
    assert calls(again, [11, 12, 13]) == calls(first, [11, 12, 13]) == [4, 4, 1]


def test_a_resume_without_saved_state_owes_nothing_for_the_past() -> None:
    ratio = Ratio(1.0, 0, 64)
    ratio.start_from(1_000_000)
    assert calls(ratio, [1_000_000, 1_000_004]) == [0, 4]
    assert ratio.actual == resumed(ratio, Ratio(1.0, 0, 64)).actual == 1.0


def test_a_ratio_that_was_zero_does_not_burst_when_it_is_raised() -> None:
    idle = Ratio(0.0, 0, 64)
    calls(idle, [1000, 5000])
    assert resumed(idle, Ratio(1.0, 0, 64))(5004) == 4


def test_a_scale_holds_for_the_steps_since_the_last_call_and_loses_no_fraction() -> None:
    ratio = Ratio(0.5, 0, 64)
    assert [ratio(4), ratio(8), ratio(12, 0.5), ratio(16, 0.5), ratio(22, 0.5)] == [2, 2, 1, 1, 1]
    assert ratio.rate == 0.25
    assert ratio(24, 0.5) == 1  # the half update that was left over at step 22


def test_the_actual_ratio_counts_updates_done_since_learning_began() -> None:
    ratio = Ratio(1.0, 0, 4)
    assert ratio.actual == 0.0
    ratio(10)
    assert ratio.actual == 0.4  # 4 done of 10 due
    calls(ratio, [12, 14, 16])
    assert ratio.actual == 1.0  # 16 of 16: the backlog is worked off


def test_pretraining_counts_only_its_own_steps_in_the_actual_ratio() -> None:
    ratio = Ratio(0.5, 8, 64)
    assert ratio(1000) == 4
    assert ratio.actual == 0.5


def test_steps_that_go_back_are_refused() -> None:
    ratio = Ratio(1.0, 0, 64)
    ratio(10)
    with pytest.raises(AssertionError, match="steps went back from 10 to 9"):
        ratio(9)


@settings(deadline=None)
@given(
    rate=st.floats(0.001, 8),
    first=st.integers(0, 3000),
    growth=st.lists(st.integers(0, 500), max_size=60),
    cap=st.integers(1, 200),
    saved_at=st.integers(0, 60),
)
def test_updates_and_backlog_never_drift_from_the_steps_by_more_than_one(
    rate: float, first: int, growth: list[int], cap: int, saved_at: int
) -> None:
    ratio = Ratio(rate, 0, cap)
    done, step = ratio(first), first
    for index, more in enumerate(growth):
        if index == saved_at:
            ratio = resumed(ratio, Ratio(rate, 0, cap))
        step += more
        now = ratio(step)
        assert 0 <= now <= cap
        done += now
        owed = int(first * rate) + (step - first) * rate
        assert -1e-6 < owed - (done + ratio.backlog) < 1 + 1e-6
        assert ratio.updates == done
