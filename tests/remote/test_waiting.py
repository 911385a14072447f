"""Waiting for runs: until all have ended, no longer than asked, and through an outage."""

import httpx2
import pytest

from dreamer_core.remote import NotFound, Unreachable, waiting
from dreamer_core.remote.waiting import wait_for
from tests.remote.fakes import REFUSED, Scripted, a_run, client_of, refusal


def states(*words: str) -> list[httpx2.Response]:
    return [httpx2.Response(200, json=a_run(state=word)) for word in words]


def test_it_looks_until_the_run_has_ended_and_tells_of_each_look() -> None:
    seen: list[str] = []
    server = Scripted(*states("queued", "running", "stopping", "succeeded"))
    runs = wait_for(client_of(server), ["one"], every_s=0, on_look=lambda run: seen.append(run.state))
    assert seen == ["queued", "running", "stopping", "succeeded"]
    assert [run.state for run in runs.values()] == ["succeeded"]


def test_what_has_ended_is_not_looked_at_again() -> None:
    server = Scripted(*states("succeeded", "running", "failed"))
    runs = wait_for(client_of(server), ["one", "two", "one"], every_s=0)
    assert [run.state for run in runs.values()] == ["succeeded", "failed"]
    assert [request.url.path.rsplit("/", 1)[-1] for request in server.asked] == ["one", "two", "two"]


def test_the_time_has_an_end() -> None:
    runs = wait_for(client_of(Scripted(*states("running"))), ["one"], timeout_s=0.05, every_s=0.01)
    assert [run.state for run in runs.values()] == ["running"]


def test_a_server_that_goes_away_meanwhile_is_waited_for() -> None:
    server = Scripted(*states("running"), REFUSED, REFUSED, *states("succeeded"))
    runs = wait_for(client_of(server, patience_s=0), ["one"], every_s=0)
    assert runs["one"].state == "succeeded"


def test_a_server_that_breaks_for_a_moment_is_waited_for() -> None:
    server = Scripted(*states("running"), refusal(500, "unforeseen", "The server met an error."), *states("succeeded"))
    assert wait_for(client_of(server, patience_s=0), ["one"], every_s=0)["one"].state == "succeeded"


def test_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LONGEST_OUTAGE_S", 0.05)
    with pytest.raises(Unreachable):
        wait_for(client_of(Scripted(*states("running"), REFUSED), patience_s=0), ["one"], every_s=0.01)


def test_a_server_that_was_never_there_is_told_at_once() -> None:
    with pytest.raises(Unreachable):
        wait_for(client_of(Scripted(REFUSED), patience_s=0), ["one"])


def test_a_run_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(NotFound):
        wait_for(client_of(Scripted(refusal(404, "not_found", "There is no run."))), ["one"])
