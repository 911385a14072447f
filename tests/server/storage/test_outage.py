"""A database that goes away for half a minute while a job runs, and comes back: it costs the time and nothing else."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import pytest

from server import clock
from server.database import Database
from server.house import House
from server.live.streams import Pace, Streams
from tests.server.conftest import TOKEN
from tests.server.jobs.asking import WORDS
from tests.server.live.serving import listening, served
from tests.server.storage.outages import Outage, outage_of

pytestmark = pytest.mark.slow

AWAY_S = 30.0
LEASE_S = 8.0  # shorter than that
LONGEST_S = 25.0  # that an answer may take: ten seconds for the turn and ten for the lock of SQLite, and a slow machine
Send = Callable[[int], httpx2.Response]


@dataclass
class Sender:
    """Sends one thing after the other, each until it is taken, as a worker does."""

    send: Send
    taken: int = 0
    refused: list[httpx2.Response] = field(default_factory=list)
    longest_s: float = 0.0

    def go_on(self, is_over: threading.Event) -> None:
        while not is_over.is_set():
            since = time.monotonic()
            response = self.send(self.taken)
            self.longest_s = max(self.longest_s, time.monotonic() - since)
            if response.status_code == 200:
                self.taken += 1
                time.sleep(0.1)
            else:
                self.refused.append(response)
                time.sleep(0.5)


@pytest.fixture
def outage(database_url: str) -> Iterator[Outage]:
    with outage_of(database_url) as outage:
        yield outage


@pytest.fixture
def away(house: House, outage: Outage) -> Iterator[House]:
    database = Database(outage.url)
    settings = replace(house.settings, timer_s=0.5, lease_s=LEASE_S)
    streams = Streams(pace=Pace(beat_s=2.0))
    yield replace(house, database=database, settings=settings, streams=streams, clock=clock.now)
    database.close()


def test_a_running_job_loses_nothing_while_its_database_is_away(away: House, outage: Outage) -> None:
    with served(away) as site, _client(site.address) as client:
        run_id, lease = _begin(client)
        senders = _senders(client, run_id, lease)
        heard: list[float] = []
        is_over = threading.Event()
        threads = [threading.Thread(target=sender.go_on, args=[is_over]) for sender in senders.values()]
        threads.append(threading.Thread(target=_listen, args=[site.address, run_id, heard]))
        for thread in threads:
            thread.start()
        time.sleep(2)
        outage.begin()
        time.sleep(AWAY_S)
        health = client.get("/health")
        outage.end()
        time.sleep(12)  # each may be in a pause, or in the middle of waiting for a lock
        is_over.set()
        for thread in threads[:-1]:
            thread.join()
        _check_answers(senders, health, is_sqlite=away.database.is_sqlite)
        ended = client.post(
            f"/api/v1/jobs/{run_id}/end", json={"outcome": "succeeded"}, headers={"X-Dreamgate-Lease": lease}
        )
        assert ended.json() == {"state": "succeeded"}
        threads[-1].join()
        _check_kept(client, run_id, senders)
        assert heard == [float(number) for number in range(senders["metrics"].taken)]


def _check_answers(senders: dict[str, Sender], health: httpx2.Response, *, is_sqlite: bool) -> None:
    for name, sender in senders.items():
        assert sender.refused, name
        for response in sender.refused:
            assert (response.status_code, response.headers["Retry-After"]) == (503, "2"), response.text
            assert response.json()["error"]["code"] == "unavailable"
        assert sender.longest_s < LONGEST_S, name
    assert health.status_code == (200 if is_sqlite else 503)  # a SQLite file can still be read


def _check_kept(client: httpx2.Client, run_id: str, senders: dict[str, Sender]) -> None:
    """All that was said to be taken, once, in one attempt."""
    records = client.get(f"/api/v1/runs/{run_id}/records", params={"limit": 10_000}).json()
    sent = senders["metrics"].taken
    assert sent > 20
    assert [record["loss"] for record in records["records"]] == list(range(sent))
    log = client.get(f"/api/v1/runs/{run_id}/log", headers={"Range": "bytes=0-"}).content
    assert log == b"".join(b"%07d\n" % number for number in range(senders["log"].taken))
    job = client.get(f"/api/v1/jobs/{run_id}").json()
    assert [(attempt["number"], attempt["outcome"]) for attempt in job["attempts"]] == [(1, "succeeded")]
    assert client.get("/health").status_code == 200


def _client(address: str) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx2.Client(base_url=address, headers=headers, timeout=60, trust_env=False)


def _begin(client: httpx2.Client) -> tuple[str, str]:
    """A job that runs: its id and its lease."""
    worker = {"name": "box", "host": "box", "pid": 1, "queues": ["cpu"], "slots": 1}
    worker_id = client.post("/api/v1/workers", json=worker).json()["id"]
    client.post("/api/v1/jobs", json={"kind": "train", "queue": "cpu", "words": WORDS}).raise_for_status()
    asked = {"queues": ["cpu"], "free_gpus": 0}
    claim: dict[str, Any] = client.post(f"/api/v1/workers/{worker_id}/claim", json=asked).json()["claim"]
    return claim["run_id"], claim["token"]


def _senders(client: httpx2.Client, run_id: str, lease: str) -> dict[str, Sender]:
    headers = {"X-Dreamgate-Lease": lease}

    def metrics(number: int) -> httpx2.Response:
        body = {"offset": number, "records": [{"env_steps": number, "loss": number}]}
        return client.post(f"/api/v1/runs/{run_id}/metrics", json=body, headers=headers)

    def log(number: int) -> httpx2.Response:
        query = {"offset": 8 * number}
        return client.post(f"/api/v1/runs/{run_id}/log", params=query, content=b"%07d\n" % number, headers=headers)

    def beat(number: int) -> httpx2.Response:
        return client.post(f"/api/v1/jobs/{run_id}/heartbeat", json={"env_steps": number}, headers=headers)

    return {"metrics": Sender(metrics), "log": Sender(log), "heartbeat": Sender(beat)}


def _listen(address: str, run_id: str, heard: list[float]) -> None:
    """One stream, through all of it: the losses that it tells of."""
    with listening(address, f"/runs/{run_id}/live", cursor="m0.0-e0-l0-v0") as frames:
        for frame in frames:
            if frame.event == "metrics":
                heard += [record["loss"] for record in frame.data["records"]]
            if frame.event == "end":
                return
