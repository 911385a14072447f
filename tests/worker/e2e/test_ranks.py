"""A job on several GPUs: torchrun's ranks, here on the CPU, stopped, killed and gone on with as one."""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from dreamer_core.config import load_config, to_mapping
from dreamer_core.remote.worker_messages import Claim
from tests.worker.e2e.conftest import WORDS
from tests.worker.e2e.processes import plain, wait_for
from tests.worker.fakes import FakeServer, a_claim
from worker.places import Places
from worker.settings import Settings
from worker.slots import Seat
from worker.source import Source
from worker.stopping import Why
from worker.supervise import Supervision
from worker.tools import Tools

pytestmark = pytest.mark.slow
SEAT = Seat(("0", "1"), 1)
MIDDLE = 13


def a_job(attempt: int = 1, server: FakeServer | None = None) -> Claim:
    known = server or FakeServer()
    return a_claim(
        attempt=attempt, gpus=2, config=to_mapping(load_config(WORDS)),
        records=len(known.records), events=len(known.events), log_bytes=len(known.log),
    )  # fmt: skip


def run_until(server: FakeServer, supervision: Supervision, then: Callable[[], None]) -> None:
    thread = threading.Thread(target=supervision.run)
    thread.start()
    wait_for(lambda: len(server.records) >= MIDDLE, 120, lambda: server.log.decode())
    then()
    thread.join(120)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    server, folder = FakeServer(), tmp_path_factory.mktemp("undisturbed")
    Supervision(tools_at(folder, server), a_job(), SEAT).run()
    assert [ending.outcome for ending in server.endings] == ["succeeded"], server.log.decode()
    return plain(server.records)


def tools_at(folder: Path, server: FakeServer) -> Tools:
    places = Places(folder)
    settings = Settings(server="", token=None, broker_url=None, runs=folder, source_repo=None, grace_s=60)
    source = Source(places.source, None)
    return Tools(settings=settings, client=server.client, heart=server.client, places=places, source=source)


def test_drained_they_go_on_elsewhere(tmp_path: Path, server: FakeServer, undisturbed: list[dict[str, str]]) -> None:
    tools = tools_at(tmp_path / "first", server)
    first = Supervision(tools, a_job(), SEAT)
    run_until(server, first, lambda: first.order.ask(Why.DRAIN, "going"))
    assert [ending.outcome for ending in server.endings] == ["drained"], server.log.decode()
    elsewhere = replace(tools, places=Places(tmp_path / "second"))
    Supervision(elsewhere, a_job(2, server), SEAT).run()
    assert server.endings[-1].outcome == "succeeded", server.log.decode()
    assert "training continues after" in server.log.decode()
    assert plain(server.records) == undisturbed


def test_when_one_of_them_is_killed_the_job_goes_on_from_its_checkpoint(
    tmp_path: Path, server: FakeServer, undisturbed: list[dict[str, str]]
) -> None:
    supervision = Supervision(tools_at(tmp_path, server), a_job(), SEAT)

    def kill_one() -> None:
        child = supervision._watch.child
        assert child is not None
        os.kill(psutil.Process(child.pid).children()[-1].pid, signal.SIGKILL)

    run_until(server, supervision, kill_one)
    assert [ending.outcome for ending in server.endings] == ["succeeded"], server.log.decode()
    assert "its process died (exit code -9), time 1" in server.log.decode()
    assert plain(server.records) == undisturbed


def test_when_their_launcher_is_killed_they_end_and_go_on(
    tmp_path: Path, server: FakeServer, undisturbed: list[dict[str, str]]
) -> None:
    supervision = Supervision(tools_at(tmp_path, server), a_job(), SEAT)
    ranks: list[psutil.Process] = []

    def kill_launcher() -> None:
        child = supervision._watch.child
        assert child is not None
        ranks.extend(psutil.Process(child.pid).children())
        os.kill(child.pid, signal.SIGKILL)

    run_until(server, supervision, kill_launcher)
    assert [ending.outcome for ending in server.endings] == ["succeeded"], server.log.decode()
    assert len(ranks) == 2
    assert not any(rank.is_running() for rank in ranks)
    assert plain(server.records) == undisturbed
