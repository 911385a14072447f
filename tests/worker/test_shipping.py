"""Metrics, events and log of a job, on their way for as long as it takes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dreamer_core.remote.worker_messages import Progress
from dreamer_core.runs.folder import RunFolder
from tests.worker.fakes import FakeClient, FakeServer, a_claim
from worker.places import Desk
from worker.shipping import Shipper
from worker.stopping import StopOrder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


@pytest.fixture
def order() -> StopOrder:
    return StopOrder()


@pytest.fixture
def shipper(server: FakeServer, folder: RunFolder, order: StopOrder, tmp_path: Path) -> Iterator[Shipper]:
    made = Shipper(server.client, a_claim(), folder, Desk(tmp_path), order)
    made.start()
    yield made
    made.close()
    made.join(5)


def write(folder: RunFolder, *steps: int) -> None:
    with folder.metrics.open("a") as file:
        file.writelines(json.dumps({"env_steps": step, "train_steps": 2, "sps": 9.5}) + "\n" for step in steps)


def test_the_log_goes_at_any_time_and_numbers_only_while_a_child_writes(
    shipper: Shipper, server: FakeServer, folder: RunFolder
) -> None:
    write(folder, 1, 2)
    shipper.job_log.write("a word")
    assert shipper.flush(5)
    assert (server.log, server.records) == (b"a word\n", [])
    shipper.open(0, 0)
    assert shipper.flush(5)
    assert len(server.records) == 2
    shipper.shut()
    write(folder, 3)
    assert shipper.flush(5)
    assert len(server.records) == 2


def test_what_a_resumed_child_will_write_again_is_taken_back_first(
    shipper: Shipper, server: FakeServer, folder: RunFolder
) -> None:
    write(folder, 1, 2, 3)
    shipper.open(0, 0)
    assert shipper.flush(5)
    shipper.shut()
    folder.metrics.write_text("")
    write(folder, 1)
    shipper.open(1, 0)
    write(folder, 20)
    assert shipper.flush(5)
    assert [record["env_steps"] for record in server.records] == [1, 20]
    assert server.rewinds[-1] == (1, 0)


def test_progress_is_that_of_the_newest_record(shipper: Shipper, folder: RunFolder) -> None:
    assert shipper.progress() is None
    write(folder, 1, 64)
    shipper.open(0, 0)
    assert shipper.flush(5)
    assert shipper.progress() == Progress(env_steps=64, train_steps=2, steps_per_s=9.5)


def test_nothing_has_arrived_while_the_server_is_away_and_all_of_it_later(
    shipper: Shipper, server: FakeServer, folder: RunFolder
) -> None:
    server.is_away = True
    write(folder, 1)
    shipper.open(0, 0)
    assert not shipper.flush(0.3)
    assert not shipper.is_refused
    server.is_away = False
    assert shipper.flush(10)
    assert len(server.records) == 1


def test_a_lost_lease_stops_the_job(shipper: Shipper, server: FakeServer, order: StopOrder) -> None:
    server.is_lost = True
    shipper.job_log.write("a word")
    assert order.wait(5)
    assert order.is_lost
    assert not shipper.flush(0.1)


def test_a_mistake_of_ours_is_logged_and_keeps_nobody_waiting_for_ever(
    shipper: Shipper, server: FakeServer, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistakes = iter([ZeroDivisionError])
    append = FakeClient.append_metrics

    def mistaken(self: FakeClient, *words: Any, **more: Any) -> int:
        if next(mistakes, None) is not None:
            raise ZeroDivisionError
        return append(self, *words, **more)

    monkeypatch.setattr(FakeClient, "append_metrics", mistaken)
    write(folder, 1, 2)
    shipper.open(0, 0)
    assert shipper.flush(5)
    assert len(server.records) == 2
