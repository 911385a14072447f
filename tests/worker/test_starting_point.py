"""What a job starts from: nothing, its folder, or what another worker left on the server."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dreamer_core.config import load_config
from dreamer_core.errors import UsageError
from dreamer_core.runs import manifest
from dreamer_core.runs.atomic import write_json
from dreamer_core.runs.folder import RunFolder, create_run_in
from tests.worker.fakes import RUN, FakeServer, a_claim
from worker import starting_point
from worker.checkpoints import resumable_at, step_of
from worker.places import Places
from worker.stopping import StopOrder, Why

CONFIG = load_config(["seed=7"], preset="bandit+debug")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "runs")


def a_run(places: Places, *steps: int, replay: bool = True) -> RunFolder:
    folder = create_run_in(places.run(RUN).path, CONFIG)
    manifest.start_manifest(folder, CONFIG, "train")
    for step in steps:
        save(folder.checkpoints, step, replay=replay)
    return folder


def save(checkpoints: Path, step: int, *, replay: bool = True) -> None:
    path = checkpoints / f"step_{step:012d}"
    write_json(path / "checkpoint.json", {})
    if replay:
        (path / "replay.safetensors").write_bytes(b"replay")
    write_json(checkpoints / "last.json", {"path": path.name, "sha256": ""})


def on_server(server: FakeServer, folder: RunFolder) -> None:
    for path in folder.path.rglob("*"):
        if path.is_file():
            server.files[str(path.relative_to(folder.path))] = path.read_bytes()


def lay(server: FakeServer, places: Places, **claim: object) -> int | None:
    asked = a_claim(**claim)
    desk = places.desk(RUN, asked.attempt)
    return starting_point.prepare(server.client, asked, places.run(RUN), desk, afresh=asked.fresh).resumes_at


def test_where_nothing_is_it_begins(server: FakeServer, places: Places) -> None:
    assert lay(server, places) is None
    assert lay(server, places, attempt=2) is None


def test_a_folder_with_a_whole_checkpoint_goes_on(server: FakeServer, places: Places) -> None:
    a_run(places, 40, 80)
    assert lay(server, places) == 80


@pytest.mark.parametrize("what", ["no checkpoint", "no replay", "no seal", "no manifest"])
def test_a_folder_that_cannot_go_on_is_cleared(server: FakeServer, places: Places, what: str) -> None:
    folder = a_run(places, *(() if what == "no checkpoint" else (40,)), replay=what != "no replay")
    if what == "no seal":
        (folder.checkpoints / "step_000000000040" / "checkpoint.json").unlink()
    if what == "no manifest":
        folder.manifest.unlink()
    assert lay(server, places) is None
    assert not folder.path.exists()


def test_evaluations_always_begin_anew(server: FakeServer, places: Places) -> None:
    folder = a_run(places, 40)
    assert lay(server, places, kind="eval") is None
    assert not folder.path.exists()


def test_the_further_state_wins_here_or_on_the_server(server: FakeServer, places: Places, tmp_path: Path) -> None:
    elsewhere = Places(tmp_path / "elsewhere")
    on_server(server, a_run(elsewhere, 80))
    assert lay(server, places, attempt=2) == 80
    assert (places.run(RUN).checkpoints / "step_000000000080" / "replay.safetensors").is_file()
    save(places.run(RUN).checkpoints, 120)
    assert lay(server, places, attempt=3) == 120


def test_an_upload_without_replay_is_nothing_to_go_on_from(server: FakeServer, places: Places, tmp_path: Path) -> None:
    on_server(server, a_run(Places(tmp_path / "elsewhere"), 80, replay=False))
    assert lay(server, places, attempt=2) is None


def test_a_folder_from_before_a_retry_elsewhere_is_not_gone_on_with(server: FakeServer, places: Places) -> None:
    folder = a_run(places, 40)
    server.manifest = {"trace_id": "of another beginning"}
    assert lay(server, places, attempt=3) is None
    assert not folder.path.exists()


def test_ranks_that_stand_at_different_moments_cannot_go_on(places: Places) -> None:
    folder = a_run(places, 40)
    save(folder.path / "ranks" / "1" / "checkpoints", 40)
    assert resumable_at(folder, ranks=2) == 40
    save(folder.path / "ranks" / "1" / "checkpoints", 80)
    assert resumable_at(folder, ranks=2) is None


def test_a_name_that_is_no_checkpoint_has_no_step() -> None:
    assert step_of("step_000000000040_2") == 40
    assert step_of("../../etc") == -1


def test_it_waits_until_nobody_writes_in_the_folder(places: Places) -> None:
    folder = a_run(places)
    with folder.locked():
        waiting = threading.Thread(
            target=starting_point.wait_until_free, args=(folder, places.desk(RUN, 2), StopOrder(), 10)
        )
        waiting.start()
        time.sleep(0.3)
        assert waiting.is_alive()
    waiting.join(5)
    assert not waiting.is_alive()


def test_it_does_not_wait_for_ever_nor_when_it_is_to_stop(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting_point, "_MORE_S", 0.1)
    folder, order = a_run(places), StopOrder()
    with folder.locked(rank=1):
        with pytest.raises(UsageError, match="is in use by process"):
            starting_point.wait_until_free(folder, places.desk(RUN, 2), order, 0.1)
        order.ask(Why.CANCEL, "It was cancelled.")
        starting_point.wait_until_free(folder, places.desk(RUN, 2), order, 60)


DEAF = """
import fcntl, os, sys, time
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.write(str(os.getpid()))
lock.flush()
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("is_of_a_worker", [True, False])
def test_of_those_that_do_not_leave_the_folder_only_a_worker_s_own_child_is_killed(
    places: Places, monkeypatch: pytest.MonkeyPatch, is_of_a_worker: bool
) -> None:
    monkeypatch.setattr(starting_point, "_MORE_S", 0.2)
    folder, earlier, now = a_run(places), places.desk(RUN, 1), places.desk(RUN, 2)
    earlier.path.mkdir(parents=True)
    where = earlier.path if is_of_a_worker else folder.path
    command = [sys.executable, "-c", DEAF, str(folder.lock())]
    with subprocess.Popen(command, cwd=where, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        if is_of_a_worker:
            starting_point.wait_until_free(folder, now, StopOrder(), 0.1)
            assert holder.wait(5) == -9
        else:
            with pytest.raises(UsageError, match=f"is in use by process {holder.pid}"):
                starting_point.wait_until_free(folder, now, StopOrder(), 0.1)
            assert holder.poll() is None
            holder.kill()
