"""On the way to the server: what is tried again, what is not, and in which words it fails."""

import json
import socket
import time
from pathlib import Path

import httpx2
import pytest

from dreamer_core.errors import UsageError
from dreamer_core.remote import Client, Conflict, Gap, LeaseLost, NotFound, RemoteError, Unauthorized, Unreachable
from dreamer_core.remote.errors import Unreadable
from tests.remote.fakes import REFUSED, Scripted, a_run, client_of, refusal

FOUND = httpx2.Response(200, json=a_run())


@pytest.mark.parametrize(
    "trouble",
    [
        REFUSED,
        httpx2.ReadTimeout("timed out"),
        httpx2.RemoteProtocolError("peer closed connection"),
        httpx2.Response(502, text="<html>bad gateway</html>"),
        refusal(503, "unavailable", "The database does not answer or is busy."),
        httpx2.Response(504),
    ],
    ids=["refused", "timeout", "cut", "502", "503", "504"],
)
def test_what_fails_on_the_way_is_tried_again(trouble: httpx2.Response | Exception) -> None:
    server = Scripted(trouble, trouble, FOUND)
    assert client_of(server).get_run("k3x9c2m5q7dw").id == "k3x9c2m5q7dw"
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422, 500])
def test_what_the_server_refuses_is_not_tried_again(status: int) -> None:
    server = Scripted(refusal(status, "some_code", "No."))
    with pytest.raises(RemoteError):
        client_of(server).get_run("x")
    assert len(server.asked) == 1


def test_patience_has_an_end() -> None:
    server = Scripted(REFUSED)
    started = time.monotonic()
    with pytest.raises(Unreachable):
        client_of(server, patience_s=0.5).get_run("x")
    assert 0.1 < time.monotonic() - started < 2
    assert 2 <= len(server.asked) <= 6


def test_a_server_that_asks_for_time_gets_it() -> None:
    busy = refusal(503, "unavailable", "Busy.")
    busy.headers["Retry-After"] = "1"
    server = Scripted(busy, FOUND)
    started = time.monotonic()
    client_of(server).get_run("x")
    assert time.monotonic() - started >= 1


def test_what_makes_something_carries_one_key_over_all_its_attempts() -> None:
    server = Scripted(REFUSED, httpx2.Response(201, json=a_run()))
    client = client_of(server)
    client.create_run("mine")
    client.create_run("mine")
    first, again, second = (request.headers["Idempotency-Key"] for request in server.asked)
    assert first == again != second


def test_what_repeats_by_nature_carries_no_key() -> None:
    server = Scripted(httpx2.Response(200, json={"records": 1}))
    client_of(server).append_metrics("x", 0, [{"env_steps": 1}])
    assert "Idempotency-Key" not in server.asked[0].headers


def test_every_request_carries_the_token_and_a_lease_where_there_is_one() -> None:
    server = Scripted(httpx2.Response(200, json={"records": 1}))
    client_of(server).append_metrics("x", 0, [{"env_steps": 1}], lease="a lease")
    assert server.asked[0].headers["Authorization"] == "Bearer a token"
    assert server.asked[0].headers["X-Dreamgate-Lease"] == "a lease"


@pytest.mark.parametrize(
    ("answer", "kind", "exit_code"),
    [
        (refusal(401, "unauthorized", "No."), Unauthorized, 2),
        (refusal(404, "not_found", "No."), NotFound, 2),
        (refusal(409, "conflict", "No."), Conflict, 2),
        (refusal(409, "lease_lost", "No."), LeaseLost, 2),
        (refusal(409, "gap", "No.", expected=7), Gap, 2),
        (refusal(422, "invalid", "No."), RemoteError, 2),
        (refusal(500, "unforeseen", "No."), RemoteError, 4),
        (refusal(503, "unavailable", "No."), Unreachable, 4),
    ],
)
def test_every_refusal_has_its_error_and_its_exit_code(
    answer: httpx2.Response, kind: type[RemoteError], exit_code: int
) -> None:
    with pytest.raises(RemoteError) as caught:
        client_of(Scripted(answer), patience_s=0).get_run("x")
    assert type(caught.value) is kind
    assert caught.value.exit_code == exit_code


def test_a_gap_says_from_where_to_send() -> None:
    with pytest.raises(Gap, match=r"Send from 7 on") as caught:
        client_of(Scripted(refusal(409, "gap", "There is a gap.", expected=7))).append_metrics("x", 9, [])
    assert caught.value.expected == 7


