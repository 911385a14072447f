"""Suites from start to verdict: jobs, gates, confirming reruns, posted numbers, cancelling."""

from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import select
from starlette.testclient import TestClient

from server.house import House
from server.suites import runs
from server.suites.advance import Suites
from server.tables import GateResult, RunKind, RunState
from tests.server.fakes import SetClock
from tests.server.gates.scored import KEY
from tests.server.jobs.asking import get, post, refused
from tests.server.suites.running import API, FLOOR, SCENARIO, SUITE, apply, end, end_bench, look, start


def test_a_suite_is_kept_by_version(client: TestClient) -> None:
    made = apply(client).json()
    assert (made["version"], made["scenarios"][0]["jobs"], made["latest"]) == (1, 2, None)
    assert apply(client).status_code == 200
    answer = apply(client, question="why?")
    assert refused(answer)[0] == 409
    assert answer.json()["error"]["todo"] == "Give it version 2."
    assert apply(client, question="why?", version=2).status_code == 200
    assert get(client, "/suites/daily")["question"] == "why?"
    assert get(client, "/suites/daily", version=1)["question"] == ""
    assert [one["version"] for one in get(client, "/suites")["items"]] == [2]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"scenarios": []}, "suite.scenarios"),
        ({"scenarios": [{**SCENARIO, "gates": [{"gate": "nobody"}]}]}, "suite.scenarios.cart.gates"),
        ({"scenarios": [{**SCENARIO, "words": ["algo.horizn=3"]}]}, "suite.scenarios[0].words"),
        ({"schedule": "61 * * * *"}, "suite.schedule"),
        ({"nmae": "x"}, "suite.nmae"),
    ],
)
def test_what_is_no_suite_is_refused_with_its_place(client: TestClient, changes: dict[str, Any], where: str) -> None:
    answer = apply(client, **changes)
    assert (answer.status_code, answer.json()["error"]["where"]) == (422, where)


def test_a_suite_is_applied_under_its_own_name(client: TestClient) -> None:
    answer = client.put(f"{API}/suites/daily", json={"suite": {**SUITE, "name": "other"}})
    assert (answer.status_code, answer.json()["error"]["where"]) == (422, "name")


def test_thresholds_that_nobody_uses_are_listed(client: TestClient) -> None:
    unused = {**FLOOR, "name": "forgotten"}
    assert apply(client, gates=[FLOOR, unused]).json()["unused_gates"] == ["forgotten"]


def test_starting_a_suite_queues_its_jobs(client: TestClient) -> None:
    apply(client, scenarios=[{**SCENARIO, "eval": {"episodes": 5}, "bench": {}}])
    run = start(client, commit="1a2b3c4", branch="main", who="ada")
    assert (run["state"], run["verdict"], run["jobs"]) == ("running", None, {"total": 5, "done": 0, "failed": 0})
    steps = run["scenarios"][0]["runs"]
    assert sorted((step["kind"], step["seed"]) for step in steps)[1:] == [
        ("eval", 0),
        ("eval", 1),
        ("train", 0),
        ("train", 1),
    ]
    job = get(client, f"/jobs/{steps[0]['run_id']}")
    assert get(client, f"/runs/{job['run_id']}")["commit"] == "1a2b3c4"
    assert get(client, "/suites/daily")["latest"]["id"] == run["id"]


def test_good_runs_make_it_green(client: TestClient, house: House) -> None:
    apply(client)
    run = start(client)
    end(house, run, [500])
    assert look(client, run)["scenarios"][0]["waits_for"] == "1 of 2 jobs"
    end(house, run, [450])
    found = look(client, run)
    assert (found["state"], found["verdict"], found["green"]) == ("finished", "pass", True)
    assert found["reason"] == "pass: 1 pass of 1 scenario"
    [result] = found["scenarios"][0]["results"]
    assert sorted(result["runs"]) == sorted(step["run_id"] for step in found["scenarios"][0]["runs"])
    assert (result["suite_run_id"], result["scenario"], result["verdict"]) == (run["id"], "cart", "pass")


