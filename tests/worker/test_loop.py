"""The worker: takes jobs while it has room, is heard of, and goes when it is told to."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from dreamer_core.remote.errors import NotFound, Unreadable
from dreamer_core.remote.worker_messages import WorkerFacts
from tests.worker.fakes import FakeClient, FakeServer, a_claim
from worker.loop import Worker
from worker.slots import Slots
from worker.tools import Tools

FACTS = WorkerFacts(name="lab", host="here", pid=1, queues=("cpu",), slots=2)
Pretend = Callable[..., None]


def wait_for(is_time: Callable[[], object], timeout_s: float = 15) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_time():
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.02)


@pytest.fixture
def worker(tools: Tools, pretend_core: Pretend) -> Iterator[Worker]:
    made = Worker(tools, FACTS, Slots(2, ("0",), 4))
    made.register()
    yield made
    made.leave()
    wait_for(made.is_idle)
    made.say_goodbye()


def test_it_takes_one_job_after_the_other_until_there_is_none(worker: Worker, server: FakeServer) -> None:
    server.queue = [a_claim(run_id="aaa"), a_claim(run_id="bbb")]
    worker.work()
    assert [ending.outcome for ending in server.endings] == ["succeeded", "succeeded"]


def test_without_being_woken_up_it_looks_by_itself_and_fills_its_slots(
    worker: Worker, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=300)
    worker.start()
    server.queue = [a_claim(run_id="aaa"), a_claim(run_id="bbb"), a_claim(run_id="ccc")]
    wait_for(lambda: len(server.queue) == 1)
    time.sleep(0.3)
    assert len(server.queue) == 1
    assert len(worker._running) == 2


def test_a_device_is_never_given_to_two_jobs(worker: Worker, server: FakeServer, pretend_core: Pretend) -> None:
    pretend_core(records=50)
    server.queue = [a_claim(run_id="aaa", gpus=1), a_claim(run_id="bbb", gpus=1)]
    threads = [threading.Thread(target=worker.work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(server.endings) == 1  # this server gives more than was asked for: that lease would run out


def test_told_to_go_it_takes_no_more_and_running_jobs_go_back(
    worker: Worker, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=3000)
    worker.start()
    server.queue = [a_claim(run_id="aaa")]
    wait_for(lambda: server.records)
    worker.leave()
    server.queue = [a_claim(run_id="bbb")]
    wait_for(worker.is_idle)
    worker.say_goodbye()
    assert [ending.outcome for ending in server.endings] == ["drained"]
    assert len(server.queue) == 1
    assert server.states[-1] == "offline"


def test_a_server_that_forgot_it_is_told_again(
    worker: Worker, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat, forgotten = FakeClient.worker_heartbeat, iter([True])

    def forget_once(self: FakeClient, worker_id: str, *said: Any) -> float:
        if next(forgotten, False):
            raise NotFound("not_found", "no such worker", 404)
        return beat(self, worker_id, *said)

    monkeypatch.setattr(FakeClient, "worker_heartbeat", forget_once)
    worker.start()
    wait_for(lambda: server.states)
    assert [facts.name for facts in server.registered] == ["lab", "lab"]


def test_where_nothing_can_be_written_no_job_is_taken(
    tools: Tools, server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    tools.places.runs.parent.mkdir(exist_ok=True)
    tools.places.runs.touch()
    worker = Worker(replace(tools), FACTS, Slots(1, (), 1))
    worker.register()
    server.queue = [a_claim()]
    worker.work()
    assert len(server.queue) == 1
    assert "no jobs are taken: nothing can be written into" in caplog.text


def test_a_server_that_is_away_gives_no_job_and_does_no_harm(worker: Worker, server: FakeServer) -> None:
    server.is_away = True
    worker.work()
    server.is_away = False
    server.queue = [a_claim()]
    worker.work()
    assert [ending.outcome for ending in server.endings] == ["succeeded"]


def test_a_claim_whose_answer_was_lost_is_asked_again_and_each_job_is_run_once(
    worker: Worker, server: FakeServer
) -> None:
    server.queue = [a_claim(run_id="aaa"), a_claim(run_id="bbb")]
    server.loses_claims = 2
    for _ in range(3):
        worker.work()
    assert [ending.outcome for ending in server.endings] == ["succeeded", "succeeded"]
    assert server.calls.count("claim") == 5  # twice in vain, two jobs, and that there is none
    assert len(server.claimed) == 3


def test_a_job_that_runs_here_is_not_begun_again_when_it_is_given_again(
    worker: Worker, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=60)
    server.queue = [a_claim(run_id="aaa"), a_claim(run_id="aaa")]
    first = threading.Thread(target=worker.work)
    first.start()
    wait_for(lambda: server.records)
    worker.work()
    first.join(30)
    assert len(server.endings) == 1


def test_after_a_claim_that_it_did_not_understand_it_spares_the_other_jobs(
    worker: Worker, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def garble(self: FakeClient, worker_id: str, queues: object, free_gpus: int, key: str) -> None:
        self.server.calls.append("claim")
        raise Unreadable("The server's answer has no 'token' in Claim.")

    monkeypatch.setattr(FakeClient, "claim", garble)
    worker.work()
    worker.work()
    assert server.calls.count("claim") == 1


def test_told_to_go_it_does_not_wait_for_ever_for_a_server_that_should_hear_of_a_success(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=30)
    worker = Worker(replace(tools, settings=replace(tools.settings, grace_s=0.5)), FACTS, Slots(1, (), 1))
    worker.register()
    server.queue = [a_claim()]
    thread = threading.Thread(target=worker.work)
    thread.start()
    wait_for(lambda: server.records)
    server.is_away = True
    wait_for(lambda: (tools.places.run(a_claim().run_id).metrics).read_bytes().count(b"\n") == 30)
    time.sleep(1)
    assert not worker.is_idle()  # nobody has told it to go yet
    worker.leave()
    wait_for(worker.is_idle, 8)
    thread.join(5)
