"""A disk that fills up under a job, for real: a file system of 100 MB in memory, made and removed here."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreamer_core.config import load_config, to_mapping
from dreamer_core.metrics.sink import read_records
from dreamer_core.remote.worker_messages import WorkerFacts
from tests.worker.e2e.processes import wait_for
from tests.worker.fakes import FakeServer, a_claim
from worker.loop import Worker
from worker.places import Places
from worker.settings import Settings
from worker.slots import Slots
from worker.source import Source
from worker.tools import Tools

WORDS = ["preset=cartpole+debug", "device=cpu", "run.log_every=100", "eval.every=0", "run.checkpoint_every=500"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "disk"
    path.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(path)]
    if subprocess.run(mounting, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a file system")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
def worker(disk: Path, server: FakeServer) -> Iterator[Worker]:
    places = Places(disk / "runs")
    settings = Settings(
        server="", token=None, broker_url=None, runs=places.runs, source_repo=None, grace_s=30, look_s=0.2
    )
    tools = Tools(
        settings=settings, client=server.client, heart=server.client, places=places, source=Source(places.source, None)
    )
    made = Worker(tools, WorkerFacts(name="lab", host="here", pid=1, queues=("cpu",), slots=1), Slots(1, (), 1))
    made.register()
    yield made
    made.leave()
    wait_for(made.is_idle)
    made.say_goodbye()


def fill(disk: Path) -> Path:
    """To the last byte."""
    path = disk / "somebody else's"
    with path.open("wb", buffering=0) as file:
        for size in (2**20, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return path


def test_the_job_stops_and_names_the_place_and_with_room_again_the_next_one_runs(
    disk: Path, server: FakeServer, worker: Worker
) -> None:
    long, short = (to_mapping(load_config([*WORDS, f"algo.total_steps={steps}"])) for steps in (10**6, 200))
    server.queue = [a_claim(run_id="aaa", config=long)]
    worker.start()
    wait_for(lambda: len(server.records) >= 7, 60, server.log.decode)
    full = fill(disk)
    wait_for(lambda: server.endings, 60, server.log.decode)
    [ending] = server.endings
    assert (ending.outcome, ending.exit_code) == ("failed", 4)
    assert "No space left on device" in str(ending.error).splitlines()[0], server.log.decode()
    assert str(disk / "runs") in str(ending.error)
    assert len(read_records(disk / "runs" / "aaa" / "metrics.jsonl")) == len(server.records)
    assert not list((disk / "runs" / "aaa" / "checkpoints").glob(".half*"))
    wait_for(lambda: server.problem is not None, 10)
    server.queue = [a_claim(run_id="bbb", config=short, records=len(server.records))]
    full.unlink()
    wait_for(lambda: len(server.endings) == 2, 60, server.log.decode)
    assert server.endings[-1].outcome == "succeeded", server.endings