def test_a_bad_run_makes_it_red_and_the_reason_says_which(client: TestClient, house: House) -> None:
    apply(client)
    run = start(client)
    end(house, run, [500, 100])
    found = look(client, run)
    assert (found["verdict"], found["green"]) == ("fail", False)
    assert found["reason"] == "fail (cart): 1 fail of 1 scenario"


def test_a_failed_job_is_an_error_and_no_regression(client: TestClient, house: House) -> None:
    apply(client)
    run = start(client)
    end(house, run, [500])
    end(house, run, [500], state=RunState.FAILED)
    assert look(client, run)["verdict"] == "error"


def test_red_counts_only_after_it_was_confirmed_with_other_seeds(client: TestClient, house: House) -> None:
    apply(client, confirm=1)
    run = start(client)
    end(house, run, [500, 100])
    found = look(client, run)
    assert (found["state"], found["scenarios"][0]["attempt"]) == ("running", 2)
    assert [step["seed"] for step in found["scenarios"][0]["runs"] if step["attempt"] == 2] == [2, 3]
    end(house, run, [480, 490])
    found = look(client, run)
    assert (found["verdict"], found["reason"]) == ("pass", "pass: 1 pass of 1 scenario")
    said = {(one["verdict"], one["is_final"]) for one in found["scenarios"][0]["results"]}
    assert said == {("fail", False), ("pass", True)}


def test_red_twice_is_red(client: TestClient, house: House) -> None:
    apply(client, confirm=1)
    run = start(client)
    end(house, run, [500, 100])
    end(house, run, [100, 100])
    assert (look(client, run)["state"], look(client, run)["verdict"]) == ("finished", "fail")


def test_evaluations_are_judged_apart_from_trainings(client: TestClient, house: House) -> None:
    gates = [{"gate": "floor"}, {"gate": "floor", "of": "eval"}]
    apply(client, scenarios=[{**SCENARIO, "eval": {"episodes": 5}, "gates": gates}])
    run = start(client)
    end(house, run, [500, 500])
    end(house, run, [100, 100], kind=RunKind.EVAL)
    [trained, evaluated] = look(client, run)["scenarios"][0]["results"]
    assert {trained["verdict"], evaluated["verdict"]} == {"pass", "fail"}
    assert not set(trained["runs"]) & set(evaluated["runs"])


def test_a_missing_baseline_is_said_and_is_not_green(client: TestClient, house: House) -> None:
    apply(client, gates=[], scenarios=[{**SCENARIO, "gates": [{"gate": "compare", "baseline": "cartpole"}]}])
    run = start(client)
    end(house, run, [500, 500])
    [result] = look(client, run)["scenarios"][0]["results"]
    assert result["verdict"] == "no_data"
    assert "there is no baseline cartpole: bless one" in get(client, f"/gate-results/{result['id']}")["notes"]


def test_posted_numbers_are_waited_for_and_judged(client: TestClient, house: House) -> None:
    posted = {"name": "parity", "posted": True, "gates": [{"gate": "parity", "of": "posted"}]}
    apply(client, gates=[{"name": "parity", "checks": [{"check": "parity"}]}], scenarios=[posted])
    run = start(client)
    Suites(house).advance()
    assert look(client, run)["scenarios"][0]["waits_for"] == "numbers that somebody must post"
    said = {"parity": [{"name": "kl", "error": 1e-3, "tolerance": 1e-6}]}
    post(client, f"/suite-runs/{run['id']}/scenarios/parity/numbers", said)
    post(client, f"/suite-runs/{run['id']}/scenarios/parity/numbers", said)  # twice is as good as once
    Suites(house).advance()
    assert look(client, run)["verdict"] == "fail"
    other = {"parity": [{"name": "kl", "error": 0, "tolerance": 1e-6}]}
    answer = client.post(f"{API}/suite-runs/{run['id']}/scenarios/parity/numbers", json=other)
    assert refused(answer)[0] == 409