def test_a_refusal_keeps_what_the_server_said_of_it() -> None:
    said = refusal(422, "invalid", "seed: must be at least 0.", where="seed", seen=-1, todo="Give another seed.")
    with pytest.raises(RemoteError, match=r"^seed: must be at least 0\. Give another seed\.$") as caught:
        client_of(Scripted(said)).get_run("x")
    assert (caught.value.code, caught.value.status, caught.value.where, caught.value.seen) == (
        "invalid",
        422,
        "seed",
        -1,
    )


def test_a_page_of_somebody_else_is_an_error_with_its_status() -> None:
    with pytest.raises(RemoteError, match=r"http://server\.test answered 418"):
        client_of(Scripted(httpx2.Response(418, text="<html>"))).get_run("x")


def test_an_answer_that_is_not_json_is_told() -> None:
    with pytest.raises(Unreadable, match="not JSON"):
        client_of(Scripted(httpx2.Response(200, text="<html>welcome</html>"))).get_run("x")


def test_a_server_that_is_not_there_is_one_sentence_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        client = Client(f"http://127.0.0.1:{taken.getsockname()[1]}", "t", patience_s=0)
        with pytest.raises(Unreachable, match=r"cannot be reached \(connection refused\).*dreamgate up.*--server"):
            client.get_run("x")


def test_no_token_is_not_called_a_wrong_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DREAMGATE_TOKEN", raising=False)
    monkeypatch.setenv("DREAMGATE_DATA", str(tmp_path))

    def ask(url: str) -> str:
        transport = httpx2.MockTransport(lambda request: refusal(401, "unauthorized", "No."))
        with pytest.raises(Unauthorized) as caught:
            Client(url, http=httpx2.Client(transport=transport)).get_run("x")
        return str(caught.value)

    here, there = ask("http://127.0.0.1:8420"), ask("http://server.test")
    assert f"none was found: DREAMGATE_TOKEN is not set, and there is no {tmp_path}/token (DREAMGATE_DATA names" in here
    assert "none was found: DREAMGATE_TOKEN is not set. Set DREAMGATE_TOKEN" in there


def test_a_wrong_token_is_one_sentence_with_what_to_do() -> None:
    with pytest.raises(Unauthorized, match=r"http://server.test refuses the token\. Set DREAMGATE_TOKEN"):
        client_of(Scripted(refusal(401, "unauthorized", "No."))).get_run("x")


@pytest.mark.parametrize("name", ["../experiments", "a/b", "a?b", "a#b", "a%2e", "ä"])
def test_a_strange_id_stays_one_part_of_the_path(name: str) -> None:
    server = Scripted(refusal(404, "not_found", "No."))
    with pytest.raises(NotFound):
        client_of(server).get_run(name)
    path = server.asked[0].url.raw_path.decode()
    assert path.startswith("/api/v1/runs/")
    assert path.count("/") == 4
    assert "?" not in path


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_id_that_would_lead_elsewhere_is_called_wrong(name: str) -> None:
    server = Scripted(FOUND)
    with pytest.raises(UsageError, match="is not a name that the server could know"):
        client_of(server).get_run(name)
    with pytest.raises(UsageError):
        client_of(server).delete_artifact("run", f"videos/{name}/x")
    assert server.asked == []


@pytest.mark.parametrize("url", ["127.0.0.1:8420", "ftp://server", "http://", "server"])
def test_an_address_that_is_none_is_called_wrong(url: str) -> None:
    with pytest.raises(UsageError, match=r"looks like http://127\.0\.0\.1:8420"):
        Client(url)


def test_a_server_that_sends_us_elsewhere_is_not_followed_and_says_where() -> None:
    server = Scripted(httpx2.Response(301, headers={"Location": "https://lab.test/login?next=/api/v1/runs/x"}))
    with pytest.raises(RemoteError, match=r"sends us on to https://lab.test/login, .*--server") as caught:
        client_of(server).delete_artifact("x", "old")  # would otherwise look done
    assert caught.value.code == "redirected"
    assert len(server.asked) == 1


def test_half_of_a_pair_of_utf_16_does_not_keep_the_rest_from_being_sent() -> None:
    server = Scripted(httpx2.Response(200, json={"events": 1}))
    assert client_of(server).append_events("x", 0, [{"kind": "a", "message": "\ud800!"}]) == 1
    assert json.loads(server.asked[0].content)["events"][0]["message"] == "?!"
