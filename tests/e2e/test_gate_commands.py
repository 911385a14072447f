"""`dreamgate baseline` and `dreamgate gate`, offline on files, as a person or a CI job types them."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from dreamer_core.cli.main import main
from dreamer_core.config import load_config
from dreamer_core.runs import manifest as manifests
from dreamer_core.runs.folder import RunFolder, create_run
from dreamer_core.runs.manifest import Status

LOSS, SCORE = "Loss/observation_loss", "eval/mean_return"
GREEN, RED, CALLED_WRONG, CANNOT_TELL, BROKE = 0, 1, 2, 3, 4


def write_metrics(
    path: Path, loss: float = 1.0, *, records: int = 30, first: int = 1, sps: float = 100.0, score: float | None = None
) -> Path:
    """A record every 100 environment steps, all with the same numbers."""
    scores = {} if score is None else {SCORE: score}
    lines = [
        json.dumps({"env_steps": 100 * step, "train_steps": 50 * step, LOSS: loss, "sps": sps, **scores})
        for step in range(first, first + records)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def make_run(
    root: Path, seed: int = 0, *words: str, score: float = 500.0, status: Status = "succeeded", dirty: bool = False
) -> Path:
    """The folder of a run that was never trained, with a manifest of our choice."""
    folder = RunFolder(root / f"run-{'-'.join(words) or 'plain'}-{seed}")
    folder.path.mkdir(parents=True)
    tree, config = map(json.loads, started(*words))
    tree |= {"run_id": folder.run_id, "seed": seed, "status": status, "source": {"commit": "abc", "dirty": dirty}}
    tree["outcome"] = {"error": "out of memory" if status == "failed" else None}
    folder.manifest.write_text(json.dumps(tree))
    folder.config.write_text(json.dumps(config))
    write_metrics(folder.metrics, score=score)
    return folder.path


@cache
def started(*words: str) -> tuple[str, str]:
    """The manifest and config that a real run begins with."""
    with TemporaryDirectory() as root:
        config = load_config(["preset=cartpole+debug", *words])
        folder = create_run(Path(root), config)
        manifests.start_manifest(folder, config, "train")
        return folder.manifest.read_text(), folder.config.read_text()


def capture(output: Path, *inputs: Path, options: Sequence[str] = ()) -> int:
    return main(["baseline", "capture", "--input", *map(str, inputs), "--output", str(output), *options])


def compare(baseline: Path, *inputs: Path, options: Sequence[str] = ()) -> int:
    return main(["gate", "compare", "--baseline", str(baseline), "--input", *map(str, inputs), *options])


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line, parse_constant=pytest.fail) for line in capsys.readouterr().out.splitlines()]


def test_the_seeds_commands_for_metrics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics, blessed = write_metrics(tmp_path / "run/metrics.jsonl"), tmp_path / "baselines/standing_still.json"
    assert capture(blessed, metrics, options=["--last", "25", "--threshold-pct", "0.15", "--json"]) == GREEN
    done, missing = printed(capsys)
    assert done == {"ok": True, "baseline": str(blessed), "version": 1, "flags": ["single_seed"]}
    assert missing["count"] == 24
    assert compare(blessed, metrics, options=["--json"]) == GREEN
    [found] = printed(capsys)
    assert (found["ok"], found["compared"], found["failures"], found["verdict"]) == (True, 2, 0, "pass")
    assert found["exit_code"] == GREEN


def test_the_seeds_commands_for_an_evaluation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary, blessed = tmp_path / "eval.json", tmp_path / "eval_baseline.json"
    summary.write_text(json.dumps({"success_rate": 0.5, "mean_return": 2.0, "Game/ep_len_avg": 128, "episodes": 8}))
    assert capture(blessed, summary, options=["--keys", "success_rate,mean_return,Game/ep_len_avg"]) == GREEN
    assert compare(blessed, summary, options=["--threshold-pct", "0.15"]) == GREEN
    summary.write_text(json.dumps({"success_rate": 0.25, "mean_return": 3.0, "Game/ep_len_avg": 128}))
    capsys.readouterr()
    assert compare(blessed, summary, options=["--json"]) == RED
    [found] = printed(capsys)
    assert {one["key"]: one["verdict"] for one in found["results"]} == {
        "success_rate": "fail", "mean_return": "improved", "Game/ep_len_avg": "pass",
    }  # fmt: skip


def test_the_older_format_is_written_and_read(tmp_path: Path) -> None:
    metrics, seed, ours = write_metrics(tmp_path / "metrics.jsonl"), tmp_path / "seed.json", tmp_path / "ours.json"
    assert capture(seed, metrics, options=["--format", "seed"]) == GREEN
    assert list(json.loads(seed.read_text())) == [
        "schema_version", "created_at", "source", "input_kind", "env_steps_min", "env_steps_max", "count", "keys",
        "metrics", "missing_keys", "threshold_pct", "abs_tol",
    ]  # fmt: skip
    assert compare(seed, metrics) == GREEN
    assert capture(ours, metrics) == GREEN
    exported = tmp_path / "exported.json"
    assert main(["baseline", "export", "--baseline", str(ours), "--output", str(exported)]) == GREEN
    assert main(["baseline", "export", "--baseline", str(ours), "--output", str(exported), "--json"]) == GREEN
    dated = json.loads(seed.read_text())["created_at"], json.loads(exported.read_text())["created_at"]
    assert exported.read_text().replace(dated[1], dated[0]) == seed.read_text()


@pytest.mark.parametrize(
    ("after", "options", "code"),
    [
        ({"loss": 1.0}, [], GREEN),
        ({"loss": 0.5}, [], GREEN),  # better
        ({"loss": 0.5}, ["--two-sided"], RED),
        ({"loss": 1.2}, [], RED),
        ({"loss": 1.2}, ["--threshold-pct", "0.25"], GREEN),
        ({"loss": 1.2}, ["--abs-tol", "0.3"], GREEN),
        ({"first": 500}, [], CANNOT_TELL),  # later steps
        ({"records": 2}, [], CANNOT_TELL),
        ({"records": 2}, ["--n-min", "1"], GREEN),
        ({"records": 9}, ["--last", "2"], CANNOT_TELL),
        ({"sps": 40.0}, [], RED),
    ],
)
def test_exit_codes_tell_better_worse_and_unknown_apart(
    tmp_path: Path, after: dict[str, Any], options: list[str], code: int
) -> None:
    blessed, metrics = tmp_path / "blessed.json", write_metrics(tmp_path / "before.jsonl")
    assert capture(blessed, metrics) == GREEN
    assert compare(blessed, write_metrics(tmp_path / "after.jsonl", **after), options=options) == code


def test_a_bare_nan_as_other_tools_write_it_is_red(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics, blessed = write_metrics(tmp_path / "metrics.jsonl"), tmp_path / "blessed.json"
    assert capture(blessed, metrics) == GREEN
    metrics.write_text(metrics.read_text().replace(f'"{LOSS}": 1.0', f'"{LOSS}": NaN', 1))
    assert compare(blessed, metrics) == RED
    assert "NaN at env step 100" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["gate", "compare", "--input", "{here}/metrics.jsonl"], "say what to judge by"),
        (["gate", "compare", "--input", "{here}/none", "--baseline", "{here}/b.json"], "there is no such file"),
        (["gate", "compare", "--input", "{here}/metrics.jsonl", "--baseline", "{here}/metrics.jsonl"], "is not JSON"),
        (
            ["gate", "compare", "--input", "{here}/list.json", "--baseline", "{here}/b.json"],
            "must hold one JSON object",
        ),
        (
            ["gate", "compare", "--input", "{here}/broken.json", "--baseline", "{here}/b.json"],
            "broken.json is not JSON",
        ),
        (["gate", "compare", "--input", "{here}/bytes.json", "--baseline", "{here}/b.json"], "is not text"),
        (["gate", "compare", "--input", "{here}/torn.jsonl", "--baseline", "{here}/b.json"], "damaged: line 1"),
        (["gate", "compare", "--input", "{here}/empty", "--baseline", "{here}/b.json"], "holds no metrics.jsonl"),
        (["gate", "compare", "--input", "{here}/metrics.jsonl", "--gate", "{here}/bad.yaml"], "did you mean finite?"),
        (
            ["gate", "compare", "--input", "{here}/metrics.jsonl", "--gate", "{here}/bad.yaml", "--last", "3"],
            "stand in its file",
        ),
        (
            ["gate", "compare", "--input", "{here}/metrics.jsonl", "{here}/one.json", "--baseline", "{here}/b.json"],
            "mixes records over time",
        ),
        (
            ["gate", "compare", "--input", *["{here}/metrics.jsonl"] * 2, "--baseline", "{here}/b.json"],
            "is given 2 times",
        ),
        (["gate", "compare", "--input", "{here}/metrics.jsonl", "--baseline", "{here}/b.json", "--last", "0"], "last"),
        (["baseline", "capture", "--input", "{here}/metrics.jsonl", "--output", "{here}"], "is a folder"),
        (
            ["baseline", "capture", "--input", "{here}/metrics.jsonl", "--output", "{here}/x", "--keys", ","],
            "--keys must",
        ),
        (
            ["baseline", "capture", "--input", "{here}/metrics.jsonl", "--output", "{here}/x", "--keys", "no"],
            "not every run has",
        ),
        (
            ["baseline", "capture", "--input", "{here}/metrics.jsonl", "--output", "{here}/x", "--allow", "x"],
            "--allow knows",
        ),
        (
            ["baseline", "capture", "--input", "{here}/metrics.jsonl", "--output", "{here}/x", "--threshold-pct", "-1"],
            "at least 0",
        ),
        (
            [
                "baseline",
                "capture",
                "--input",
                "{here}/metrics.jsonl",
                "--output",
                "{here}/x",
                "--env-steps-min",
                "9999",
            ],
            "no record is in the window",
        ),
    ],
)
def test_a_wrong_call_ends_with_2_and_says_what_is_wrong(
    words: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert capture(tmp_path / "b.json", write_metrics(tmp_path / "metrics.jsonl")) == GREEN
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "one.json").write_text('{"a": 1}')
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "torn.jsonl").write_text('{"a": \n{"a": 1}\n')
    (tmp_path / "bad.yaml").write_text("name: g\nchecks: [{check: finit}]")
    (tmp_path / "empty").mkdir()
    assert main([word.replace("{here}", str(tmp_path)) for word in words]) == CALLED_WRONG
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_line_that_is_still_being_written_is_left_out(tmp_path: Path) -> None:
    metrics, blessed = write_metrics(tmp_path / "metrics.jsonl"), tmp_path / "b.json"
    with metrics.open("a") as file:
        file.write('\n{"env_steps": 3100, "Loss/obs')
    assert capture(blessed, metrics) == GREEN
    assert json.loads(blessed.read_text())["count"] == 30


def test_run_folders_bring_what_is_known_of_them(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "runs", seed) for seed in range(4)]
    assert capture(tmp_path / "b.json", *runs, options=["--keys", SCORE, "--name", "cartpole", "--who", "ann"]) == GREEN
    extra = json.loads((tmp_path / "b.json").read_text())["dreamgate"]
    assert (extra["name"], extra["who"], extra["flags"]) == ("cartpole", "ann", [])
    assert [run["seed"] for run in extra["runs"]] == [0, 1, 2, 3]
    facts = extra["runs"][0]["facts"]
    assert (facts["preset"], facts["env"], facts["status"]) == ("cartpole+debug", "CartPole-v1", "succeeded")
    assert {"family", "fingerprint", "testbed", "config"} <= set(facts)


def test_a_folder_of_runs_is_a_seed_group(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(4):
        make_run(tmp_path / "before", seed)
        make_run(tmp_path / "after", seed, score=300.0)
    assert capture(tmp_path / "b.json", tmp_path / "before", options=["--keys", SCORE]) == GREEN
    gate = tmp_path / "gate.yaml"
    gate.write_text("name: seeds\nversion: 2\nchecks: [{check: seeds_bootstrap}]")
    assert compare(tmp_path / "b.json", tmp_path / "before", options=["--gate", str(gate)]) == GREEN
    capsys.readouterr()
    assert compare(tmp_path / "b.json", tmp_path / "after", options=["--gate", str(gate)]) == RED
    shown = capsys.readouterr().out
    assert "IQM 500 -> 300" in shown
    assert "4 against 4 seeds" in shown
    assert "■ seeds v2 against b v1: fail: eval/mean_return: IQM 500 -> 300" in shown
    assert compare(tmp_path / "b.json", tmp_path / "after/run-plain-0", options=["--gate", str(gate)]) == CANNOT_TELL


def test_another_family_cannot_be_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = make_run(tmp_path, 0), make_run(tmp_path, 0, "preset=acrobot+debug")
    assert capture(tmp_path / "b.json", before, options=["--keys", LOSS, "--allow", "single_seed"]) == GREEN
    capsys.readouterr()
    assert compare(tmp_path / "b.json", after) == CANNOT_TELL
    shown = capsys.readouterr().out
    assert "not comparable: family" in shown
    assert "env CartPole-v1 / Acrobot-v1" in shown


@pytest.mark.parametrize(("status", "dirty", "flag"), [("failed", False, "failed"), ("stopped", False, "unfinished"),
                                                       ("succeeded", True, "dirty")])  # fmt: skip
def test_a_doubtful_run_is_blessed_only_by_name_and_every_verdict_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], status: Status, dirty: bool, flag: str
) -> None:
    run, blessed = make_run(tmp_path, status=status, dirty=dirty), tmp_path / "b.json"
    assert capture(blessed, run, options=["--keys", LOSS]) == CALLED_WRONG
    assert capture(blessed, run / "metrics.jsonl", options=["--keys", LOSS]) == CALLED_WRONG  # a file hides nothing
    assert capture(blessed, run, options=["--keys", LOSS, "--allow", "single_seed"]) == CALLED_WRONG
    assert f"is {flag}: not blessed" in capsys.readouterr().err
    assert capture(blessed, run, options=["--keys", LOSS, "--allow", f"single_seed,{flag}"]) == GREEN
    capsys.readouterr()
    assert compare(blessed, make_run(tmp_path, 1)) == GREEN
    assert f"[baseline: {', '.join(sorted([flag, 'single seed']))}]" in capsys.readouterr().out


@pytest.mark.parametrize(("status", "code"), [("failed", BROKE), ("running", CANNOT_TELL), ("succeeded", GREEN)])
def test_a_candidate_that_did_not_end_well_is_not_green(tmp_path: Path, status: Status, code: int) -> None:
    blessed = tmp_path / "b.json"
    assert capture(blessed, make_run(tmp_path / "before"), options=["--keys", LOSS, "--allow", "single_seed"]) == GREEN
    assert compare(blessed, make_run(tmp_path / "after", status=status)) == code


def test_a_baseline_is_replaced_by_its_next_version_only_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, blessed = tmp_path / "v1.jsonl", tmp_path / "v2.jsonl", tmp_path / "b.json"
    assert capture(blessed, write_metrics(first)) == GREEN
    old = tmp_path / "old.json"
    old.write_text(blessed.read_text())
    assert capture(blessed, write_metrics(second, 0.5)) == CALLED_WRONG
    assert "b v1 can only be replaced with a reason" in capsys.readouterr().err
    assert capture(blessed, second, options=["--why", "better world model"]) == GREEN
    assert main(["baseline", "diff", str(old), str(blessed), "--json"]) == GREEN
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["before"], found["after"]) == ("b v1", "b v2")
    assert {one["key"]: one["change"] for one in found["metrics"]} == {LOSS: "better", "sps": "same"}
    assert main(["baseline", "diff", str(old), str(blessed)]) == GREEN
    shown = capsys.readouterr().out
    assert "better -50.0%" in shown
    assert "better world model" in shown


def test_what_is_missing_and_doubtful_is_said_to_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = write_metrics(tmp_path / "metrics.jsonl")
    assert capture(tmp_path / "b.json", metrics, options=["--keys", f"{LOSS},gone"]) == GREEN
    shown = capsys.readouterr().out
    assert "b v1, 1 metric of 30 records, env steps 100..3000" in shown
    assert "missing: gone" in shown
    assert "every verdict against it will say: single seed" in shown
    group = [write_metrics(tmp_path / f"{name}.jsonl") for name in "ab"]
    assert capture(tmp_path / "c.json", *group, options=["--keys", LOSS]) == GREEN
    assert "missing: " not in capsys.readouterr().out


def test_pytest_benchmark_and_bencher_files_are_judged_too(tmp_path: Path) -> None:
    def bench(path: Path, seconds: float, node: str = "here") -> Path:
        stats = {"median": seconds}
        path.write_text(json.dumps({"machine_info": {"node": node}, "benchmarks": [{"name": "a", "stats": stats}]}))
        return path

    def bencher(path: Path, latency: float) -> Path:
        path.write_text(json.dumps({"parse": {"latency": {"value": latency}, "throughput": {"value": 10}}}))
        return path

    assert capture(tmp_path / "b.json", bench(tmp_path / "before.json", 1.0)) == GREEN
    assert compare(tmp_path / "b.json", bench(tmp_path / "after.json", 1.1)) == GREEN
    assert compare(tmp_path / "b.json", bench(tmp_path / "after.json", 1.2)) == RED
    assert compare(tmp_path / "b.json", bench(tmp_path / "after.json", 1.0, "there")) == CANNOT_TELL
    assert capture(tmp_path / "f.json", bench(tmp_path / "fast.json", 2e-7)) == GREEN
    assert compare(tmp_path / "f.json", bench(tmp_path / "slow.json", 6e-7)) == RED  # a microsecond is no tolerance
    assert capture(tmp_path / "c.json", bencher(tmp_path / "before.json", 80.0)) == GREEN
    assert compare(tmp_path / "c.json", bencher(tmp_path / "after.json", 100.0)) == RED
    assert compare(tmp_path / "c.json", bencher(tmp_path / "after.json", 60.0)) == GREEN


def test_a_gate_of_your_own_needs_no_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gate, metrics = tmp_path / "gate.yaml", write_metrics(tmp_path / "metrics.jsonl")
    gate.write_text(f"name: mine\nchecks: [{{check: finite}}, {{check: ceiling, key: {LOSS}, value: 1.5}}]")
    words = ["gate", "compare", "--input", str(metrics), "--gate", str(gate)]
    assert main(words) == GREEN
    capsys.readouterr()
    assert main([*words, "--json"]) == GREEN
    [found] = printed(capsys)
    assert "details" not in found
    assert found["ok"]
    gate.write_text("name: mine\nchecks: [{check: threshold_median}]")
    assert main(words) == CANNOT_TELL


def test_history_and_parity_are_files_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gate, history, parity = tmp_path / "gate.yaml", tmp_path / "history.json", tmp_path / "parity.json"
    gate.write_text("name: g\nchecks: [{check: parity}, {check: change_point, keys: [sps]}]")
    history.write_text(json.dumps({"sps": [100, 101, 99, 100, 101, 50, 51, 49, 50, 50]}))
    words = ["gate", "compare", "--input", str(parity), "--gate", str(gate), "--history", str(history)]
    parity.write_text(json.dumps({"parity": [{"name": "rssm", "error": 1e-6, "tolerance": 1e-5}]}))
    assert main(words) == GREEN
    assert "■ fail         change_point (warning): sps: the level changed 100 -> 50" in capsys.readouterr().out
    parity.write_text(json.dumps({"parity": [{"name": "rssm", "error": 1e-4, "tolerance": 1e-5}]}))
    assert main(words) == RED


def test_what_was_not_checked_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics, blessed = write_metrics(tmp_path / "metrics.jsonl"), tmp_path / "b.json"
    assert capture(blessed, metrics) == GREEN
    assert compare(blessed, metrics) == GREEN
    shown = capsys.readouterr().out
    assert "note: the family of one side is not known" in shown
    assert "note: the testbed of one side is not known" in shown
