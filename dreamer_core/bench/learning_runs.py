"""The runs of a learning benchmark: one folder for each seed, gone on with where it was left, or used as it is."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dreamer_core.errors import OK, UsageError
from dreamer_core.metrics.sink import Record, read_records
from dreamer_core.runs import manifest
from dreamer_core.runs.folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Up to a step, with an evaluation every so many."""

    env_steps: int
    evaluate_every: int

    @property
    def words(self) -> list[str]:
        return [f"algo.total_steps={self.env_steps}", f"eval.every={self.evaluate_every}"]


def train(seed: int, words: Sequence[str], stages: Sequence[Stage], folder: RunFolder) -> str:
    """What went wrong; empty where nothing did. A stage that is over is not run again."""
    for stage in stages:
        if error := "" if _is_over(stage, folder) else _run(seed, words, stage, folder):
            return error
    return ""


def _is_over(stage: Stage, folder: RunFolder) -> bool:
    if not folder.manifest.exists():
        return False
    run = manifest.read(folder)
    return run.status == "succeeded" and run.progress.env_steps >= stage.env_steps


def _run(seed: int, words: Sequence[str], stage: Stage, folder: RunFolder) -> str:
    begun = folder.checkpoints.exists() and any(folder.checkpoints.iterdir())
    how = ["--resume", str(folder.path)] if begun else [*words, f"seed={seed}", "--into", str(folder.path)]
    command = [sys.executable, "-m", "dreamer_core.cli.main", "train", *how, *stage.words, "--json"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603  # our own command
    return "" if done.returncode == OK else (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]


def records(folder: RunFolder) -> list[Record]:
    return read_records(folder.metrics) if folder.metrics.exists() else []


def refuse_others(folder: Path, words: Sequence[str]) -> None:
    """Another benchmark's runs are not this one's."""
    path, said = folder / "words.txt", "\n".join(words) + "\n"
    if path.exists() and path.read_text() != said:
        raise UsageError(
            f"{folder} holds runs of {path.read_text().split()}, not of {list(words)}: choose another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(said)
