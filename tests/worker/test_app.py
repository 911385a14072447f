"""Being woken up: a real broker, over TCP and over a socket, also one that is killed and comes back."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dreamer_core.errors import UsageError
from tests.worker.e2e.processes import free_port
from worker.app import TASK, Consumer

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server on this machine")

# A process of its own, as a worker has: Celery keeps the first application of a process for ever.
CONSUMER = """
import sys, time
from worker.app import Consumer
def work():
    print("woken", flush=True)
    time.sleep(float(sys.argv[2]))
consumer = Consumer(sys.argv[1], ["gpu", "cpu"], 2, work)
consumer.start()
sys.stdin.read()
consumer.stop()
print("gone", not consumer._thread.is_alive(), flush=True)
"""


class Broker:
    def __init__(self, folder: Path, kind: str) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        socket, port = folder / "broker.sock", free_port()
        where = ["--port", "0", "--unixsocket", str(socket)] if kind == "socket" else ["--port", str(port)]
        self._command = ["redis-server", *where, "--dir", str(folder), "--appendonly", "yes", "--save", ""]
        self.url = f"redis+socket://{socket}" if kind == "socket" else f"redis://127.0.0.1:{port}/0"
        self.told = self.url.replace("redis:", "valkey:") if kind == "valkey" else self.url  # what a person may write

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        wait_for(self._answers)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def send(self, queue: str) -> None:
        """As the server does."""
        from celery import Celery

        with Celery("server", broker=self.url, set_as_current=False) as app:
            app.send_task(TASK, ["a-run"], queue=queue, ignore_result=True)

    def _answers(self) -> bool:
        from redis import Redis
        from redis.exceptions import RedisError

        try:
            with Redis.from_url(self.url.replace("redis+socket", "unix")) as redis:
                return bool(redis.ping())
        except RedisError:
            return False


@pytest.fixture(params=["tcp", "socket", "valkey"])
def broker(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Broker]:
    broker = Broker(tmp_path, request.param)
    broker.start()
    yield broker
    broker.kill()


class Woken:
    """A consumer, and how often it was woken up."""

    def __init__(self, broker: Broker, output: Path, *, long_s: float) -> None:
        self._output = output
        command = [sys.executable, "-c", CONSUMER, broker.told, str(long_s)]
        with output.open("w") as out:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.DEVNULL)

    def count(self) -> int:
        return self._output.read_text().count("woken")

    def stop(self) -> str:
        self._process.communicate(timeout=20)
        return self._output.read_text().splitlines()[-1]

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=10)


@pytest.fixture
def woken(broker: Broker, tmp_path: Path) -> Iterator[Callable[..., Woken]]:
    made: list[Woken] = []

    def make(*, long_s: float = 0.0) -> Woken:
        made.append(Woken(broker, tmp_path / "output", long_s=long_s))
        return made[-1]

    yield make
    for each in made:
        each.kill()


def wait_for(is_time: Callable[[], object], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_time():
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.05)


def test_a_message_in_one_of_its_queues_wakes_it_up_also_after_the_broker_was_killed(
    broker: Broker, woken: Callable[..., Woken]
) -> None:
    consumer = woken()
    broker.send("cpu")
    wait_for(lambda: consumer.count() == 1)
    broker.send("elsewhere")
    broker.kill()
    time.sleep(0.5)
    broker.start()
    broker.send("gpu")
    wait_for(lambda: consumer.count() == 2)
    assert consumer.stop() == "gone True"


def test_a_long_job_does_not_keep_others_from_being_woken_up(broker: Broker, woken: Callable[..., Woken]) -> None:
    consumer = woken(long_s=60)
    broker.send("cpu")
    broker.send("cpu")
    wait_for(lambda: consumer.count() == 2)


def test_another_kind_of_broker_is_refused() -> None:
    with pytest.raises(UsageError, match=r"DREAMGATE_BROKER_URL must begin with redis:// .*, got amqp:"):
        Consumer("amqp://localhost", ["cpu"], 1, lambda: None)
