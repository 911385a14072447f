"""Commands as a user types them, right and wrong: what they print, what they write, how they exit."""

import json
from pathlib import Path
from typing import Any

import pytest

from dreamer_core.cli.main import main
from dreamer_core.metrics.names import IDENTITY, METRICS
from dreamer_core.metrics.sink import JsonLines, read_records
from tests.e2e.runs import manifest, only_run, values

QUICK = ["preset=cartpole+debug", "device=cpu"]


def train(root: Path, *words: str) -> Path:
    assert main(["train", *QUICK, *words, "--runs", str(root), "--json"]) == 0
    return only_run(root)


def files_below(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def results(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_training_prints_json_lines_and_ends_with_the_evaluation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(tmp_path)
    lines = results(capsys)
    assert {line["type"] for line in lines} >= {"record", "eval", "result"}
    assert (lines[0]["type"], lines[0]["run"]) == ("start", str(run))
    assert lines[-1]["run"] == str(run)
    assert lines[-1]["eval"]["episodes"] == 2


def test_a_run_is_made_in_exactly_the_folder_that_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *QUICK, "--into", str(tmp_path / "here" / "run-1"), "--json"]) == 0
    assert manifest(tmp_path / "here" / "run-1")["run_id"] == "run-1"
    start = results(capsys)[0]
    assert (start["run"], start["records"], start["events"]) == (str(tmp_path / "here" / "run-1"), 0, 0)
    assert main(["train", *QUICK, "--into", str(tmp_path / "here")]) == 2
    assert f"{tmp_path / 'here'} is not empty" in capsys.readouterr().err
    assert main(["train", "--resume", str(tmp_path), "--into", str(tmp_path / "there")]) == 2
    assert "leave out" in capsys.readouterr().err


def test_a_resumed_run_says_how_many_records_it_keeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = train(tmp_path)
    kept = len(read_records(run / "metrics.jsonl"))
    JsonLines(run / "metrics.jsonl").append({"env_steps": 65})  # what its checkpoint has not seen
    capsys.readouterr()
    assert main(["train", "--resume", str(run), "steps=96", "--json"]) == 0
    start = results(capsys)[0]
    assert (start["type"], start["records"], start["events"]) == ("start", kept, 0)


def test_training_shows_people_a_table_and_where_the_run_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *QUICK, "--runs", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "Greedy evaluation" in shown
    assert only_run(tmp_path).name in shown.replace("\n", "")


def test_a_dry_run_says_everything_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", *QUICK, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    facts = ("state vector [4]", "discrete [2]", "device", "parameters", "replay when full", "fingerprint", "family")
    assert all(fact in shown for fact in facts)
    assert files_below(tmp_path) == []


def test_a_dry_run_for_programs_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *QUICK, "--dry-run", "--json"]) == 0
    [found] = results(capsys)
    assert found["config"]["env"]["id"] == "CartPole-v1"
    assert found["parameters"]["total"] == sum(found["parameters"][part] for part in ("world_model", "actor", "critic"))
    assert found["replay_bytes"] > 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["actor.ent_ceof=1"], "actor.ent_ceof: unknown key; did you mean actor.ent_coef?"),
        (["seed=x"], "seed: must be a whole number, got 'x'"),
        (["algo.gamma=2"], "algo.gamma: must be at most 1, got 2.0"),
        (["env.id=CartPole-v0"], "Did you mean 'CartPole-v1'?"),
        (["preset=cartpol"], "did you mean cartpole?"),
        (["actor.lr=1e-3"], "has no effect with algo.recipe=nature"),
        (["mode=dreamer"], "needs --checkpoint"),
        (["env.screen_size=65", "env.id=dreamgate/CountingPixels-v0"], "cannot be halved"),
        (["replay.max_bytes=1"], "replay"),
        (["algo.mlp_keys.encoder=[stat]"], "the environment has no 'stat'"),
        (["distribution.type=scaled_normal"], "distribution.type: must be auto or discrete"),
        (["train.standing_still_action=5", "mode=standing_still"], "train.standing_still_action: must be below 2"),
    ],
)
def test_wrong_words_are_one_clear_line_exit_code_2_and_nothing_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    assert main(["train", *QUICK, *words, "--runs", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert files_below(tmp_path) == []


def test_a_missing_preset_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "seed=1"]) == 2
    assert "choose what to train: preset=NAME" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_one_line_and_not_the_exit_code_of_red(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs").write_text("a file")
    assert main(["train", *QUICK, "--runs", str(tmp_path / "runs")]) == 4
    assert capsys.readouterr().err.endswith(": Not a directory\n")


def test_a_run_too_short_to_learn_says_so(tmp_path: Path) -> None:
    events = read_records(train(tmp_path, "algo.learning_starts=1000") / "events.jsonl")
    assert [event["kind"] for event in events] == ["no_updates"]
    assert "algo.learning_starts is 1000" in str(events[0]["message"])


def test_an_unknown_option_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["train", *QUICK, "--sed=1"])
    assert "unrecognized arguments: --sed=1" in capsys.readouterr().err


