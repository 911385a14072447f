"""The client and the real server: what one sends, the other keeps; what it answers, the client understands."""

import hashlib
import json
import math
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pyarrow import ipc, parquet

from dreamer_core.remote import (
    Checkpoint,
    Client,
    Conflict,
    Gap,
    LeaseLost,
    NotFound,
    RemoteError,
    RunFilter,
    ServerSink,
    Submission,
    Unauthorized,
)
from dreamer_core.remote.waiting import wait_for
from dreamer_core.remote.worker_messages import Claim, Ending, Progress, WorkerFacts
from tests.remote.conftest import TOKEN, RunningServer

QUICK = ("preset=cartpole+debug", "device=cpu")


def claimed(client: Client, queue: str, **fields: object) -> tuple[str, Claim]:
    """A job in a queue of its own, taken by a worker of its own."""
    [job] = client.submit(Submission(words=QUICK, queue=queue, **fields))  # type: ignore[arg-type]
    worker = client.register_worker(WorkerFacts(name=queue, host="here", pid=1, queues=(queue,), slots=1))
    claim = client.claim(worker.id, [queue], 0).claim
    assert claim is not None
    assert claim.run_id == job.run_id
    return worker.id, claim


def test_a_run_is_made_found_changed_and_ended(client: Client) -> None:
    run = client.create_run("imports", name="mine", seed=3, config={"lr": 0.1}, tags=["a"], total_steps=10)
    assert (run.state, run.seed, run.config, run.is_job) == ("running", 3, {"lr": 0.1}, False)
    client.report_progress(run.id, 4, steps_per_s=2.0)
    assert client.get_run(run.id).progress == 0.4
    assert client.change_run(run.id, notes="seen").notes == "seen"
    assert [found.id for found in client.list_runs(RunFilter(experiment="imports", tag=["a"], q="mine")).items] == [
        run.id
    ]
    assert "imports" in [experiment.name for experiment in client.experiments()]
    assert client.finish_run(run.id).state == "succeeded"
    assert client.finish_run(run.id).state == "succeeded"  # an answer that was lost
    client.delete_run(run.id)
    assert client.list_runs(RunFilter(experiment="imports")).items == ()
    client.restore_run(run.id)


def test_the_log_of_an_experiment_comes_back_as_values_and_as_a_document(client: Client) -> None:
    written: dict[str, Any] = {"hypothesis": "ppo → 500", "primary_metric": "reward", "stop_rule": "10 steps"}
    run = client.create_run("peers of mine", name="ppo", seed=1, **written)
    assert (run.hypothesis, run.primary_metric, run.stop_rule, run.hypothesis_fixed) == (*written.values(), True)
    client.append_metrics(run.id, 0, [{"env_steps": 10, "reward": 500.0}])
    with pytest.raises(Conflict, match="its stop rule is fixed"):
        client.change_run(run.id, stop_rule="later")
    assert client.annotate(run.id, "it shakes").kind == "annotation"
    client.change_run(run.id, conclusion="so it is", group=True)
    experiment = client.find_experiment("peers of mine")
    assert client.find_experiment(experiment.id) == experiment
    [group] = client.experiment_log(experiment.id)["groups"]
    assert group["runs"][0]["values"] == {"reward": 500.0}
    assert "**Conclusion.** so it is" in client.experiment_markdown(experiment.id)
    with pytest.raises(NotFound, match="no experiment 'peers'"):
        client.find_experiment("peers")


def test_a_run_that_failed_keeps_its_error(client: Client) -> None:
    run = client.create_run("imports")
    assert client.finish_run(run.id, "failed", error="out of memory").error == "out of memory"


def test_numbers_come_back_as_they_were_sent(client: Client) -> None:
    run = client.create_run("numbers")
    sent = [
        {"env_steps": 1, "train_steps": 1, "wall_time_s": 0.5, "a": 1.5, "b": math.inf},
        {"env_steps": 2, "train_steps": 2, "wall_time_s": 1.0, "a": -math.inf},
    ]
    assert client.append_metrics(run.id, 0, sent) == 2
    assert client.append_metrics(run.id, 1, [sent[1], {"env_steps": 3, "a": "NaN"}]) == 3
    assert client.append_metrics(run.id, 3, columns={"env_steps": [4, 5], "a": [None, 2.0]}) == 5
    found = client.records(run.id)
    assert (found.first, found.total) == (0, 5)
    assert list(found.records[:2]) == sent
    assert math.isnan(found.records[2]["a"])
    assert found.records[3:] == ({"env_steps": 4}, {"env_steps": 5, "a": 2.0})
    assert client.records(run.id, first=4).records == ({"env_steps": 5, "a": 2.0},)


