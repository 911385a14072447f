"""What a worker says of itself."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dreamer_core.errors import UsageError
from worker.facts import describe_machine, device_names, take_name


def test_names_are_taken_once_and_are_the_same_after_a_restart(tmp_path: Path) -> None:
    host = socket.gethostname()
    first, held = take_name(tmp_path, None)
    second, also_held = take_name(tmp_path, None)
    assert (first, second) == (host, f"{host}-2")
    held.close()
    again, held = take_name(tmp_path, None)
    assert again == host
    held.close()
    also_held.close()


def test_a_name_that_is_asked_for_twice_is_refused(tmp_path: Path) -> None:
    _, held = take_name(tmp_path, "lab")
    with held, pytest.raises(UsageError, match="a worker with the name 'lab' runs here already"):
        take_name(tmp_path, "lab")


def test_devices_are_called_as_the_environment_calls_them() -> None:
    assert device_names(2, {}) == ("0", "1")
    assert device_names(2, {"CUDA_VISIBLE_DEVICES": "3, GPU-5"}) == ("3", "GPU-5")
    assert device_names(0, {"CUDA_VISIBLE_DEVICES": ""}) == ()


def test_the_machine_is_described_without_loading_torch_here() -> None:
    found = describe_machine()
    assert len(found["testbed"]["fingerprint"]) == 12
    assert found["cores"] >= 1
    assert found["memory_mib"] > 100
    assert isinstance(found["devices"], list)


def test_where_torch_cannot_be_loaded_it_is_said_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libcudart.so: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"torch cannot be loaded here, .*libcudart.so: cannot open"):
        describe_machine()


def test_the_command_costs_nothing_until_it_is_called() -> None:
    code = (
        "import sys, worker.cli; sys.exit(any(name in sys.modules for name in ('psutil', 'celery', 'httpx2', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
