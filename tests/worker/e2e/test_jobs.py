"""Jobs from a click to a curve: real server, real worker, real training, no broker."""

from collections.abc import Iterator

import pytest

from tests.worker.e2e.conftest import WORDS
from tests.worker.e2e.processes import Stage, wait_for

QUICK = ["preset=cartpole+debug", "device=cpu"]
LONG = [*QUICK, "algo.total_steps=1000000", "run.log_every=100", "eval.every=0"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One server and one worker for all of this file: nobody is killed here."""
    stage = Stage(tmp_path_factory.mktemp("jobs"))
    stage.serve()
    stage.work()
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def trained(stage: Stage) -> str:
    run_id = stage.submit(*WORDS)
    assert stage.wait_until(run_id, "succeeded", "failed").state == "succeeded", stage.tell(run_id)
    return run_id


def test_a_training_job_brings_all_that_a_run_from_a_terminal_makes(
    stage: Stage, trained: str, undisturbed: list[dict[str, str]]
) -> None:
    assert stage.numbers(trained) == undisturbed
    job = stage.job(trained)
    assert job.run.env_steps >= 480
    assert job.attempts[0].peak["rss_mib"] > 50
    names = {artifact.name for artifact in stage.client.list_artifacts(trained)}
    assert {"manifest.json", "config.json", "packages.txt", "checkpoints/best.json"} <= names
    manifest = stage.client.get_manifest(trained)
    assert manifest is not None
    assert (manifest["run_id"], manifest["status"]) == (trained, "succeeded")
    assert "training begins" in stage.client.read_log(trained)


@pytest.mark.slow
def test_a_checkpoint_by_reference_is_scored_and_filmed(stage: Stage, trained: str) -> None:
    checkpoint = {"run": trained, "which": "best"}
    score = stage.submit(kind="eval", words=[], checkpoint=checkpoint, arguments={"episodes": 3, "greedy": True})
    film = stage.submit(kind="viz", words=[], checkpoint=checkpoint, arguments={"horizon": 3})
    for run_id in (score, film):
        assert stage.wait_until(run_id, "succeeded", "failed").state == "succeeded", stage.tell(run_id)
    [record] = stage.client.records(score).records
    assert 160 <= float(record["env_steps"]) <= 481
    assert "eval/mean_return" in record
    assert any(artifact.name.startswith("eval/step_") for artifact in stage.client.list_artifacts(score))
    films = [artifact.name for artifact in stage.client.list_artifacts(film, "videos/")]
    assert sorted(name.rsplit(".", 1)[1] for name in films) == ["gif", "mp4", "png"]


@pytest.mark.slow
def test_a_benchmark_is_a_run_with_a_record_for_each_lap(stage: Stage) -> None:
    run_id = stage.submit(*QUICK, kind="bench", arguments={"updates": 2, "warmup": 1, "laps": 2})
    assert stage.wait_until(run_id, "succeeded", "failed").state == "succeeded", stage.tell(run_id)
    laps = stage.client.records(run_id).records
    assert [float(lap["bench/updates_per_s"]) > 0 for lap in laps] == [True, True]
    assert "bench.json" in {artifact.name for artifact in stage.client.list_artifacts(run_id)}


@pytest.mark.slow
def test_a_cancelled_job_saves_its_state_and_can_go_on(stage: Stage) -> None:
    run_id = stage.submit(*LONG)
    wait_for(lambda: stage.records(run_id) > 2, 60, lambda: stage.tell(run_id))
    stage.client.cancel(run_id)
    job = stage.wait_until(run_id, "cancelled", timeout_s=30)
    assert (job.attempts[0].outcome, job.attempts[0].exit_code) == ("cancelled", 75)
    steps = job.run.env_steps
    stage.client.resume(run_id, [f"steps={steps + 200}"])
    job = stage.wait_until(run_id, "succeeded", "failed")
    assert job.state == "succeeded", stage.tell(run_id)
    assert job.run.env_steps >= steps + 200
    assert "training continues after" in stage.client.read_log(run_id)


def test_a_job_over_its_limit_fails_with_the_reason(stage: Stage) -> None:
    run_id = stage.submit(*LONG, limits={"rss_mib": 100})
    job = stage.wait_until(run_id, "failed", timeout_s=60)
    assert job.attempts[0].outcome == "limited"
    assert "MiB of memory; its limit is 100" in str(job.run.reason)


def test_a_job_that_cannot_run_fails_once_and_says_why(stage: Stage) -> None:
    run_id = stage.submit("preset=cartpole+debug", "device=cuda")
    job = stage.wait_until(run_id, "failed", timeout_s=60)
    assert len(job.attempts) == 1
    assert "cuda" in str(job.run.error)