@pytest.mark.parametrize(
    ("scenario", "said", "status"),
    [
        ("cart", {"parity": [{"name": "a", "error": 0, "tolerance": 1}]}, 404),
        ("nobody", {"parity": [{"name": "a", "error": 0, "tolerance": 1}]}, 404),
        ("cart", {"parity": [{"name": "a"}]}, 422),
        ("cart", {}, 422),
    ],
)
def test_numbers_that_nobody_waits_for_are_refused(
    client: TestClient, scenario: str, said: dict[str, Any], status: int
) -> None:
    apply(client)
    run = start(client)
    answer = client.post(f"{API}/suite-runs/{run['id']}/scenarios/{scenario}/numbers", json=said)
    assert answer.status_code == status


def test_cancelling_stops_the_jobs_and_says_no_verdict(client: TestClient, house: House) -> None:
    apply(client)
    run = start(client)
    found = post(client, f"/suite-runs/{run['id']}/cancel")
    for _ in range(2):  # twice is as good as once
        found = post(client, f"/suite-runs/{run['id']}/cancel")
        assert (found["state"], found["verdict"], found["green"]) == ("cancelled", "skipped", False)
    assert {step["state"] for step in found["scenarios"][0]["runs"]} == {"cancelled"}
    Suites(house).advance()
    assert look(client, run)["scenarios"][0]["results"] == []


def test_what_has_finished_cannot_be_cancelled(client: TestClient, house: House) -> None:
    apply(client)
    run = start(client)
    end(house, run, [500, 500])
    assert refused(client.post(f"{API}/suite-runs/{run['id']}/cancel"))[0] == 409


def test_suite_runs_are_found_by_suite_commit_and_branch(client: TestClient) -> None:
    apply(client)
    made = [start(client, commit=commit, branch="main")["id"] for commit in ("1a2b3c4d", "2b3c4d5e")]
    assert [one["id"] for one in get(client, "/suite-runs", commit="1a2b")["items"]] == made[:1]
    assert len(get(client, "/suite-runs", suite="daily", branch="main", state="running")["items"]) == 2
    first = get(client, "/suite-runs", limit=1)
    rest = get(client, "/suite-runs", limit=1, cursor=first["next"])
    assert {first["items"][0]["id"], rest["items"][0]["id"]} == set(made)


def test_two_servers_judge_a_scenario_once(client: TestClient, house: House) -> None:
    apply(client)
    run = start(client)
    end(house, run, [500, 500])
    one, other = Suites(house), Suites(house)
    one.advance()
    other.advance()
    assert len(look(client, run)["scenarios"][0]["results"]) == 1


def test_a_scheduled_suite_is_started_once_when_its_time_comes(client: TestClient, house: House) -> None:
    made = apply(client, schedule="0 0 * * *").json()
    assert made["next_at"] == "2023-11-15T00:00:00.000+00:00"  # it is 22:13:20 on the 14th
    Suites(house).start_due()
    assert get(client, "/suite-runs")["items"] == []
    house.clock.advance(3 * 86400)  # type: ignore[attr-defined]
    for _ in range(2):
        Suites(house).start_due()
    [run] = get(client, "/suite-runs")["items"]
    assert run["trigger"] == "schedule"
    assert get(client, "/suites/daily")["next_at"] == "2023-11-18T00:00:00.000+00:00"


def test_a_suite_that_cannot_start_keeps_no_other_waiting(client: TestClient, house: House) -> None:
    for name in ("broken", "daily"):
        apply(client, name, schedule="0 0 * * *")
    made = post(client, "/experiments", {"name": "suite broken"}, status=201)
    client.delete(f"{API}/experiments/{made['id']}")
    suites = Suites(house)
    house.clock.advance(24 * 3600)  # type: ignore[attr-defined]
    for _ in range(2):
        suites.start_due()
    assert [run["suite"] for run in get(client, "/suite-runs")["items"]] == ["daily"]
    client.post(f"{API}/experiments/{made['id']}/restore")
    suites.start_due()  # only when its time comes again
    assert len(get(client, "/suite-runs")["items"]) == 1
    house.clock.advance(24 * 3600)  # type: ignore[attr-defined]
    suites.start_due()
    assert sorted(run["suite"] for run in get(client, "/suite-runs")["items"]) == ["broken", "daily", "daily"]


