"""Verdicts reach whoever asked to hear them: signed, again after a failure, and not for ever."""

import hashlib
import hmac
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from starlette.testclient import TestClient

from server.house import House
from server.suites.courier import PAUSES_S, Courier
from tests.server.jobs.asking import post
from tests.server.suites.running import API, apply, end, start


class Listener(ThreadingHTTPServer):
    """Remembers what it is sent, and answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answer = 204
        self.meanwhile: Callable[[], None] = lambda: None  # before it answers

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/verdicts"


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((dict(self.headers), body))
        self.server.meanwhile()
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def finish_one(client: TestClient, house: House, name: str = "daily") -> dict[str, Any]:
    apply(client, name)
    run = start(client, name, commit="1a2b3c4")
    end(house, run, [500, 500])
    return run


def test_a_verdict_is_sent_once_and_signed(client: TestClient, house: House, listener: Listener) -> None:
    made = post(client, "/webhooks", {"url": listener.url}, status=201)
    run = finish_one(client, house)
    courier = Courier(house)
    assert [courier.send_due(), courier.send_due()] == [1, 0]
    [(headers, body)] = listener.heard
    said = json.loads(body)
    assert (said["event"], said["id"], said["verdict"], said["green"]) == (
        "suite_run.finished",
        run["id"],
        "pass",
        True,
    )
    expected = hmac.new(made["secret"].encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Dreamgate-Signature"] == f"sha256={expected}"
    [sent] = client.get(f"{API}/webhooks/{made['id']}/deliveries").json()
    assert (sent["tries"], sent["answer"], sent["next_at"]) == (1, "204 No Content", None)


def test_only_the_suites_that_were_asked_for_are_told(client: TestClient, house: House, listener: Listener) -> None:
    post(client, "/webhooks", {"url": listener.url, "suites": ["nightly"]}, status=201)
    finish_one(client, house)
    assert Courier(house).send_due() == 0
    finish_one(client, house, "nightly")
    assert Courier(house).send_due() == 1


def test_what_was_not_taken_comes_again_and_is_given_up_at_last(
    client: TestClient, house: House, listener: Listener
) -> None:
    made = post(client, "/webhooks", {"url": listener.url}, status=201)
    finish_one(client, house)
    listener.answer = 500
    courier = Courier(house)
    for pause in (*PAUSES_S, 1e6):
        assert [courier.send_due(), courier.send_due()] == [1, 0]
        house.clock.advance(pause + 1)  # type: ignore[attr-defined]
    assert courier.send_due() == 0
    [sent] = client.get(f"{API}/webhooks/{made['id']}/deliveries").json()
    assert (sent["tries"], sent["answer"], sent["next_at"]) == (
        len(PAUSES_S) + 1,
        "500 Internal Server Error",
        None,
    )
    assert len({headers["X-Dreamgate-Delivery"] for headers, _ in listener.heard}) == 1


def test_an_address_where_nobody_listens_is_tried_again(client: TestClient, house: House, listener: Listener) -> None:
    made = post(client, "/webhooks", {"url": "http://127.0.0.1:9/x"}, status=201)
    finish_one(client, house)
    assert Courier(house).send_due() == 1
    [sent] = client.get(f"{API}/webhooks/{made['id']}/deliveries").json()
    assert sent["answer"].startswith("ConnectError")
    assert sent["next_at"] is not None


def test_a_server_that_died_in_the_middle_leaves_it_to_another(
    client: TestClient, house: House, listener: Listener
) -> None:
    post(client, "/webhooks", {"url": listener.url}, status=201)
    finish_one(client, house)
    assert Courier(house)._take_next() is not None  # and now it is gone
    assert Courier(house).send_due() == 0
    house.clock.advance(61)  # type: ignore[attr-defined]
    assert Courier(house).send_due() == 1


def test_what_waits_behind_a_slow_address_is_sent_by_one_server_alone(
    client: TestClient, house: House, listener: Listener
) -> None:
    for _ in range(2):
        post(client, "/webhooks", {"url": listener.url}, status=201)
    finish_one(client, house)

    def take_long(is_first: list[bool]) -> None:
        if is_first:
            is_first.clear()
            house.clock.advance(61)  # type: ignore[attr-defined]
            Courier(house).send_due()  # the other server

    listener.meanwhile = partial(take_long, [True])
    Courier(house).send_due()
    counts = Counter(headers["X-Dreamgate-Delivery"] for headers, _ in listener.heard)
    assert sorted(counts.values()) == [1, 2]  # the one that took so long counts as lost, and comes again


def test_the_secret_is_told_only_once(client: TestClient) -> None:
    made = post(client, "/webhooks", {"url": "https://ci.example.org/x"}, status=201)
    assert len(made["secret"]) > 30
    assert "secret" not in client.get(f"{API}/webhooks").json()[0]
    assert client.delete(f"{API}/webhooks/{made['id']}").status_code == 204
    assert client.delete(f"{API}/webhooks/{made['id']}").status_code == 404
    assert client.get(f"{API}/webhooks").json() == []


@pytest.mark.parametrize("url", ["", "ftp://a/b", "file:///etc/passwd", "https://", "https://me:pw@a/b", "http://a b"])
def test_what_is_no_address_is_refused(client: TestClient, url: str) -> None:
    assert client.post(f"{API}/webhooks", json={"url": url}).status_code == 422
