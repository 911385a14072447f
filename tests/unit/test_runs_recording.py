"""An evaluation, a benchmark or a film as a run of its own, however it ends."""

import signal
from pathlib import Path

import pytest

from dreamer_core.config import load_config
from dreamer_core.errors import Stopped, UsageError
from dreamer_core.metrics.sink import read_records
from dreamer_core.runs import manifest
from dreamer_core.runs.folder import RunFolder
from dreamer_core.runs.recording import record, recording

CONFIG = load_config(["seed=7"], preset="bandit+debug")


def test_it_leaves_a_folder_with_its_config_a_record_and_a_manifest(tmp_path: Path) -> None:
    with recording(tmp_path / "a-run", CONFIG, "eval") as folder:
        assert manifest.read(folder).status == "running"
        record(folder, {"eval/mean_return": 9.5, "wall_time_s": 2.0}, env_steps=64, train_steps=12)
    found = manifest.read(folder)
    assert (found.run_id, found.kind, found.status, found.seed) == ("a-run", "eval", "succeeded", 7)
    [line] = read_records(folder.metrics)
    assert line == {
        "run_id": "a-run", "trace_id": found.trace_id,
        "env_steps": 64, "train_steps": 12, "wall_time_s": 2.0, "eval/mean_return": 9.5,
    }  # fmt: skip


def test_its_error_is_in_the_manifest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such world"), recording(tmp_path / "a-run", CONFIG, "viz"):
        raise ValueError("no such world")
    found = manifest.read(RunFolder(tmp_path / "a-run"))
    assert (found.status, found.outcome.error) == ("failed", "ValueError: no such world")


def test_asked_to_stop_it_stops_at_once_and_says_so(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped, match="stopped by SIGTERM"), recording(tmp_path / "a-run", CONFIG, "bench"):
        signal.raise_signal(signal.SIGTERM)
    assert manifest.read(RunFolder(tmp_path / "a-run")).status == "interrupted"
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"is not empty: a new run needs a folder of its own"):
        recording(tmp_path, CONFIG, "eval").__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
