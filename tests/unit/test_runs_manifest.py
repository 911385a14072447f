"""The manifest tells what a run is and how it went, at every moment of it."""

import hashlib
import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dreamer_core.config import family, fingerprint, load_config
from dreamer_core.errors import UsageError
from dreamer_core.runs import facts, manifest
from dreamer_core.runs.atomic import write_json
from dreamer_core.runs.folder import RunFolder, create_run
from dreamer_core.runs.manifest import Resumption, Score

CONFIG = load_config(["seed=7"], preset="bandit+debug")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = create_run(tmp_path, CONFIG)
    manifest.start_manifest(folder, CONFIG, "train", device="a fast card")
    return folder


def test_it_is_complete_from_the_start(folder: RunFolder) -> None:
    found = manifest.read(folder)
    assert (found.run_id, found.kind, found.status) == (folder.run_id, "train", "running")
    assert (found.preset, found.recipe, found.mode, found.seed) == ("bandit+debug", "nature", "train", 7)
    assert (found.family, found.fingerprint) == (family(CONFIG), fingerprint(CONFIG))
    assert found.config.sha256 == hashlib.sha256((folder.path / found.config.path).read_bytes()).hexdigest()
    assert (found.runtime.device, found.runtime.threads) == ("a fast card", 1)
    assert re.match(r"\d+\.\d+", found.runtime.torch or "")
    assert (found.finished, found.outcome.error, found.evaluation.best) == (None, None, None)
    assert datetime.fromisoformat(found.created).utcoffset() == timedelta(0)


def test_an_update_changes_what_it_names_and_keeps_the_rest(folder: RunFolder) -> None:
    before = manifest.read(folder)
    manifest.update(folder, env_steps=100, train_steps=25, best_eval=(9.5, 80))
    manifest.update(folder, env_steps=200, latest_eval=(3.0, 160))
    after = manifest.read(folder)
    assert (after.progress.env_steps, after.progress.train_steps) == (200, 25)
    assert after.evaluation.best == Score(score=9.5, step=80)
    assert after.evaluation.latest == Score(score=3.0, step=160)
    assert (after.status, after.trace_id, after.created) == ("running", before.trace_id, before.created)


def test_the_end_of_a_run_has_a_time_and_a_reason(folder: RunFolder) -> None:
    found = manifest.update(folder, status="succeeded", stop_reason="total_steps reached")
    assert found == manifest.read(folder)
    assert found.finished == found.updated
    assert found.outcome.stop_reason == "total_steps reached"
    assert found.duration_s >= 0


def test_the_first_error_is_kept(folder: RunFolder) -> None:
    manifest.update(folder, status="failed", error="Loss/policy_loss is not finite")
    assert manifest.update(folder, status="failed", error="the file is closed").outcome.error == (
        "Loss/policy_loss is not finite"
    )


def test_a_resumed_run_is_running_again_and_remembers_how_it_had_ended(folder: RunFolder) -> None:
    manifest.update(folder, status="failed", error="disk full", env_steps=30)
    found = manifest.mark_resumed(folder, CONFIG, env_steps=20)
    assert (found.status, found.finished, found.outcome.error) == ("running", None, None)
    past = Resumption(at=found.started, env_steps=20, status="failed", error="disk full", commit=found.source.commit)
    assert found.resumed_from == (past,)
    manifest.update(folder, status="interrupted")
    assert [past.status for past in manifest.mark_resumed(folder, CONFIG, env_steps=40).resumed_from] == [
        "failed",
        "interrupted",
    ]


def test_a_run_that_goes_on_longer_says_so_everywhere(folder: RunFolder) -> None:
    longer = load_config(["seed=7", "steps=128"], preset="bandit+debug")
    found = manifest.mark_resumed(folder, longer, env_steps=64)
    assert found.fingerprint == fingerprint(longer) != fingerprint(CONFIG)
    assert found.family == family(longer)
    assert json.loads(folder.config.read_bytes())["algo"]["total_steps"] == 128
    assert found.config.sha256 == hashlib.sha256(folder.config.read_bytes()).hexdigest()


def test_it_names_the_checkpoints_that_stand_out(folder: RunFolder) -> None:
    write_json(folder.checkpoints / "last.json", {"path": "step_000000000020", "sha256": "abc"})
    found = manifest.update(folder, env_steps=20).artifacts
    assert found.last is not None
    assert (found.last.path, found.last.sha256) == ("checkpoints/step_000000000020", "abc")
    assert found.best is None


def test_a_score_that_is_no_number_is_null(folder: RunFolder) -> None:
    manifest.update(folder, latest_eval=(float("nan"), 10))
    assert manifest.read(folder).evaluation.latest == Score(score=None, step=10)
    assert json.loads(folder.manifest.read_text())["evaluation"]["latest"] == {"score": None, "step": 10}


def test_a_manifest_that_cannot_be_read_says_why(folder: RunFolder, tmp_path: Path) -> None:
    tree = json.loads(folder.manifest.read_text())
    for content, message in [
        ("{", r"manifest\.json is damaged: "),
        ("[]", r"manifest\.json is damaged: "),
        (json.dumps(tree | {"status": "great"}), r"damaged: status: must be one of running, .* got 'great'"),
        (json.dumps(tree | {"schema_version": 2}), r"has schema version 2, this Dreamgate reads up to 1: use"),
    ]:
        folder.manifest.write_text(content)
        with pytest.raises(UsageError, match=message):
            manifest.read(folder)
    with pytest.raises(UsageError, match=r"has no manifest\.json"):
        manifest.read(RunFolder(tmp_path))


def test_a_machine_without_git_gives_no_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert facts.find_source() == facts.Source(commit=None, branch=None, dirty=None)
