"""A job like an earlier one, with changes."""

from starlette.testclient import TestClient

from server.database import Database
from tests.server.factories import a_run
from tests.server.jobs.asking import API, end, get, job, post, refused, register, start, submit


def test_a_clone_is_as_the_run_was_but_for_the_changes(client: TestClient) -> None:
    said = {"tags": ["a"], "hypothesis": "h", "notes": "n", "priority": 3, "limits": {"seconds": 60}, "name": "short"}
    run_id = submit(client, words=["preset=cartpole", "algo.horizon=10", "seed=2"], experiment="horizon", **said)
    [found] = post(client, f"/runs/{run_id}/clone", {"changes": ["algo.gamma=0.9"]}, status=201)["items"]
    run = found["run"]
    assert (run["parent_id"], run["experiment"]["name"], run["name"], run["seed"]) == (run_id, "horizon", "short", 2)
    assert (run["tags"], run["hypothesis"], run["notes"]) == (["a"], "h", "n")
    assert (found["priority"], found["limits"], found["queue"]) == (3, {"seconds": 60}, "cpu")
    before, after = get(client, f"/runs/{run_id}")["config"], get(client, f"/runs/{run['id']}")["config"]
    assert after == {**before, "algo": {**before["algo"], "gamma": 0.9}}


def test_a_clone_without_changes_is_in_the_same_seed_group(client: TestClient) -> None:
    run_id = submit(client)
    clones = post(client, f"/runs/{run_id}/clone", {"seeds": [1, 2]}, status=201)["items"]
    group = get(client, f"/runs/{run_id}")["seed_group"]
    assert [found["run"]["seed_group"] for found in clones] == [group, group]
    assert [found["run"]["seed"] for found in clones] == [1, 2]


def test_keys_that_follow_another_follow_it_in_a_clone_too(client: TestClient) -> None:
    run_id = submit(client)
    changes = ["algo.per_rank_batch_size=4", "algo.dense_units=32"]
    [found] = post(client, f"/runs/{run_id}/clone", {"changes": changes}, status=201)["items"]
    config = get(client, f"/runs/{found['run_id']}")["config"]
    assert (config["replay"]["batch_size"], config["actor"]["dense_units"]) == (4, 32)


def test_what_is_said_anew_counts(client: TestClient) -> None:
    run_id = submit(client, tags=["a"], experiment="one")
    said = {"tags": [], "experiment": "two", "queue": "gpu", "gpus": 2, "name": "other"}
    [found] = post(client, f"/runs/{run_id}/clone", said, status=201)["items"]
    assert (found["run"]["tags"], found["run"]["experiment"]["name"]) == ([], "two")
    assert (found["queue"], found["gpus"], found["run"]["name"]) == ("gpu", 2, "other")


def test_a_wrong_change_is_refused_in_the_cores_words(client: TestClient) -> None:
    run_id = submit(client)
    response = client.post(f"{API}/runs/{run_id}/clone", json={"changes": ["algo.horizon=-1"]})
    assert refused(response) == (422, "invalid", "algo.horizon: must be at least 1, got -1")


def test_an_evaluation_can_be_cloned_with_other_arguments(client: TestClient) -> None:
    worker, trained = register(client, slots=2), submit(client)
    start(client, worker)
    evaluation = submit(client, kind="eval", checkpoint={"run": trained}, arguments={"episodes": 5})
    said = {"arguments": {"episodes": 50}}
    [found] = post(client, f"/runs/{evaluation}/clone", said, status=201)["items"]
    assert found["arguments"] == {"episodes": 50, "greedy": False}
    assert found["checkpoint_run_id"] == trained
    response = client.post(f"{API}/runs/{evaluation}/clone", json={"changes": ["algo.horizon=3"]})
    assert refused(response)[2] == "A job of kind eval takes its run's own config."


def test_an_imported_run_cannot_be_cloned(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run_id = a_run(session).id
    message = f"Run {run_id} was imported: only its own trainer can run it again."
    assert refused(client.post(f"{API}/runs/{run_id}/clone", json={})) == (409, "conflict", message)


def test_a_clone_of_a_run_that_is_over_starts_from_nothing(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    end(client, start(client, worker))
    [found] = post(client, f"/runs/{run_id}/clone", {}, status=201)["items"]
    assert (found["state"], found["attempts"]) == ("queued", [])
    assert job(client, run_id)["state"] == "succeeded"


def test_a_waiting_job_can_be_moved(client: TestClient) -> None:
    first, second = submit(client), submit(client)
    changed = client.patch(f"{API}/jobs/{second}", json={"priority": 10, "queue": "gpu"}).json()
    assert (changed["priority"], changed["queue"], changed["position"]) == (10, "gpu", 1)
    assert changed["run"]["reason"] == "No live worker serves the queue 'gpu'."
    assert job(client, first)["position"] == 1


def test_a_running_job_cannot_be_moved(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    start(client, worker)
    response = client.patch(f"{API}/jobs/{run_id}", json={"priority": 10})
    assert refused(response) == (409, "conflict", f"Run {run_id} is running: it does not wait any more.")
