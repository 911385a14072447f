"""What a failed run leaves behind: the first failure, whole and repeatable."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dreamer_core.errors import NonFiniteError
from dreamer_core.runs.folder import RunFolder, create_run
from dreamer_core.training.failure import first_non_finite, write_bundle
from tests.unit.checkpoints import CONFIG, every_dtype, same_bits


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return create_run(tmp_path / "runs with spaces", CONFIG)


def fail(folder: RunFolder, name: str, step: int) -> Path:
    try:
        raise NonFiniteError(name, step=step)
    except NonFiniteError as error:
        return write_bundle(folder, error, step=step, env_steps=100, tensors=every_dtype(), first_bad=name)


def test_the_report_names_the_tensor_the_step_and_the_place(folder: RunFolder) -> None:
    report = json.loads(fail(folder, "Loss/policy_loss", 17).read_text())
    assert report["kind"] == "NonFiniteError"
    assert report["message"] == "Loss/policy_loss is not finite at update 17; training stopped"
    assert (report["first_bad_tensor"], report["step"], report["env_steps"]) == ("Loss/policy_loss", 17, 100)
    assert "in fail\n" in report["traceback"]
    assert report["command"]
    assert report["batch_problem"] is None


def test_the_batch_is_kept_bit_for_bit(folder: RunFolder) -> None:
    fail(folder, "batch/reward", 1)
    found = load_file(folder.failure / "batch.safetensors")
    assert all(same_bits(found[name], tensor) for name, tensor in every_dtype().items())


def test_the_first_failure_is_kept(folder: RunFolder) -> None:
    fail(folder, "Loss/reward_loss", 5)
    first = {path.name: path.read_bytes() for path in folder.failure.iterdir()}
    fail(folder, "Loss/value_loss", 9)
    assert {path.name: path.read_bytes() for path in folder.failure.iterdir()} == first
    assert first.keys() == {"failure.json", "batch.safetensors", "repro.sh"}


def test_the_repro_script_resumes_the_run_from_wherever_it_lies(folder: RunFolder, tmp_path: Path) -> None:
    (folder.checkpoints / "last.json").write_text("{}")
    fail(folder, "Loss/reward_loss", 5)
    moved = folder.path.rename(tmp_path / "moved run")
    assert words_of_repro(moved, tmp_path) == ["train", "--resume", str(moved)]


def test_the_repro_script_of_a_run_without_a_checkpoint_starts_it_anew(folder: RunFolder, tmp_path: Path) -> None:
    fail(folder, "Loss/reward_loss", 5)
    assert words_of_repro(folder.path, tmp_path) == ["train", "--config", str(folder.config)]


def words_of_repro(run: Path, tmp_path: Path) -> list[str]:
    """What failure/repro.sh gives to dreamgate."""
    echo = tmp_path / "echo arguments"
    echo.write_text('#!/bin/sh\nfor each in "$@"; do echo "$each"; done\n')
    echo.chmod(0o755)
    done = subprocess.run(
        [run / "failure" / "repro.sh"],
        env={**os.environ, "DREAMGATE": str(echo)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_a_batch_that_cannot_be_saved_does_not_hide_the_failure(folder: RunFolder) -> None:
    (folder.failure / "batch.safetensors").mkdir(parents=True)
    report = json.loads(fail(folder, "Loss/reward_loss", 5).read_text())
    assert report["first_bad_tensor"] == "Loss/reward_loss"
    assert report["batch_problem"]


def test_the_first_bad_tensor_is_found_in_order() -> None:
    fine, counts = torch.ones(3), torch.tensor([1, 2])
    nan, infinite = torch.tensor([1.0, torch.nan]), torch.tensor(-torch.inf)
    assert first_non_finite([("fine", fine), ("infinite", infinite), ("nan", nan)]) == "infinite"
    assert first_non_finite([("counts", counts), ("nan", nan)]) == "nan"
    assert first_non_finite([("fine", fine), ("counts", counts), ("empty", torch.zeros(0))]) is None
