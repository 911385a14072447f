"""The picture of a learning benchmark: its beginning is wide, and there always is one."""

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from PIL import Image

from dreamer_core.viz import lines


@pytest.mark.parametrize(
    "steps", [[], [500, 1000], [500, 2500, 52_500]], ids=["no evaluation", "the beginning", "to the end"]
)
def test_one_seed_is_a_picture_however_far_it_came(steps: list[int], tmp_path: Path) -> None:
    line = lines.Line(env_steps=steps, scores=[float(step) for step in steps], is_lost=False)
    lines.write([line], 475, 2500, tmp_path / "learning.png")
    with Image.open(tmp_path / "learning.png") as picture:
        assert picture.size == (1920, 840)


def test_the_ticks_end_where_the_evaluations_end() -> None:
    assert lines.ticks(2500, last=12_000) == [1000, 2500, 5000, 10_000]
    assert lines.ticks(2500, last=1000) == [1000, 2500]
