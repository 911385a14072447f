"""A CI pipeline from end to end: commits, real jobs of their own code, verdicts, reports and exit codes."""

import os
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.worker.e2e.processes import CLI, Stage, kill
from tests.worker.e2e.repositories import commit

pytestmark = pytest.mark.slow

LOSS = "Loss/observation_loss"
WORDS = [
    "preset=cartpole+debug", "device=cpu", "algo.total_steps=400", "algo.replay_ratio=0.5", "run.log_every=20",
    "eval.every=400",
    "world_model.vector_gain=1",  # with more, 8 units need longer than this to predict anything
]  # fmt: skip
LEARNS = {"name": "learns", "checks": [{"check": "finite"}, {"check": "improves", "key": LOSS, "min_drop": 0.5}]}
SEEDS = {"name": "seeds", "checks": [{"check": "seeds_bootstrap", "keys": [LOSS], "margin_pct": 0.5}]}
STEP = "        self.optimizer.step()\n"


def suite(name: str, gates: list[Any], uses: list[Any]) -> dict[str, Any]:
    scenario = {"name": "tiny", "words": WORDS, "seeds": [0, 1], "queue": "cpu", "gates": uses}
    return {"name": name, "gates": gates, "scenarios": [scenario]}


def dreamgate(stage: Stage, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"DREAMGATE_SERVER": stage.url, "DREAMGATE_TOKEN": stage.token}
    done = subprocess.run(
        [*CLI, *words], cwd=stage.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    print(done.stdout, done.stderr)  # noqa: T201 - shown where a test fails
    return done


def apply(stage: Stage, tree: dict[str, Any]) -> None:
    file = stage.folder / f"{tree['name']}.yaml"
    file.write_text(yaml.safe_dump(tree))
    assert dreamgate(stage, "suite", "apply", str(file)).returncode == 0


def ci(stage: Stage, name: str, sha: str) -> tuple[int, ET.Element, str]:
    """What a pipeline's step comes to: the exit code, the JUnit file and the summary."""
    junit, summary = stage.folder / "out.xml", stage.folder / "out.md"
    done = dreamgate(
        stage, "suite", "run", name, "--commit", sha, "--branch", "main", "--wait",
        "--junit", str(junit), "--summary", str(summary),
    )  # fmt: skip
    return done.returncode, ET.parse(junit).getroot(), summary.read_text()


@pytest.fixture
def commits(repository: Path) -> list[str]:
    """Good, good, broken (the optimizer steps no more), and still broken."""
    found = [commit(repository, "as it is here"), commit(repository, "words only")]
    learner = repository / "dreamer_core" / "training" / "learner_nature.py"
    assert STEP in learner.read_text()
    learner.write_text(learner.read_text().replace(STEP, ""))
    return [*found, commit(repository, "forget the step"), commit(repository, "other words")]


def test_a_pipeline_is_green_red_undecided_and_broken_for_the_right_reasons(
    stage: Stage, repository: Path, commits: list[str]
) -> None:
    server = stage.serve()
    stage.work(DREAMGATE_SOURCE_REPO=str(repository))
    apply(stage, suite("pipeline", [LEARNS], [{"gate": "learns"}]))

    code, junit, summary = ci(stage, "pipeline", commits[0])
    assert code == 0
    assert not junit.findall(".//failure")
    assert not junit.findall(".//error")
    assert "pass" in summary

    green = stage.client.list_suite_runs(suite="pipeline").items[0]
    runs = [step.run_id for step in stage.client.get_suite_run(green.id).scenarios[0].runs]
    stage.client.bless("tiny", runs=runs, keys=[LOSS], why="the first one")
    apply(stage, suite("few", [SEEDS], [{"gate": "seeds", "baseline": "tiny"}]))
    code, junit, summary = ci(stage, "few", commits[0])
    assert code == 3
    assert "seeds on each side would decide it" in summary

    code, junit, summary = ci(stage, "pipeline", commits[3])
    assert code == 1
    assert any("needs +50.0%" in (failure.get("message") or "") for failure in junit.findall(".//failure"))

    found = dreamgate(
        stage, "bisect", "--suite", "pipeline", "--repo", str(repository), "--good", commits[0], "--bad", commits[3]
    )
    assert found.returncode == 0
    assert "the first red commit" in found.stdout
    assert commits[2] in found.stdout.partition("the first red commit")[2]

    kill(server)
    done = dreamgate(stage, "suite", "run", "pipeline", "--commit", commits[0], "--wait")
    assert done.returncode == 4
    assert len(done.stderr.strip().splitlines()) == 1