def test_a_change_of_level_is_seen_over_the_runs_of_a_suite(client: TestClient, house: House) -> None:
    level = {"name": "level", "checks": [{"check": "change_point", "keys": [KEY], "required": True}]}
    apply(client, gates=[level], scenarios=[{**SCENARIO, "seeds": [0], "gates": [{"gate": "level"}]}])
    verdicts = []
    for score in [500.0, 501, 499, 500, 502, 498, 400, 401, 399, 400]:
        run = start(client)
        end(house, run, [score])
        house.clock.advance(60)  # type: ignore[attr-defined]
        verdicts.append(look(client, run)["verdict"])
    assert verdicts[:7] == ["no_data"] * 7
    assert verdicts[-1] == "fail"


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "pass"), (0.5, "fail")])
def test_the_laps_of_a_benchmark_decide_about_speed(
    client: TestClient, house: House, factor: float, verdict: str
) -> None:
    speed = {"name": "speed", "checks": [{"check": "throughput", "keys": ["bench/updates_per_s"]}]}
    uses = [{"gate": "speed", "of": "bench", "baseline": "speed"}]
    apply(client, gates=[speed], scenarios=[{**SCENARIO, "train": False, "bench": {}, "gates": uses}])
    laps = [100.0, 104.0, 98.0, 101.0, 97.0, 103.0]
    run = end_bench(house, start(client), laps)
    post(client, "/baselines", {"name": "speed", "runs": [run], "allow": ["single_seed"]}, status=201)
    again = start(client)
    end_bench(house, again, [factor * lap for lap in laps])
    [result] = look(client, again)["scenarios"][0]["results"]
    assert result["verdict"] == verdict
    assert "of 6 pairs of laps on one testbed" in result["reason"]


def test_the_history_of_a_benchmark_remembers_its_middle_lap(client: TestClient, house: House) -> None:
    level = {"name": "level", "checks": [{"check": "change_point", "keys": ["bench/updates_per_s"]}]}
    uses = [{"gate": "level", "of": "bench"}]
    apply(client, gates=[level], scenarios=[{**SCENARIO, "train": False, "bench": {}, "gates": uses}])
    run = start(client)
    end_bench(house, run, [100.0, 90.0, 120.0])
    with house.database.reading() as session:
        [result] = session.exec(select(GateResult).where(GateResult.suite_run_id == run["id"]))
    assert result.body["values"]["bench/updates_per_s"]["value"] == 100.0


def test_a_badge_says_the_newest_finished_verdict(client: TestClient, house: House) -> None:
    apply(client)
    assert "not run yet" in client.get(f"{API}/suites/daily/badge.svg").text
    end(house, start(client, branch="main"), [500, 500])
    answer = client.get(f"{API}/suites/daily/badge.svg", params={"branch": "main"})
    assert (answer.headers["content-type"], "pass" in answer.text) == ("image/svg+xml", True)
    assert client.get(f"{API}/suites/nobody/badge.svg").status_code == 404


