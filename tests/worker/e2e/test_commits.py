"""A job may name a commit: that one's code runs, and the manifest says so."""

from pathlib import Path

import pytest

from tests.worker.e2e.processes import Stage
from tests.worker.e2e.repositories import commit

pytestmark = pytest.mark.slow
QUICK = ["preset=bandit+debug", "device=cpu"]


def test_the_code_of_the_commit_runs(stage: Stage, repository: Path) -> None:
    old = commit(repository, "as it is here")
    record = repository / "dreamer_core" / "training" / "record.py"
    record.write_text(record.read_text().replace("SCHEMA_VERSION = 1", "SCHEMA_VERSION = 77"))
    new = commit(repository, "another record")
    stage.serve()
    stage.work(DREAMGATE_SOURCE_REPO=str(repository))
    runs = {version: stage.submit(*QUICK, commit=sha[:12]) for version, sha in ((1, old), (77, new))}
    for version, run_id in runs.items():
        assert stage.wait_until(run_id, "succeeded", "failed").state == "succeeded", stage.tell(run_id)
        assert stage.client.records(run_id).records[0]["schema_version"] == version
    manifest = stage.client.get_manifest(runs[77])
    assert manifest is not None
    assert (manifest["source"]["commit"], manifest["source"]["dirty"]) == (new, False)


def test_a_commit_that_nobody_has_fails_with_the_reason(stage: Stage, repository: Path) -> None:
    commit(repository, "as it is here")
    stage.serve()
    stage.work(DREAMGATE_SOURCE_REPO=str(repository))
    run_id = stage.submit(*QUICK, commit="deadbeef")
    job = stage.wait_until(run_id, "failed", timeout_s=60)
    assert "the source repository has no commit deadbeef" in str(job.run.error)


def test_without_a_repository_such_a_job_waits_and_says_for_what(stage: Stage) -> None:
    stage.serve()
    stage.work()
    other = stage.submit(*QUICK)
    run_id = stage.submit(*QUICK, commit="deadbeef", priority=10)
    assert stage.wait_until(other, "succeeded", "failed").state == "succeeded"
    job = stage.job(run_id)
    assert job.state == "queued"
    assert "source repository" in str(job.run.reason)
