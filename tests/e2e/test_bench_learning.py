"""`dreamgate bench learning` with a net too small to learn: every file is written, and nothing is run twice."""

import json
from pathlib import Path

import pytest

from dreamer_core.cli.main import main
from dreamer_core.metrics.sink import read_records

SMALL = ["algo.learning_starts=64", "algo.dense_units=8", "run.log_every=64", "env.num_envs=2"]
ASKED = [
    "--seeds",
    "2",
    "--by",
    "128",
    "--keep",
    "128",
    "--look",
    "64",
    "--every",
    "128",
    "--episodes",
    "2",
    "--level",
    "5",
    "--floor",
    "0",
]


def bench(folder: Path, *words: str) -> int:
    return main(["bench", "learning", *SMALL, "device=cpu", *ASKED, "--output", str(folder), *words])


@pytest.mark.slow
def test_every_seed_is_trained_once_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "bench"
    assert bench(folder) == 0
    shown = capsys.readouterr().out
    assert "2 of 2 seeds solved it in time, 2 kept it" in shown
    found = json.loads((folder / "learning.json").read_text())
    assert [row["seed"] for row in found["seeds"]] == [0, 1]
    assert [one["env_steps"] for one in found["seeds"][0]["seen"]] == [64, 128, 256]
    assert (folder / "learning.md").read_text().startswith("| seed | solved at |")
    assert (folder / "learning.png").stat().st_size > 10_000
    before = read_records(folder / "seed-0" / "metrics.jsonl")
    assert bench(folder, "--json") == 0
    assert read_records(folder / "seed-0" / "metrics.jsonl") == before


def test_a_goal_that_is_not_reached_is_red(tmp_path: Path) -> None:
    assert bench(tmp_path, "--level", "1000", "--seeds", "1", "--keep", "0") == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--seeds", "0"], "--seeds must be at least 1, got 0"),
        (["seed=3"], "seed=3: say it with --seeds"),
        (["steps=3000"], "steps=3000: say it with --by and --keep"),
        (["eval.every=100"], "eval.every=100: say it with --look and --every"),
        (["--look", "100"], "--every must be a multiple of --look, got 128 and 100"),
        (["algo.horizn=3"], "horizn"),
        (["--preset", "cartpol"], "cartpol"),
    ],
)
def test_a_wrong_call_trains_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], why: str
) -> None:
    assert bench(tmp_path / "new", *words) == 2
    assert why in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_the_runs_of_another_benchmark_are_not_mixed_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "words.txt").write_text("preset=other\n")
    assert bench(tmp_path) == 2
    assert "choose another folder" in capsys.readouterr().err
