"""The heartbeat of a job."""

import time
from collections.abc import Callable

from dreamer_core.remote.worker_messages import Progress
from tests.worker.fakes import FakeServer, a_claim
from worker.heartbeat import Heartbeat
from worker.stopping import StopOrder, Why


def wait_for(is_time: Callable[[], object], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_time():
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.02)


def a_heartbeat(server: FakeServer, order: StopOrder) -> Heartbeat:
    progress = Progress(env_steps=64)
    heartbeat = Heartbeat(server.client, a_claim(lease_s=0.2), order, lambda: {"rss_mib": 5.0}, lambda: progress)
    heartbeat.start()
    return heartbeat


def test_it_tells_how_the_job_does_several_times_a_lease(server: FakeServer) -> None:
    heartbeat = a_heartbeat(server, StopOrder())
    wait_for(lambda: len(server.beats) >= 3)
    heartbeat.close()
    heartbeat.join(5)
    assert server.beats[0] == ({"rss_mib": 5.0}, Progress(env_steps=64))


def test_it_hears_of_a_cancel(server: FakeServer) -> None:
    order = StopOrder()
    server.cancels = True
    heartbeat = a_heartbeat(server, order)
    assert order.wait(5)
    heartbeat.close()
    assert order.why is Why.CANCEL


def test_a_server_that_is_away_is_asked_again_and_a_lost_lease_ends_it(server: FakeServer) -> None:
    order = StopOrder()
    server.is_away = True
    heartbeat = a_heartbeat(server, order)
    time.sleep(0.3)
    assert not order
    server.is_away, server.is_lost = False, True
    heartbeat.join(5)
    assert order.is_lost