def test_keys_and_curves_say_what_a_series_is(client: Client) -> None:
    run = client.create_run("numbers")
    client.append_metrics(run.id, 0, [{"env_steps": step, "a": float(step)} for step in range(100)])
    client.append_metrics(run.id, 100, [{"env_steps": 100, "a": math.nan}])
    [key] = [key for key in client.keys(run.id) if key.key == "a"]
    assert (key.points, key.min, key.max, key.non_finite) == (101, 0.0, 99.0, 1)
    drawn = client.curves([run.id], ["a", "b"], 10, from_step=50)
    [curve] = drawn.curves
    assert [(missing.run, missing.key) for missing in drawn.missing] == [(run.id, "b")]
    assert (curve.points, sum(curve.count), sum(curve.non_finite)) == (51, 51, 1)
    assert len(curve.x) == len(curve.last) == len(curve.min) == len(curve.max) <= 10
    assert client.list_runs(RunFilter(experiment="numbers", metrics=["a"])).items[0].metrics.keys() == {"a"}


def test_a_gap_is_refused_with_the_place_where_it_begins(client: Client) -> None:
    run = client.create_run("numbers")
    with pytest.raises(Gap) as caught:
        client.append_metrics(run.id, 5, [{"env_steps": 1}])
    assert caught.value.expected == 0
    with pytest.raises(Gap):
        client.append_log(run.id, 5, b"x")
    with pytest.raises(Gap):
        client.append_events(run.id, 5, [{"kind": "x"}])


@pytest.mark.parametrize("kind", ["json", "csv", "arrow", "parquet"])
def test_an_export_has_every_record(client: Client, tmp_path: Path, kind: str) -> None:
    run = client.create_run("numbers")
    client.append_metrics(run.id, 0, [{"env_steps": 1, "a": 0.1}, {"env_steps": 2, "a": math.nan}, {"env_steps": 3}])
    file = client.export(run.id, kind, tmp_path / "out")  # type: ignore[arg-type]
    if kind == "json":
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert lines == [{"env_steps": 1, "a": 0.1}, {"env_steps": 2, "a": "NaN"}, {"env_steps": 3}]
    elif kind == "csv":
        assert len(file.read_text().splitlines()) == 4
    else:
        table = ipc.open_stream(file).read_all() if kind == "arrow" else parquet.read_table(file)
        assert table["env_steps"].to_pylist() == [1, 2, 3]
        assert str(table["a"].to_pylist()) == "[0.1, nan, None]"


def test_a_job_goes_from_the_queue_to_its_end(client: Client) -> None:
    worker_id, claim = claimed(client, "whole-way", seeds=[7], tags=["t"], hypothesis="it works")
    lease, run_id = claim.token, claim.run_id
    assert (claim.kind, claim.attempt, claim.seed, claim.records, claim.log_bytes) == ("train", 1, 7, 0, 0)
    assert claim.config["env"]["id"] == "CartPole-v1"
    client.put_manifest(run_id, {"status": "running"}, lease)
    assert client.get_manifest(run_id) == {"status": "running"}
    assert client.append_metrics(run_id, 0, [{"env_steps": 1}, {"env_steps": 2}], lease=lease) == 2
    assert client.append_events(run_id, 0, [{"kind": "seen", "env_steps": 1, "detail": 1.5}], lease=lease) == 1
    assert client.append_log(run_id, 0, "grüße\n".encode(), lease=lease) == 8
    client.rewind(run_id, 1, 0, lease)
    assert client.records(run_id).total == 1
    assert client.job_heartbeat(run_id, lease, {"rss_mib": 100.0}, Progress(env_steps=9)).cancel is False
    assert client.worker_heartbeat(worker_id, "online", 0) > 0
    job = client.get_job(run_id)
    assert (job.state, job.attempts[0].worker, job.run.env_steps, job.usage) == (
        "running",
        "whole-way",
        9,
        {"rss_mib": 100.0},
    )
    ending = Ending(outcome="succeeded", exit_code=0, peak={"rss_mib": 120.0})
    assert client.end_job(run_id, lease, ending) == "succeeded"
    assert client.end_job(run_id, lease, ending) == "succeeded"  # an answer that was lost
    assert [event.kind for event in client.events(run_id).items][-1] == "succeeded"
    assert client.read_log(run_id) == "grüße\n"


