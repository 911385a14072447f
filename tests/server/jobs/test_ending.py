"""How attempts end, and what becomes of the run then."""

import pytest
from starlette.testclient import TestClient

from server.jobs.ending import next_state
from server.tables import Outcome, RunState
from tests.server.fakes import RecordedWakeUps, SetClock
from tests.server.jobs.asking import (
    API,
    claim,
    end,
    event_kinds,
    get,
    job,
    post,
    refused,
    register,
    start,
    state,
    submit,
)


@pytest.mark.parametrize(
    ("outcome", "is_cancelled", "lost", "state"),
    [
        (Outcome.SUCCEEDED, False, 0, RunState.SUCCEEDED),
        (Outcome.SUCCEEDED, True, 0, RunState.SUCCEEDED),  # it got done before it could stop
        (Outcome.FAILED, False, 0, RunState.FAILED),
        (Outcome.FAILED, True, 0, RunState.FAILED),
        (Outcome.CANCELLED, True, 0, RunState.CANCELLED),
        (Outcome.CANCELLED, False, 0, RunState.CANCELLED),
        (Outcome.LIMITED, False, 0, RunState.FAILED),
        (Outcome.DRAINED, False, 0, RunState.QUEUED),
        (Outcome.DRAINED, True, 0, RunState.CANCELLED),
        (Outcome.LOST, False, 3, RunState.QUEUED),
        (Outcome.LOST, False, 4, RunState.FAILED),
        (Outcome.LOST, True, 1, RunState.CANCELLED),
    ],
)
def test_what_happened_decides_where_the_run_goes(
    outcome: Outcome, is_cancelled: bool, lost: int, state: RunState
) -> None:
    assert next_state(outcome, is_cancelled=is_cancelled, lost=lost, max_lost=3) == state


def test_an_ending_closes_the_attempt_and_gives_the_lease_back(client: TestClient, clock: SetClock) -> None:
    worker, run_id = register(client), submit(client)
    claimed = start(client, worker)
    clock.advance(60)
    assert end(client, claimed, "succeeded", exit_code=0, peak={"rss_mib": 812}) == "succeeded"
    found = job(client, run_id)
    [attempt] = found["attempts"]
    assert (attempt["outcome"], attempt["exit_code"], attempt["peak"]) == ("succeeded", 0, {"rss_mib": 812.0})
    assert attempt["ended_at"] == found["run"]["ended_at"] == "2023-11-14T22:14:20.000+00:00"
    assert (found["lease_until"], found["run"]["reason"], found["run"]["error"]) == (None, None, None)
    assert event_kinds(client, run_id) == ["queued", "started", "succeeded"]


def test_the_same_ending_told_again_gets_the_same_answer(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    claimed = start(client, worker)
    version = get(client, f"/runs/{run_id}")["version"]
    assert end(client, claimed, "failed") == end(client, claimed, "failed") == "failed"
    assert get(client, f"/runs/{run_id}")["version"] == version + 1


def test_a_drained_ending_told_again_is_still_queued_though_another_has_it(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    claimed = start(client, worker)
    assert end(client, claimed, "drained") == "queued"
    start(client, worker)
    assert state(client, run_id) == "running"
    assert end(client, claimed, "drained") == "queued"


def test_another_ending_than_the_one_that_was_told_is_refused(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    claimed = start(client, worker)
    end(client, claimed, "failed")
    response = client.post(
        f"{API}/jobs/{run_id}/end",
        json={"outcome": "succeeded"},
        headers={"X-Dreamgate-Lease": claimed["token"]},
    )
    message = f"Attempt 1 at run {run_id} is over already: failed."
    assert refused(response) == (409, "lease_lost", message)


@pytest.mark.parametrize("headers", [{}, {"X-Dreamgate-Lease": "guessed"}])
def test_nobody_else_can_end_it(client: TestClient, headers: dict[str, str]) -> None:
    worker, run_id = register(client), submit(client)
    start(client, worker)
    response = client.post(f"{API}/jobs/{run_id}/end", json={"outcome": "failed"}, headers=headers)
    assert refused(response)[:2] == (409, "lease_lost")
    assert state(client, run_id) == "running"


def test_the_first_error_is_kept_and_a_success_after_it_shows_none(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    end(client, start(client, worker), "failed", error="ValueError: first", reason="The training failed.")
    run = get(client, f"/runs/{run_id}")
    assert (run["error"], run["reason"]) == ("ValueError: first", "The training failed.")
    post(client, f"/jobs/{run_id}/resume")
    assert get(client, f"/runs/{run_id}")["error"] is None
    end(client, start(client, worker), "failed", error="ValueError: second")
    assert get(client, f"/runs/{run_id}")["error"] == "ValueError: second"
    assert [attempt["reason"] for attempt in job(client, run_id)["attempts"]] == ["The training failed.", None]


def test_a_job_that_met_its_limit_failed_with_the_reason(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    reason = "It used 900 MiB of memory; its limit is 512."
    assert end(client, start(client, worker), "limited", exit_code=75, reason=reason) == "failed"
    run = get(client, f"/runs/{run_id}")
    assert (run["reason"], run["error"]) == (reason, reason)


def test_a_drained_job_goes_on_with_the_next_worker_and_keeps_its_place(
    client: TestClient, clock: SetClock, wake_ups: RecordedWakeUps
) -> None:
    worker = register(client)
    old = submit(client)
    claimed = start(client, worker)
    clock.advance(1)
    young = submit(client)
    wake_ups.sent.clear()
    end(client, claimed, "drained", exit_code=75)
    found = job(client, old)
    assert (found["state"], found["position"], job(client, young)["position"]) == ("queued", 1, 2)
    assert found["run"]["reason"] == "Its worker was told to go; it goes on from its last checkpoint with the next one."
    assert wake_ups.sent == [("cpu", old)]
    assert event_kinds(client, old) == ["queued", "started", "drained"]


def test_words_that_no_database_could_keep_are_kept_as_far_as_they_can_be(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    end(client, start(client, worker), "failed", error="x" * 200_000 + "the end\x00")
    error = get(client, f"/runs/{run_id}")["error"]
    assert (len(error), error[-8:]) == (100_000, "the end\ufffd")


def test_an_ended_job_is_not_handed_out_again(client: TestClient) -> None:
    worker = register(client)
    submit(client)
    end(client, start(client, worker))
    assert claim(client, worker)["claim"] is None