def test_a_config_file_is_a_layer_between_preset_and_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("preset: cartpole+debug\nseed: 5\nalgo: {horizon: 4}\n")
    assert main(["train", "--config", str(file), "seed=6", "--dry-run", "--json"]) == 0
    [found] = results(capsys)
    assert (found["config"]["seed"], found["config"]["algo"]["horizon"]) == (6, 4)


def test_evaluating_greedily_twice_gives_the_same_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = train(tmp_path)
    capsys.readouterr()
    options = ["eval", "--checkpoint", str(run / "best"), "--episodes", "4", "--greedy", "--json"]
    assert main(options) == 0
    assert main([*options, "--trajectory", str(tmp_path / "steps.jsonl"), "--output", str(tmp_path / "out.json")]) == 0
    first, second = results(capsys)
    assert {**first, "wall_time_s": 0} == {**second, "wall_time_s": 0}
    steps = [json.loads(line) for line in (tmp_path / "steps.jsonl").read_text().splitlines()]
    assert set(steps[0]) == {"episode_idx", "t", "action", "reward", "done", "trunc", "dist"}
    assert len(steps) == first["Game/ep_len_avg"] * 4
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["mean_return"] == first["mean_return"]
    assert (written["recipe"], len(written["family"]), len(written["fingerprint"])) == ("nature", 12, 12)


@pytest.mark.parametrize(("share", "played"), [("0", "agent"), ("0.1", "averaged")])
@pytest.mark.parametrize("damage", ["truncate", "tamper", "foreign", "absent"])
def test_a_checkpoint_that_cannot_be_trusted_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str, share: str, played: str
) -> None:
    run = train(tmp_path, f"train.average_share={share}")
    [weights] = sorted(run.glob(f"checkpoints/step_*/{played}.safetensors"))[-1:]
    content = weights.read_bytes()
    if damage == "absent":
        weights.unlink()
    else:
        flipped = content[:-1] + bytes([content[-1] ^ 1])
        changed = {"truncate": content[:-9], "tamper": flipped, "foreign": b"PK\x03\x04"}
        weights.write_bytes(changed[damage])
    assert main(["eval", "--checkpoint", str(run), "--episodes", "1"]) == 2
    assert f"{played}.safetensors" in capsys.readouterr().err


def test_bootstrap_then_dreamer_trains_only_what_it_should(tmp_path: Path) -> None:
    first = train(tmp_path / "wm", "mode=bootstrap")
    records = read_records(first / "metrics.jsonl")
    assert any("Loss/world_model_loss" in record for record in records)
    assert not any("Loss/policy_loss" in record for record in records)
    second = tmp_path / "ac"
    words = ["mode=dreamer", "train.freeze_world_model=true", "--checkpoint", str(first)]
    assert main(["train", *QUICK, *words, "--runs", str(second), "--json"]) == 0
    records = read_records(only_run(second) / "metrics.jsonl")
    assert any("Loss/policy_loss" in record for record in records)


def test_standing_still_repeats_one_action_and_learns_to_reconstruct(tmp_path: Path) -> None:
    run = train(tmp_path, "mode=standing_still", "train.standing_still_action=1")
    records = read_records(run / "metrics.jsonl")
    assert any("Loss/observation_loss" in record for record in records)
    assert not any("Loss/policy_loss" in record for record in records)


def test_a_run_that_meets_nan_stops_with_a_bundle_and_exit_code_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["lr=1e30", "algo.optimizer.warmup=0", "algo.optimizer.agc=0", "--runs", str(tmp_path)]
    assert main(["train", *QUICK, *words]) == 4
    assert "is not finite at update" in capsys.readouterr().err
    run = only_run(tmp_path)
    failure = json.loads((run / "failure" / "failure.json").read_text())
    assert failure["first_bad_tensor"]
    assert "--resume" in (run / "failure" / "repro.sh").read_text()
    found = manifest(run)
    assert found["status"] == "failed"
    assert "is not finite" in found["outcome"]["error"]


def test_a_sweep_runs_every_point_and_groups_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["preset=cartpole+debug", "device=cpu", "lr=1e-4,1e-3", "seed=0,1"]
    assert main(["sweep", *words, "--dry-run"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["sweep", *words[:2], "seed=0,1", "eval.every=0", "--runs", str(tmp_path), "--json"]) == 0
    [found] = results(capsys)
    assert found["variants"][0]["n"] == 0  # nothing was evaluated
    assert len(found["variants"][0]["runs"]) == 2


def test_a_sweep_with_one_wrong_point_starts_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "preset=cartpole+debug", "algo.gamma=0.9,9", "--runs", str(tmp_path)]) == 2
    assert "algo.gamma" in capsys.readouterr().err
    assert files_below(tmp_path) == []