def test_a_claim_that_is_sent_again_under_its_key_brings_the_same_job(client: Client) -> None:
    [job] = client.submit(Submission(words=QUICK, queue="again"))
    worker = client.register_worker(WorkerFacts(name="again", host="here", pid=1, queues=("again",), slots=2))
    first, again = (client.claim(worker.id, ["again"], 0, "a-key").claim for _ in range(2))
    assert first is not None
    assert first == again
    assert len(client.get_job(job.run_id).attempts) == 1
    assert client.claim(worker.id, ["again"], 0, "another-key").claim is None


def test_nothing_to_do_is_an_answer_too(client: Client) -> None:
    worker = client.register_worker(WorkerFacts(name="idle", host="here", pid=1, queues=("nothing",), slots=1))
    assert client.claim(worker.id, ["nothing"], 0).claim is None
    assert [found.state for found in client.workers() if found.name == "idle"] == ["online"]


def test_a_worker_that_nobody_knows_is_told(client: Client) -> None:
    with pytest.raises(NotFound):
        client.worker_heartbeat("unknown", "online", 1)


def test_a_wrong_lease_is_lost(client: Client) -> None:
    _, claim = claimed(client, "leases")
    with pytest.raises(LeaseLost):
        client.append_metrics(claim.run_id, 0, [{"env_steps": 1}], lease="wrong")
    with pytest.raises(LeaseLost):
        client.job_heartbeat(claim.run_id, "wrong")
    assert client.end_job(claim.run_id, claim.token, Ending(outcome="failed", error="x")) == "failed"
    with pytest.raises(LeaseLost):
        client.append_metrics(claim.run_id, 0, [{"env_steps": 1}], lease=claim.token)


def test_a_cancel_reaches_the_worker_at_its_next_heartbeat(client: Client) -> None:
    _, claim = claimed(client, "cancels")
    assert client.cancel(claim.run_id).state == "stopping"
    assert client.job_heartbeat(claim.run_id, claim.token).cancel is True
    assert client.end_job(claim.run_id, claim.token, Ending(outcome="cancelled")) == "cancelled"
    assert client.retry(claim.run_id).state == "queued"
    assert client.cancel(claim.run_id).state == "cancelled"
    assert client.resume(claim.run_id, ["steps=600"]).state == "queued"
    assert client.change_job(claim.run_id, priority=5).priority == 5
    assert client.cancel_all(queue="cancels") == {"cancelled": 1, "stopping": 0}


def test_jobs_can_need_jobs_and_be_cloned(client: Client) -> None:
    first, second = client.submit(Submission(words=QUICK, seeds=[0, 1], queue="chains", experiment="chains"))
    [evaluation] = client.submit(
        Submission(
            kind="eval",
            queue="chains",
            checkpoint=Checkpoint(run=first.run_id),
            arguments={"episodes": 3},
            needs=[first.run_id, second.run_id],
        )
    )
    assert evaluation.unmet_needs == 2
    assert set(evaluation.needs) == {first.run_id, second.run_id}
    assert (evaluation.checkpoint_run_id, evaluation.checkpoint) == (first.run_id, "best")
    [cloned] = client.clone(first.run_id, ["algo.horizon=5"], queue="chains")
    assert cloned.run.parent_id == first.run_id
    config = client.get_run(cloned.run_id).config
    assert config is not None
    assert config["algo"]["horizon"] == 5
    [queue] = [queue for queue in client.queues() if queue.name == "chains"]
    assert (queue.queued, queue.waiting) == (3, 1)
    assert {job.run_id for job in client.list_jobs(queue="chains").items} >= {first.run_id, cloned.run_id}


def test_a_wrong_config_is_refused_in_the_words_of_the_core(client: Client) -> None:
    with pytest.raises(RemoteError, match=r"algo\.gamma: must be at most 1, got 2\.0") as caught:
        client.submit(Submission(words=[*QUICK, "algo.gamma=2"]))
    assert (caught.value.status, caught.value.where) == (422, "algo.gamma")


def test_presets_and_keys_are_known_without_a_core(client: Client) -> None:
    presets = {preset.name: preset.text for preset in client.presets()}
    assert presets["cartpole"]
    whole = client.get_preset("cartpole+debug")
    assert (whole.preset, whole.config["env"]["id"]) == ("cartpole+debug", "CartPole-v1")
    assert "algo" in client.config_schema()["properties"]
    with pytest.raises(NotFound):
        client.get_preset("no such")


