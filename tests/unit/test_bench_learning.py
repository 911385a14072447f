"""What a learning benchmark makes of evaluations: solved when, at what price, and kept or lost."""

import pytest

from dreamer_core.bench.learning import Evaluation, Goal, Learned, evaluations, learned
from dreamer_core.bench.learning_table import summary, table

GOAL = Goal(level=475, by_env_steps=2500, cpu_s=120, keep_env_steps=10_000, floor=400)


def curve(*scores: float, cpu_s: float = 50.0) -> list[Evaluation]:
    """One evaluation every 2,500 steps."""
    return [
        Evaluation(env_steps=2500 * i, updates=500 * i, cpu_s=cpu_s * i, score=score)
        for i, score in enumerate(scores, start=1)
    ]


def seed(*scores: float, cpu_s: float = 50.0) -> Learned:
    return learned(0, curve(*scores, cpu_s=cpu_s), GOAL)


@pytest.mark.parametrize(
    ("row", "soon", "kept"),
    [
        (seed(480, 500, 500, 500, 500), True, True),
        (seed(480, 470, 500, 500, 500), True, True),  # one miss
        (seed(480, 470, 470, 500, 500), True, False),
        (seed(480, 399, 500, 500, 500), True, False),
        (seed(480, 500, 500), True, None),
        (seed(480, 399), True, False),  # known before the end
        (seed(480, 500, 500, 500, 500, 10), True, True),  # what comes later is not asked about
        (seed(100, 500, 500, 500, 500, 500), False, True),
        (seed(480, 500, 500, 500, 500, cpu_s=121), False, True),
        (seed(100, 200), False, None),
        (seed(), False, None),
    ],
)
def test_a_seed_is_judged_by_its_evaluations(row: Learned, soon: bool, kept: bool | None) -> None:
    assert (row.is_soon(GOAL), row.is_kept(GOAL)) == (soon, kept)


def test_what_is_looked_at_between_the_judging_evaluations_may_be_the_first_to_reach_the_level_and_no_more() -> None:
    looks = [Evaluation(env_steps=500 * i, updates=0, cpu_s=0, score=score) for i, score in enumerate([500, 10], 3)]
    row = learned(0, [*looks, *curve(480, 500, 500, 500, 500)], GOAL)
    assert row.solved == looks[0]
    assert [one.env_steps for one in row.after] == [1500, 2500, 5000, 7500, 10_000]
    assert row.is_kept(GOAL) is True


def test_only_records_of_evaluations_count() -> None:
    records = [
        {"env_steps": 100, "train_steps": 0, "cpu_time_s": 1.0},
        {"env_steps": 2503, "train_steps": 700, "cpu_time_s": 60.0, "eval/mean_return": 490.0},
    ]
    assert evaluations(records, 2500) == [Evaluation(env_steps=2500, updates=700, cpu_s=60.0, score=490.0)]


def test_the_table_has_a_row_for_every_seed_also_for_those_that_broke() -> None:
    rows = [seed(480, 500, 470, 500, 500), seed(100, 200), learned(2, [], GOAL, "out of memory")]
    lines = table(rows, GOAL).splitlines()
    assert lines[2] == "| 0 | 2,500 | 500 | 0.83 | 4 | 1 | 470.0 | 500.0 at 12,500 | in time, kept |"
    assert lines[3] == "| 0 | never | | | | | | 200.0 at 5,000 | no |"
    assert lines[4] == "| 2 | broke: out of memory | | | | | | | |"
    assert {line.count("|") for line in lines[:5]} == {10}


def test_the_last_line_counts_them() -> None:
    rows = [seed(480, 500, 500, 500, 500), seed(480, 10), seed(480, 500), seed(1)]
    said = summary(rows, GOAL)
    assert said.startswith("3 of 4 seeds solved it in time, 1 kept it, 1 lost it, 1 ended before it could be known. ")
    assert "at least 475 within 2,500 environment steps and 2 CPU-minutes" in said
