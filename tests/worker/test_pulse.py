"""The heartbeat of a job."""

import time
from collections.abc import Callable

from dreamer_core.remote.work import Progress
from tests.worker.fakes import FakeServer, a_claim
from worker.pulse import Pulse
from worker.stopping import StopOrder, Why


def wait_for(is_time: Callable[[], object], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_time():
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.02)


def a_pulse(server: FakeServer, order: StopOrder) -> Pulse:
    progress = Progress(env_steps=64)
    pulse = Pulse(server.client, a_claim(lease_s=0.2), order, lambda: {"rss_mib": 5.0}, lambda: progress)
    pulse.start()
    return pulse


def test_it_tells_how_the_job_does_several_times_a_lease(server: FakeServer) -> None:
    pulse = a_pulse(server, StopOrder())
    wait_for(lambda: len(server.beats) >= 3)
    pulse.close()
    pulse.join(5)
    assert server.beats[0] == ({"rss_mib": 5.0}, Progress(env_steps=64))


def test_it_hears_of_a_cancel(server: FakeServer) -> None:
    order = StopOrder()
    server.cancels = True
    pulse = a_pulse(server, order)
    assert order.wait(5)
    pulse.close()
    assert order.why is Why.CANCEL


def test_a_server_that_is_away_is_asked_again_and_a_lost_lease_ends_it(server: FakeServer) -> None:
    order = StopOrder()
    server.is_away = True
    pulse = a_pulse(server, order)
    time.sleep(0.3)
    assert not order
    server.is_away, server.is_lost = False, True
    pulse.join(5)
    assert order.is_lost