def test_a_repeated_start_is_one_suite_run(client: TestClient) -> None:
    apply(client)
    headers = {"Idempotency-Key": "ci-42"}
    first, second = (client.post(f"{API}/suites/daily/runs", json={}, headers=headers) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert len(get(client, "/suite-runs")["items"]) == 1


def test_one_that_cannot_be_judged_does_not_keep_others_waiting(
    client: TestClient, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    apply(client)
    broken, whole = start(client), start(client)
    with house.database.writing() as session:
        runs.hold(session, broken["id"]).body = {**SUITE, "name": "daily", "scenarios": [{}]}
    end(house, whole, [500, 500])
    assert look(client, whole)["verdict"] == "pass"
    assert "could not be advanced" in caplog.text


def test_more_seeds_are_asked_for_without_doing_the_old_ones_again(client: TestClient, house: House) -> None:
    apply(client, scenarios=[{**SCENARIO, "eval": {"episodes": 5}}])
    first = start(client, commit="1a2b3c4", reuse=True)
    end(house, first, [500, 500])
    end(house, first, [500, 500], kind=RunKind.EVAL)
    again = start(client, commit="1a2b3c4", reuse=True, widen=1)
    assert again["jobs"] == {"total": 8, "done": 4, "failed": 0}
    known = {step["run_id"] for step in first["scenarios"][0]["runs"]}
    steps = again["scenarios"][0]["runs"]
    assert {step["run_id"] for step in steps if step["state"] == "succeeded"} == known
    assert sorted(step["seed"] for step in steps if step["state"] == "queued") == [2, 2, 3, 3]


def test_what_is_all_done_already_is_judged_at_once(client: TestClient, house: House) -> None:
    apply(client)
    end(house, start(client, commit="1a2b3c4"), [500, 100])
    again = start(client, commit="1a2b3c4", reuse=True)
    Suites(house).advance()
    assert look(client, again)["verdict"] == "fail"


@pytest.mark.parametrize("other", [{"commit": "2b3c4d5"}, {}])
def test_what_other_code_did_is_not_taken(client: TestClient, house: House, other: dict[str, str]) -> None:
    apply(client)
    end(house, start(client, commit="1a2b3c4"), [500, 500])
    end(house, start(client), [500, 500])  # whatever was installed then
    assert start(client, reuse=True, **other)["jobs"]["done"] == 0


def test_what_did_not_succeed_is_done_again(client: TestClient, house: House) -> None:
    apply(client)
    end(house, start(client, commit="1a2b3c4"), [500, 500], state=RunState.FAILED)
    assert start(client, commit="1a2b3c4", reuse=True)["jobs"]["done"] == 0


def test_the_latest_run_of_every_suite_comes_with_one_query(client: TestClient, house: House, clock: SetClock) -> None:
    newest = {}
    for name in ("daily", "nightly", "weekly"):
        apply(client, name, version=1)
        apply(client, name, version=2)
        for _ in range(2):
            newest[name] = start(client, name)["id"]
            clock.advance(60)
    apply(client, "never")
    asked: list[str] = []
    event.listen(house.database.engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
    found = {one["name"]: one["latest"] and one["latest"]["id"] for one in get(client, "/suites")["items"]}
    assert found == {**newest, "never": None}
    assert len([each for each in asked if "FROM suite_run" in each and "suite_run.body" in each]) == 1


def test_a_gate_of_a_suite_that_is_asked_for_by_itself_is_told_where_it_belongs(client: TestClient) -> None:
    apply(client)
    answer = client.post(f"{API}/gates/{FLOOR['name']}/evaluate", json={"runs": ["x"]})
    assert answer.status_code == 404
    assert "Suite daily has a gate of that name" in answer.json()["error"]["todo"]


def test_a_baseline_that_there_is_not_is_named_as_it_was_typed(client: TestClient) -> None:
    for reference, named in (("nope", "'nope'"), ("nope@3", "'nope@3'")):
        answer = client.post(f"{API}/gates/compare/evaluate", json={"runs": ["x"], "baseline": reference})
        assert refused(answer)[2] == f"There is no baseline {named}."


def test_a_suite_without_gates_of_its_own_has_none_to_name(client: TestClient) -> None:
    shipped = {"gate": "compare", "baseline": "cartpole"}
    bare = {"scenarios": [{"name": "cart", "words": ["preset=cartpole"], "gates": [shipped]}]}
    client.put(f"{API}/suites/bare", json={"suite": bare}).raise_for_status()
    assert client.get(f"{API}/gates/nobody").json()["error"]["message"] == "There is no gate 'nobody'."
