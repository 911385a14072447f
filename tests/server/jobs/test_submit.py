"""Putting jobs into a queue: all of it is checked first, and one job is made for each seed."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from server.database import Database
from tests.server.factories import a_run
from tests.server.fakes import RecordedWakeUps
from tests.server.jobs.asking import (
    API,
    end,
    event_kinds,
    get,
    job,
    post,
    refused,
    register,
    start,
    submit,
    submit_all,
)


def test_a_job_is_a_queued_run_with_the_whole_config(client: TestClient) -> None:
    run = get(client, f"/runs/{submit(client, words=['preset=cartpole', 'algo.horizon=10', 'seed=3'], name='short')}")
    assert (run["state"], run["is_job"], run["name"], run["kind"]) == ("queued", True, "short", "train")
    assert (run["preset"], run["env"], run["seed"], run["mode"]) == ("cartpole", "CartPole-v1", 3, "train")
    assert (run["config"]["algo"]["horizon"], run["config"]["seed"]) == (10, 3)
    assert run["total_steps"] == run["config"]["algo"]["total_steps"]


def test_each_seed_gets_a_job_and_all_are_one_seed_group(client: TestClient) -> None:
    jobs = submit_all(client, seeds=[0, 1, 2])
    runs = [job["run"] for job in jobs]
    assert [run["seed"] for run in runs] == [0, 1, 2]
    assert len({run["seed_group"] for run in runs}) == 1
    assert len({run["fingerprint"] for run in runs}) == 1
    assert get(client, f"/runs/{runs[2]['id']}")["config"]["seed"] == 2


def test_a_seed_among_the_words_counts_or_is_refused_and_is_never_dropped(client: TestClient) -> None:
    words = ["preset=cartpole", "seed=3"]
    for path, body in (("jobs", {"kind": "train"}), ("validate", {})):
        answer = client.post(f"{API}/{path}", json={"words": words, "seeds": [0, 1], **body})
        status, code, message = refused(answer)
        assert (status, code) == (422, "invalid")
        assert message == "seed: is 3 here, and the seeds are 0, 1: say it in Seeds (--seeds) alone"
    assert get(client, f"/runs/{submit(client, words=words)}")["seed"] == 3
    assert get(client, f"/runs/{submit(client, words=words, seeds=[3])}")["seed"] == 3


def test_what_looks_at_a_run_is_kept_beside_it(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run_id = a_run(session, kind="train", experiment="mine", started_at=1.0).id
    looks = {"kind": "eval", "checkpoint": {"run": run_id}, "words": []}
    assert submit_all(client, **looks)[0]["run"]["experiment"]["name"] == "mine"
    assert submit_all(client, **looks, experiment="default")[0]["run"]["experiment"]["name"] == "default"


def test_what_is_to_be_run_must_be_said(client: TestClient) -> None:
    for kind, verb in (("train", "train"), ("bench", "measure")):
        _, _, message = refused(client.post(f"{API}/jobs", json={"kind": kind}))
        assert message == f"Say what to {verb}: a preset or a config."


def test_another_setting_is_another_seed_group(client: TestClient) -> None:
    [first], [second] = submit_all(client), submit_all(client, words=["preset=cartpole", "algo.horizon=7"])
    [third] = submit_all(client, commit="abcdef1")
    groups = {found["run"]["seed_group"] for found in (first, second, third)}
    assert len(groups) == 3


def test_a_layer_lies_between_the_presets_and_the_words(client: TestClient) -> None:
    layer = {"preset": "cartpole", "algo": {"horizon": 5}, "algo.gamma": 0.9}
    config = get(client, f"/runs/{submit(client, words=['algo.horizon=6'], config=layer)}")["config"]
    assert (config["algo"]["horizon"], config["algo"]["gamma"], config["preset"]) == (6, 0.9, "cartpole")


def test_a_wrong_key_is_refused_in_the_cores_words_and_nothing_is_stored(client: TestClient) -> None:
    body = {"kind": "train", "words": ["preset=cartpole", "algo.horizonn=10"], "experiment": "new"}
    status, code, message = refused(client.post(f"{API}/jobs", json=body))
    assert (status, code) == (422, "invalid")
    assert message == "algo.horizonn: unknown key; did you mean algo.horizon?"
    assert get(client, "/jobs")["items"] == []
    assert get(client, "/experiments")["items"] == []


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"kind": "train"}, "words"),
        ({"kind": "eval"}, "checkpoint"),
        ({"kind": "train", "words": ["mode=dreamer"]}, "mode"),
        ({"kind": "bench", "words": ["preset=cartpole", "algo.replay_ratio=0"]}, "algo.replay_ratio"),
        ({"kind": "bench", "words": ["preset=cartpole"], "arguments": {"updates": 0}}, "arguments.updates"),
        ({"kind": "train", "words": ["preset=cartpole"], "arguments": {"x": 1}}, "arguments.x"),
        ({"kind": "train", "words": ["preset=cartpole"], "seeds": []}, "body.seeds"),
        ({"kind": "train", "words": ["preset=cartpole"], "queue": "No Such"}, "body.queue"),
        ({"kind": "train", "words": ["preset=cartpole"], "colour": "red"}, "body.colour"),
        ({"kind": "train", "words": ["preset=cartpole", "run.tag=\u0000"]}, "body.words.1"),
        ({"kind": "train", "words": ["algo.total_steps=1e30"]}, "algo.total_steps"),
        ({"kind": "train", "config": {"a." * 5000: 1}}, "config"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(client: TestClient, body: dict[str, Any], where: str) -> None:
    response = client.post(f"{API}/jobs", json=body)
    assert (response.status_code, response.json()["error"]["where"]) == (422, where)


def test_an_evaluation_takes_the_config_of_its_run(client: TestClient, database: Database) -> None:
    worker = register(client)
    trained = submit(client, words=["preset=cartpole", "seed=4"], name="walker")
    start(client, worker)
    [evaluation] = submit_all(
        client, kind="eval", checkpoint={"run": trained, "which": "last"}, arguments={"episodes": 3, "greedy": True}
    )
    run = evaluation["run"]
    assert (run["name"], run["parent_id"], run["seed"], run["total_steps"]) == ("eval of walker", trained, 4, None)
    assert run["fingerprint"] == get(client, f"/runs/{trained}")["fingerprint"]
    assert evaluation["arguments"] == {"episodes": 3, "greedy": True}
    assert (evaluation["checkpoint_run_id"], evaluation["checkpoint"]) == (trained, "last")


def test_evaluations_of_all_seeds_of_a_group_are_a_group(client: TestClient) -> None:
    worker = register(client, slots=2)
    trained = [found["run_id"] for found in submit_all(client, seeds=[0, 1])]
    for _ in trained:
        start(client, worker)
    groups = {submit_all(client, kind="eval", checkpoint={"run": run})[0]["run"]["seed_group"] for run in trained}
    assert len(groups) == 1


def test_a_checkpoint_of_a_run_that_has_not_started_must_be_waited_for(client: TestClient) -> None:
    trained = submit(client)
    body = {"kind": "eval", "queue": "cpu", "checkpoint": {"run": trained}}
    status, code, message = refused(client.post(f"{API}/jobs", json=body))
    assert (status, code, message) == (409, "conflict", f"Run {trained} has not started: it has no checkpoint yet.")
    assert len(post(client, "/jobs", {**body, "needs": [trained]}, status=201)["items"]) == 1


def test_a_run_that_needs_what_is_not_there_is_refused(client: TestClient) -> None:
    body = {"kind": "train", "words": ["preset=cartpole"], "needs": ["nobody"]}
    assert refused(client.post(f"{API}/jobs", json=body))[:2] == (404, "not_found")


def test_a_run_that_needs_one_that_failed_is_refused(client: TestClient) -> None:
    worker, needed = register(client), submit(client)
    end(client, start(client, worker), "failed")
    body = {"kind": "train", "words": ["preset=cartpole"], "needs": [needed]}
    assert refused(client.post(f"{API}/jobs", json=body)) == (409, "conflict", f"It needs run {needed}, which failed.")


def test_auto_means_gpu_where_a_live_worker_serves_it(client: TestClient) -> None:
    assert job(client, submit(client, queue="auto"))["queue"] == "cpu"
    register(client, queues=["gpu", "cpu"], gpus=1)
    found = job(client, submit(client, queue="auto"))
    assert (found["queue"], found["gpus"]) == ("gpu", 1)


def test_a_job_that_is_moved_to_auto_goes_where_its_config_computes(client: TestClient) -> None:
    register(client, queues=["gpu"], gpus=1)
    run_id = submit(client, queue="other", words=["preset=cartpole", "device=cpu"])
    answer = client.patch(f"/api/v1/jobs/{run_id}", json={"queue": "auto"})
    assert answer.json()["queue"] == "cpu"


def test_auto_goes_where_the_config_computes(client: TestClient) -> None:
    register(client, queues=["gpu", "cpu"], gpus=1)
    assert job(client, submit(client, queue="auto", words=["preset=cartpole", "device=cpu"]))["queue"] == "cpu"


def test_a_job_that_nobody_can_run_is_queued_and_says_why(client: TestClient) -> None:
    register(client, queues=["gpu", "cpu"], gpus=2)
    assert job(client, submit(client, queue="tpu"))["run"]["reason"] == "No live worker serves the queue 'tpu'."
    many = job(client, submit(client, queue="gpu", gpus=4))
    assert many["run"]["reason"] == "No live worker of the queue 'gpu' has 4 GPUs; the most is 2."
    commit = job(client, submit(client, commit="abcdef1"))
    assert commit["run"]["reason"] == "No live worker has a source repository to take the commit from."
    assert job(client, submit(client))["run"]["reason"] is None


def test_a_queued_job_wakes_a_worker_up_after_the_commit(client: TestClient, wake_ups: RecordedWakeUps) -> None:
    run_id = submit(client)
    assert wake_ups.sent == [("cpu", run_id)]
    assert event_kinds(client, run_id) == ["queued"]


def test_a_thousand_jobs_send_a_handful_of_messages(client: TestClient, wake_ups: RecordedWakeUps) -> None:
    submit_all(client, seeds=list(range(100)))
    assert len(wake_ups.sent) == 16


def test_what_people_say_about_a_job_is_kept(client: TestClient) -> None:
    said = {
        "tags": ["b", "a"],
        "hypothesis": "shorter is faster",
        "primary_metric": "eval/return_mean",
        "notes": "first try",
        "limits": {"rss_mib": 4096, "seconds": 3600},
        "priority": 5,
        "experiment": "horizon",
    }
    found = job(client, submit(client, **said))
    run = found["run"]
    assert (run["tags"], run["hypothesis"], run["notes"]) == (["a", "b"], "shorter is faster", "first try")
    assert (run["primary_metric"], run["experiment"]["name"]) == ("eval/return_mean", "horizon")
    assert (found["limits"], found["priority"]) == ({"rss_mib": 4096, "seconds": 3600}, 5)


def test_an_imported_run_has_no_job(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run_id = a_run(session).id
    assert refused(client.get(f"{API}/jobs/{run_id}")) == (404, "not_found", f"There is no job '{run_id}'.")