def test_what_a_config_would_be_is_told_before_anything_is_stored(client: Client) -> None:
    found = client.validate([*QUICK, "algo.horizon=7"], config={"seed": 4}, seeds=[1, 2])
    assert (found.env, found.config["algo"]["horizon"], found.seeds) == ("CartPole-v1", 7, (1, 2))
    assert (found.estimate, found.estimate_problem) == (None, None)
    with pytest.raises(RemoteError, match=r"algo\.horizon") as caught:
        client.validate([*QUICK, "algo.horizon=-1"])
    assert caught.value.status == 422


def test_an_estimate_may_take_longer_than_other_answers(shared_server: RunningServer) -> None:
    with Client(shared_server.url, TOKEN, timeout_s=0.5, patience_s=0) as hurried:
        found = hurried.validate(QUICK, estimate=True)
    assert found.estimate is not None
    assert found.estimate["parameters"]


def test_artifacts_go_there_and_come_back(client: Client, tmp_path: Path) -> None:
    run = client.create_run("files")
    content = bytes(range(256)) * 10_000
    (tmp_path / "mine").write_bytes(content)
    name = "eval/ä file #1?.bin"
    kept = client.upload_artifact(run.id, name, tmp_path / "mine")
    assert (kept.name, kept.size, kept.sha256) == (name, len(content), hashlib.sha256(content).hexdigest())
    assert client.upload_artifact(run.id, name, tmp_path / "mine").sha256 == kept.sha256
    assert [item.name for item in client.list_artifacts(run.id, "eval/")] == [name]
    assert client.list_artifacts(run.id, "other/") == ()
    assert client.download_artifact(run.id, name, tmp_path / "again").read_bytes() == content
    client.delete_artifact(run.id, name)
    with pytest.raises(NotFound):
        client.download_artifact(run.id, name, tmp_path / "never")


def test_what_happens_to_a_run_is_told_while_it_happens(client: Client) -> None:
    run = client.create_run("live")
    seen: list[str] = []
    is_open = threading.Event()

    def listen() -> None:
        for event in client.follow(run.id):
            seen.append(event.kind)
            is_open.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert is_open.wait(10)
    client.append_metrics(run.id, 0, [{"env_steps": 1, "a": 0.5}])
    client.append_log(run.id, 0, b"hello\n")
    client.append_events(run.id, 0, [{"kind": "seen"}])
    client.finish_run(run.id)
    listener.join(20)
    assert not listener.is_alive()
    assert seen[0] == "open"
    assert seen[-1] == "end"
    assert set(seen) >= {"metrics", "log", "event", "run"}


def test_a_log_is_followed_to_its_end(client: Client) -> None:
    run = client.create_run("live")
    client.append_log(run.id, 0, b"first\n")
    parts: list[str] = []
    listener = threading.Thread(target=lambda: parts.extend(client.follow_log(run.id)))
    listener.start()
    offset = 6
    for number in range(5):
        offset = client.append_log(run.id, offset, f"line {number} ä\n".encode())
        time.sleep(0.05)
    client.finish_run(run.id)
    listener.join(20)
    assert "".join(parts) == "first\n" + "".join(f"line {number} ä\n" for number in range(5))


def test_a_wrong_token_opens_nothing(shared_server: RunningServer) -> None:
    with Client(shared_server.url, "wrong") as client, pytest.raises(Unauthorized):
        client.experiments()


def test_a_job_that_runs_is_not_deleted(client: Client) -> None:
    _, claim = claimed(client, "deletes")
    with pytest.raises(Conflict):
        client.delete_run(claim.run_id)


def test_a_sink_and_a_listener_live_through_a_restart_of_the_server(own_server: RunningServer) -> None:
    client = own_server.client(patience_s=1)
    run = client.create_run("restarts")
    sink = ServerSink(client, run.id, every_s=0.05)
    for step in range(300):
        if step == 100:
            own_server.stop()
        if step == 200:
            own_server.start()
        sink.write({"env_steps": step, "a": step / 2})
        time.sleep(0.002)
    sink.close()
    found = client.records(run.id).records
    assert [record["env_steps"] for record in found] == list(range(300))
    client.finish_run(run.id)
    assert wait_for(client, [run.id])[run.id].state == "succeeded"
    client.close()