@pytest.mark.parametrize("recipe", ["nature", "sheeprl"])
def test_the_bench_names_every_phase_and_the_testbed(capsys: pytest.CaptureFixture[str], recipe: str) -> None:
    words = [f"preset=cartpole+{recipe}+debug", "device=cpu", "--updates", "3", "--warmup", "1", "--json"]
    assert main(["bench", *words]) == 0
    [found] = results(capsys)
    assert set(found["phases_ms"]) == {"collect", "sample", "forward", "backward", "optimizer"}
    assert all(0 < times["p50"] <= times["p95"] for times in found["phases_ms"].values())
    assert len(found["testbed"]["fingerprint"]) == 12


def test_a_bench_is_timed_in_laps_that_add_up_to_the_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["preset=cartpole+debug", "device=cpu", "--updates", "8", "--warmup", "1", "--laps", "5", "--json"]
    assert main(["bench", *words, "--into", str(tmp_path / "speed")]) == 0
    [found] = results(capsys)
    assert [lap["train_steps"] for lap in found["laps"]] == [1, 3, 4, 6, 8]
    assert sorted({lap["env_steps"] for lap in found["laps"]}) == [lap["env_steps"] for lap in found["laps"]]
    seconds = found["laps"][-1]["wall_time_s"]
    assert found["updates_per_s"] == pytest.approx(8 / seconds)
    assert found["sps"] == pytest.approx(found["laps"][-1]["env_steps"] / seconds)
    records = read_records(tmp_path / "speed" / "metrics.jsonl")
    assert [record["sps"] for record in records] == [lap["sps"] for lap in found["laps"]]
    assert ["bench/forward_ms_p50" in record for record in records] == [False] * 4 + [True]


@pytest.mark.parametrize("words", [["--updates", "0"], ["--warmup", "-1"], ["--laps", "0"]])
def test_a_bench_of_nothing_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *QUICK, *words]) == 2
    assert f"{words[0]} must be at least" in capsys.readouterr().err


@pytest.mark.parametrize(
    "env",
    [
        "dreamgate/CountingPixels-v0",
        "dreamgate/CountingPacked2-v0",
        "dreamgate/CountingContinuous-v0",
        "dreamgate/CountingMulti-v0",
        "Pendulum-v1",
        "Acrobot-v1",
    ],
)
@pytest.mark.parametrize("recipe", ["nature", "sheeprl"])
def test_every_kind_of_world_trains_under_both_recipes(tmp_path: Path, env: str, recipe: str) -> None:
    short = [f"preset={recipe}+debug", "device=cpu", f"env.id={env}", "eval.every=0", "algo.total_steps=40"]
    assert main(["train", *short, "--runs", str(tmp_path), "--json"]) == 0
    records = read_records(only_run(tmp_path) / "metrics.jsonl")
    assert values(records[-1], "train_steps") > [0]


def test_an_output_that_cannot_be_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = tmp_path / "folder", tmp_path / "file"
    folder.mkdir()
    file.write_text("mine")
    nowhere = ["--checkpoint", str(tmp_path / "nowhere")]  # it would be the next thing to be found wrong
    assert main(["eval", *nowhere, "--output", str(folder)]) == 2
    assert f"{folder} is a folder" in capsys.readouterr().err
    assert main(["viz", *nowhere, "--output", str(file)]) == 2
    assert f"{file} is a file" in capsys.readouterr().err


def test_evaluation_film_and_benchmark_can_be_runs_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(tmp_path / "runs")
    score, film, speed = (tmp_path / name for name in ("score", "film", "speed"))
    assert main(["eval", "--checkpoint", str(run), "--episodes", "2", "--into", str(score), "--json"]) == 0
    assert main(["viz", "--checkpoint", str(run), "--horizon", "3", "--into", str(film), "--json"]) == 0
    assert main(["bench", *QUICK, "--updates", "2", "--warmup", "1", "--into", str(speed), "--json"]) == 0
    assert [manifest(path)["kind"] for path in (score, film, speed)] == ["eval", "viz", "bench"]
    assert {manifest(path)["status"] for path in (score, film, speed)} == {"succeeded"}
    [record] = read_records(score / "metrics.jsonl")
    [summary] = score.glob("eval/step_*.json")
    assert record["eval/mean_return"] == json.loads(summary.read_text())["mean_return"]
    assert record["env_steps"] == manifest(run)["progress"]["env_steps"]
    assert sorted(path.suffix for path in film.glob("videos/*")) == [".gif", ".mp4", ".png"]
    laps = read_records(speed / "metrics.jsonl")
    said = json.loads((speed / "bench.json").read_text())
    assert [lap["bench/updates_per_s"] for lap in laps] == [lap["updates_per_s"] for lap in said["laps"]]
    assert {key for lap in laps for key in lap} <= METRICS.keys() | IDENTITY.keys()


def test_called_without_a_command_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main([])
    assert exit_info.value.code == 2
    assert "list the presets" in capsys.readouterr().err
