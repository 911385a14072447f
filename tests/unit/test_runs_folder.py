"""A run's folder: its name and contents, and that one process at a time writes in it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dreamer_core.config import Config, from_mapping, load_config
from dreamer_core.errors import UsageError
from dreamer_core.runs.atomic import write_json, write_text
from dreamer_core.runs.folder import RunFolder, create_run, open_run
from dreamer_core.runs.manifest import start_manifest

HOLD_LOCK = """
import sys
from pathlib import Path
from dreamer_core.runs.folder import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


def a_run(root: Path) -> RunFolder:
    config = load_config(preset="bandit+debug")
    folder = create_run(root, config)
    start_manifest(folder, config, "train")
    return folder


def test_a_run_is_named_by_time_recipe_environment_and_tag(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "runs", load_config(["run.tag=first-try"], preset="bandit+debug"))
    time, recipe, env, tag, unique = folder.run_id.split("__")
    assert (recipe, env, tag) == ("nature", "dreamgate-Bandit-v0", "first-try")
    assert [len(part) for part in time.split("_")] == [8, 6]
    assert len(unique) == 8
    assert folder.path == tmp_path / "runs" / folder.run_id


def test_two_runs_of_the_same_second_have_different_folders(tmp_path: Path) -> None:
    config = load_config(preset="bandit")
    assert create_run(tmp_path, config).path != create_run(tmp_path, config).path


def test_the_config_in_the_folder_is_the_config_of_the_run(tmp_path: Path) -> None:
    config = load_config(["seed=7"], preset="bandit+debug")
    folder = create_run(tmp_path, config)
    assert from_mapping(Config, json.loads(folder.config.read_text())) == config


def test_a_run_can_be_opened_again_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = a_run(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert open_run(Path(folder.run_id)) == folder


def test_opening_what_is_no_run_says_what_to_give_instead(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: there is no such run folder"):
        open_run(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"it has no config\.json and no manifest\.json; give the folder that"):
        open_run(tmp_path)


def test_another_process_cannot_take_the_lock_until_its_holder_is_dead(tmp_path: Path) -> None:
    folder = a_run(tmp_path)
    command = [sys.executable, "-c", HOLD_LOCK, str(folder.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(UsageError, match=f"is in use by process {holder.pid}: wait"), folder.locked():
            pass
        with folder.locked(rank=1):  # a rank of the same run has a lock of its own
            pass
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        with folder.locked():
            pass


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    folder = a_run(tmp_path)
    with pytest.raises(ValueError, match="training broke"), folder.locked():
        raise ValueError("training broke")
    with folder.locked():
        pass


def test_a_file_that_cannot_be_written_whole_keeps_its_old_content(tmp_path: Path) -> None:
    path = tmp_path / "below" / "file.json"
    write_json(path, {"loss": 1})
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "cannot be encoded: \ud800")
    assert json.loads(path.read_text()) == {"loss": 1}
    assert [entry.name for entry in path.parent.iterdir()] == ["file.json"]


def test_runs_and_metric_files_need_no_torch() -> None:
    modules = "dreamer_core.runs.manifest, dreamer_core.metrics.sink, dreamer_core.metrics.names"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
