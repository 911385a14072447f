"""`submit` and `wait` as people and programs type them: what they ask, what they print, how they exit."""

import json
import subprocess
from pathlib import Path

import httpx2
import pytest

from dreamer_core.cli.main import main
from tests.remote.fakes import Serve, a_job, a_run, ok, refusal, sent


def jobs(*run_ids: str) -> httpx2.Response:
    return httpx2.Response(201, json={"items": [a_job(run_id) for run_id in run_ids]})


def test_submit_prints_ids_for_the_next_command_and_pages_for_people(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(jobs("one", "two"))
    assert main(["submit", "preset=cartpole", "--seeds", "0,1", "algo.horizon=10"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "one\ntwo\n"
    assert "http://server.test/runs/one" in shown.err
    assert sent(server) == {
        "kind": "train",
        "words": ["preset=cartpole", "algo.horizon=10"],
        "seeds": [0, 1],
        "queue": "auto",
        "priority": 0,
        "max_lost": 3,
    }


def test_submit_says_everything_that_it_is_told(serve: Serve, tmp_path: Path) -> None:
    layer = tmp_path / "mine.yaml"
    layer.write_text("algo: {horizon: 5}\n")
    server = serve(jobs("one"))
    options = "--kind eval --checkpoint abc:last --argument episodes=100 --argument greedy=true --needs abc,def"
    place = "--needs ghi --queue gpu --priority 5 --gpus 2 --commit 1234567 --limit rss_mib=4000 --experiment mine"
    words = ["--name", "a name", "--tag", "x", "--tag", "y", "--hypothesis", "it helps", "--config", str(layer)]
    words += ["--primary-metric", "eval/mean_return", "--stop-rule", "8,000 steps"]
    assert main(["submit", *options.split(), *place.split(), *words]) == 0
    assert sent(server) == {
        "kind": "eval",
        "experiment": "mine",
        "name": "a name",
        "config": {"algo": {"horizon": 5}},
        "queue": "gpu",
        "priority": 5,
        "gpus": 2,
        "tags": ["x", "y"],
        "hypothesis": "it helps",
        "primary_metric": "eval/mean_return",
        "stop_rule": "8,000 steps",
        "commit": "1234567",
        "checkpoint": {"run": "abc", "which": "last"},
        "arguments": {"episodes": 100, "greedy": True},
        "needs": ["abc", "def", "ghi"],
        "limits": {"rss_mib": 4000},
        "max_lost": 3,
    }


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--seeds", "0,x"], "--seeds takes whole numbers and ranges like 0-2"),
        (["--seeds", "2-0"], "--seeds: 2-0 must go up"),
        (["--seeds", "0,1,0"], "--seeds names 0 twice"),
        (["--commit", "no-such-branch"], "--commit: there is no no-such-branch in the repository here"),
        (["--argument", "episodes"], "--argument takes KEY=VALUE, got 'episodes'"),
        (["--limit", "a=[1"], "--limit: '[1' of a cannot be read"),
        (["--kind", "eval"], "eval needs --checkpoint RUN"),
        (["--config", "nowhere.yaml"], "there is no file nowhere.yaml"),
    ],
)
def test_submit_called_wrong_asks_the_server_nothing(
    serve: Serve, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    server = serve(jobs("one"))
    assert main(["submit", *words]) == 2
    assert complaint in capsys.readouterr().err
    assert server.asked == []


def test_seeds_may_be_a_range(serve: Serve) -> None:
    server = serve(jobs("one"))
    assert main(["submit", "preset=cartpole", "--seeds", "0-2,7"]) == 0
    assert sent(server)["seeds"] == [0, 1, 2, 7]


def test_a_commit_may_be_named_as_git_does(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@home")
    for words in (("init", "-q"), (*who, "commit", "-q", "--allow-empty", "-m", "one")):
        subprocess.run(["git", *words], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    for named, commit in (("HEAD", head), (head[:10], head), ("1234567", "1234567")):
        server = serve(jobs("one"))
        assert main(["submit", "preset=cartpole", "--commit", named]) == 0
        assert sent(server)["commit"] == commit


def test_that_nobody_takes_the_job_is_said_at_once_and_beside_its_id(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(id="one", is_job=True, config=None, reason="No live worker serves the queue 'nosuchq'.")
    serve(httpx2.Response(201, json={"items": [a_job("one", run=run)]}))
    assert main(["submit", "preset=cartpole", "--queue", "nosuchq"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "one\n"
    assert "dreamgate: the job waits: No live worker serves the queue 'nosuchq'.\n" in shown.err


def test_submit_tells_what_the_server_says_of_a_wrong_config(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(refusal(422, "invalid", "algo.gamma: must be at most 1, got 2.0"))
    assert main(["submit", "preset=cartpole", "algo.gamma=2"]) == 2
    assert capsys.readouterr().err == "dreamgate: algo.gamma: must be at most 1, got 2.0\n"


def test_submit_can_wait_and_then_its_exit_code_is_that_of_the_runs(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(jobs("one"), ok(a_run(state="failed", error="it broke")))
    assert main(["submit", "preset=cartpole", "--wait"]) == 1
    assert capsys.readouterr().out == "one\nk3x9c2m5q7dw failed: it broke\n"


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["succeeded", "succeeded"], 0),
        (["succeeded", "failed"], 1),
        (["cancelled", "succeeded"], 1),
        (["running", "failed"], 1),
        (["running", "succeeded"], 3),
    ],
)
def test_the_exit_code_of_wait_says_how_it_went(serve: Serve, states: list[str], code: int) -> None:
    answers = [ok(a_run(id=f"run {number}", state=state)) for number, state in enumerate(states)]
    serve(*answers)
    assert main(["wait", "zero", "one", "--timeout", "0"]) == code


def test_wait_prints_each_change_for_programs(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(ok(a_run(state="queued")), ok(a_run(state="queued")), ok(a_run(state="succeeded")))
    assert main(["wait", "k3x9c2m5q7dw", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["type"], line["state"]) for line in lines] == [
        ("state", "queued"),
        ("state", "succeeded"),
        ("result", "succeeded"),
    ]


def test_interrupting_wait_leaves_the_runs_alone_and_says_so(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    server = serve(ok(a_run(state="running")), KeyboardInterrupt())
    assert main(["wait", "one", "two"]) == 130
    assert (
        "the runs go on. `dreamgate cancel one two --server http://server.test` stops them" in capsys.readouterr().err
    )
    assert {request.method for request in server.asked} == {"GET"}
