"""Whatever is killed in the middle of a training run: it ends succeeded, with the series of an undisturbed run."""

import re
import shutil
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from tests.worker.e2e.conftest import WORDS
from tests.worker.e2e.processes import LEASE_S, Stage, free_port, kill, wait_for

MIDDLE = 13  # records, of about 28: behind a checkpoint, with records that it has not seen


def begin(stage: Stage, **fields: object) -> str:
    """A job in the middle of its training."""
    run_id = stage.submit(*WORDS, **fields)
    wait_for(lambda: stage.records(run_id) >= MIDDLE, 90, lambda: stage.tell(run_id))
    assert stage.state(run_id) == "running"
    return run_id


def assert_undisturbed(stage: Stage, run_id: str, undisturbed: list[dict[str, str]]) -> None:
    job = stage.wait_until(run_id, "succeeded", "failed", timeout_s=180)
    assert job.state == "succeeded", stage.tell(run_id)
    assert stage.numbers(run_id) == undisturbed


def test_kill_9_of_the_child(stage: Stage, undisturbed: list[dict[str, str]]) -> None:
    stage.serve()
    worker = stage.work()
    run_id = begin(stage)
    stage.child_of(worker).send_signal(signal.SIGKILL)
    assert_undisturbed(stage, run_id, undisturbed)
    job = stage.job(run_id)
    assert [attempt.outcome for attempt in job.attempts] == ["succeeded"]
    assert "its process died (exit code -9), time 1" in stage.client.read_log(run_id)


@pytest.mark.slow
def test_kill_9_of_the_worker_and_another_one_in_its_place(stage: Stage, undisturbed: list[dict[str, str]]) -> None:
    stage.serve()
    worker = stage.work()
    run_id = begin(stage)
    orphan = stage.child_of(worker)
    kill(worker)
    stage.work()
    assert_undisturbed(stage, run_id, undisturbed)
    assert not orphan.is_running()
    assert [attempt.outcome for attempt in stage.job(run_id).attempts] == ["lost", "succeeded"]
    assert "training continues after" in stage.client.read_log(run_id)


@pytest.mark.slow
def test_kill_9_of_the_worker_and_another_one_elsewhere_starts_over(
    stage: Stage, undisturbed: list[dict[str, str]]
) -> None:
    stage.serve()
    worker = stage.work()
    run_id = begin(stage)
    kill(worker)
    stage.work("second")
    assert_undisturbed(stage, run_id, undisturbed)
    assert [attempt.worker for attempt in stage.job(run_id).attempts] == ["first", "second"]


@pytest.mark.slow
def test_kill_9_of_the_server(stage: Stage, undisturbed: list[dict[str, str]]) -> None:
    server = stage.serve()
    stage.work()
    run_id = begin(stage)
    waiting = stage.submit("preset=bandit+debug", "device=cpu")
    kill(server)
    stage.serve()
    assert_undisturbed(stage, run_id, undisturbed)
    assert [attempt.outcome for attempt in stage.job(run_id).attempts] == ["succeeded"]
    assert stage.wait_until(waiting, "succeeded", "failed").state == "succeeded"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server on this machine")
def test_kill_9_of_the_broker(stage: Stage, undisturbed: list[dict[str, str]]) -> None:
    port = free_port()
    broker = stage.broker(port)
    stage.serve()
    stage.work(DREAMGATE_LOOK_S="600")  # only the broker wakes it up
    run_id = begin(stage)
    kill(broker)
    waiting = stage.submit("preset=bandit+debug", "device=cpu")
    stage.broker(port)
    assert_undisturbed(stage, run_id, undisturbed)
    assert stage.wait_until(waiting, "succeeded", "failed").state == "succeeded"
    last = stage.submit("preset=bandit+debug", "device=cpu")
    assert stage.wait_until(last, "succeeded", "failed").state == "succeeded"


@pytest.mark.slow
def test_a_drained_worker_hands_its_job_to_another_one_elsewhere(
    stage: Stage, undisturbed: list[dict[str, str]]
) -> None:
    stage.serve()
    worker = stage.work()
    run_id = begin(stage)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    assert stage.state(run_id) == "queued"
    assert [each.state for each in stage.client.workers()] == ["offline"]
    stage.work("second")
    assert_undisturbed(stage, run_id, undisturbed)
    assert [attempt.outcome for attempt in stage.job(run_id).attempts] == ["drained", "succeeded"]
    found = re.findall(r"training continues after (\d+) records", stage.client.read_log(run_id))
    assert len(found) == 1
    assert int(found[0]) >= MIDDLE  # not from the start: the state came over the server


@pytest.mark.slow
def test_a_database_that_is_locked_for_longer_than_a_lease_costs_nothing(
    stage: Stage, undisturbed: list[dict[str, str]]
) -> None:
    stage.serve()
    stage.work()
    run_id = begin(stage)
    with closing(sqlite3.connect(stage.folder / "data" / "dreamgate.db", isolation_level=None)) as somebody:
        somebody.execute("BEGIN EXCLUSIVE")
        time.sleep(5 * LEASE_S)
    assert_undisturbed(stage, run_id, undisturbed)
    assert [attempt.outcome for attempt in stage.job(run_id).attempts] == ["succeeded"]


@pytest.mark.slow
def test_a_server_that_is_away_for_long_misses_nothing(stage: Stage, undisturbed: list[dict[str, str]]) -> None:
    server = stage.serve()
    worker = stage.work()
    run_id = begin(stage)
    child = stage.child_of(worker)
    kill(server)
    wait_for(lambda: not child.is_running() or child.status() == "zombie", 90)
    stage.serve()
    assert_undisturbed(stage, run_id, undisturbed)


@pytest.mark.slow
def test_a_worker_that_was_thought_dead_does_not_disturb_the_next_one(
    stage: Stage, undisturbed: list[dict[str, str]]
) -> None:
    stage.serve()
    worker = stage.work()
    run_id = begin(stage)
    child = stage.child_of(worker)
    worker.send_signal(signal.SIGSTOP)  # longer than its lease, as a machine that sleeps
    child.send_signal(signal.SIGSTOP)
    stage.work("second")
    wait_for(lambda: len(stage.job(run_id).attempts) == 2, 60, lambda: stage.tell(run_id))
    child.send_signal(signal.SIGCONT)
    worker.send_signal(signal.SIGCONT)
    assert_undisturbed(stage, run_id, undisturbed)
    assert [attempt.worker for attempt in stage.job(run_id).attempts] == ["first", "second"]
    wait_for(lambda: not child.is_running(), 60)


@pytest.mark.slow
def test_a_worker_that_is_told_twice_to_go_kills_its_child_and_another_one_goes_on(
    stage: Stage, undisturbed: list[dict[str, str]]
) -> None:
    stage.serve()
    worker = stage.work()
    run_id = begin(stage)
    child = stage.child_of(worker)
    child.send_signal(signal.SIGSTOP)  # it cannot save
    worker.send_signal(signal.SIGTERM)
    time.sleep(1.5)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(20) == 137
    wait_for(lambda: not child.is_running(), 10)
    stage.work()
    assert_undisturbed(stage, run_id, undisturbed)
