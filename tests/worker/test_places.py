"""Where a worker keeps things."""

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from dreamer_core.errors import UsageError
from worker.places import Places


@pytest.mark.parametrize("run_id", ["", "..", "../etc", "a/b", ".worker", "a\0b", "x" * 65])
def test_an_id_that_is_no_id_becomes_no_path(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(UsageError, match="cannot be the id of a run"):
        Places(tmp_path).run(run_id)


def test_the_papers_of_all_attempts_at_a_job_go_together(tmp_path: Path) -> None:
    here = Places(tmp_path)
    for run_id, attempt in (("aaa", 1), ("aaa", 2), ("aaa", 10), ("aaab", 1)):
        here.desk(run_id, attempt).path.mkdir(parents=True)
    here.clear_desks("aaa", 2)  # the tenth may be under way
    assert sorted(path.name for path in (tmp_path / ".worker" / "jobs").iterdir()) == ["aaa.10", "aaab.1"]


def test_a_folder_that_can_be_written_has_no_problem(tmp_path: Path) -> None:
    assert Places(tmp_path / "new").problem() is None


def test_a_runs_folder_that_is_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    assert str(Places(tmp_path / "runs").problem()).startswith(f"nothing can be written into {tmp_path / 'runs'}:")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_a_problem(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "Permission denied" in str(Places(tmp_path).problem())
    tmp_path.chmod(0o700)


def test_a_disk_that_is_nearly_full_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = namedtuple("disk", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk(63 * 2**20))
    assert Places(tmp_path).problem() == f"the disk of {tmp_path} has only 63 MiB left"
