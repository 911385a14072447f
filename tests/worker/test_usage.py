"""What a job uses, and when that is too much."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from worker import usage
from worker.usage import Meter, exceeded

LARGE = "x = bytearray(100 * 2**20); print('up', flush=True); import time; time.sleep(60)"
TREE = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {LARGE!r}])
time.sleep(60)
"""


def test_the_memory_of_all_its_processes_counts(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TREE], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as top:
        assert top.stdout is not None
        assert top.stdout.readline() == "up\n"
        meter = Meter(top.pid, tmp_path, ())
        found = meter.sample()
        os.killpg(top.pid, signal.SIGKILL)
    assert 100 < found["rss_mib"] < 200
    assert meter.sample()["rss_mib"] == 0
    assert meter.peak["rss_mib"] == found["rss_mib"]


def test_a_busy_process_shows_its_share_of_a_core() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        meter = Meter(busy.pid, Path("/nonexistent"), ())
        meter.sample()
        time.sleep(0.5)
        share = meter.sample()["cpu_percent"]
        busy.kill()
    assert share > 1  # of a core that others may want too


def test_the_disk_of_its_folder_counts(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(b"x" * 2**20)
    assert usage.disk_mib(tmp_path) == pytest.approx(1.0, abs=0.1)
    assert usage.disk_mib(tmp_path / "nowhere") == 0


def test_devices_are_asked_for_by_name_and_added_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\n[ "$1" = "--id=0,3" ] && printf "1000, 50\\n2000, 90\\n"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert usage.gpu_use(["0", "3"]) == {"gpu_mib": 3000, "gpu_percent": 70}
    assert usage.gpu_use(["1"]) == {}
    assert usage.gpu_use([]) == {}


def test_a_machine_without_the_tool_tells_nothing_of_its_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert usage.gpu_use(["0"]) == {}


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({}, None),
        ({"rss_mib": None}, None),
        ({"rss_mib": 2048}, None),
        ({"rss_mib": 2047}, "It used 2,048 MiB of memory; its limit is 2,047."),
        ({"disk_mib": 9}, "Its folder took 10 MiB of disk; its limit is 9."),
        ({"gpu_mib": 1}, None),  # nobody knows
        ({"seconds": 59}, "It ran for 60 s; its limit is 59."),
        ({"seconds": 60}, None),
    ],
)
def test_only_what_is_over_a_limit_is_told(limits: dict[str, float | None], sentence: str | None) -> None:
    assert exceeded(limits, {"rss_mib": 2048, "disk_mib": 10}, seconds=60) == sentence


def test_folders_that_vanish_while_they_are_measured_do_no_harm(tmp_path: Path) -> None:
    is_over = threading.Event()

    def come_and_go() -> None:
        while not is_over.is_set():
            for number in range(20):
                (tmp_path / f"step_{number}" / "inside").mkdir(parents=True)
            for number in range(20):
                shutil.rmtree(tmp_path / f"step_{number}")

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        until = time.monotonic() + 1
        while time.monotonic() < until:
            usage.disk_mib(tmp_path)
    finally:
        is_over.set()
        thread.join()
