"""`dreamgate baseline` and `gate` against a real server: the team's baselines, and runs judged where they are."""

import json
from pathlib import Path

import pytest
import yaml

from dreamer_core.cli.main import main
from dreamer_core.remote import Client
from tests.remote.conftest import TOKEN, RunningServer
from tests.remote.fakes import Serve, ok
from tests.remote.judged import FLOOR, KEY, scored

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def at(shared_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DREAMGATE_TOKEN", TOKEN)
    return shared_server.url


@pytest.fixture
def runs(client: Client) -> list[str]:
    return scored(client, [480, 490, 500, 470], "commands")


def bless(at: str, name: str, runs: list[str], *words: str) -> int:
    return main(["baseline", "bless", name, "--runs", ",".join(runs), "--keys", KEY, "--server", at, *words])


def test_runs_are_blessed_listed_and_retired(at: str, runs: list[str], capsys: Captured) -> None:
    assert bless(at, "cmd", runs, "--last", "5", "--who", "ada") == 0
    assert capsys.readouterr().out == f"cmd v1 of 4 seeds: {at}/baselines/cmd/1\n"
    assert bless(at, "cmd", runs) == 2
    assert "why" in capsys.readouterr().err
    assert bless(at, "cmd", runs, "--why", "the whole curve", "--json") == 0
    assert json.loads(capsys.readouterr().out)["version"] == 2
    assert main(["baseline", "list", "cmd", "--server", at]) == 0
    out = capsys.readouterr().out
    assert "cmd v2" in out
    assert "cmd v1" in out
    assert main(["baseline", "retire", "cmd@2", "--why", "by mistake", "--server", at]) == 0
    assert capsys.readouterr().out == "cmd v2 is retired: by mistake\n"
    assert main(["baseline", "retire", "cmd", "--why", "too", "--json", "--server", at]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == 1
    assert main(["baseline", "list", "--retired", "--json", "--server", at]) == 0
    assert "cmd" in [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()]
    assert main(["baseline", "restore", "cmd@2", "--server", at]) == 0
    assert capsys.readouterr().out == "cmd v2 is in use again\n"
    assert main(["baseline", "restore", "cmd@1", "--json", "--server", at]) == 0
    assert json.loads(capsys.readouterr().out)["retired_at"] is None


def test_a_seed_group_is_blessed_by_its_hash(at: str, client: Client, runs: list[str]) -> None:
    group = client.get_run(runs[0]).seed_group
    assert main(["baseline", "bless", "cmd-group", "--group", group, "--keys", KEY, "--server", at]) == 0


def test_flags_of_a_baseline_are_told(at: str, runs: list[str], capsys: Captured) -> None:
    assert bless(at, "cmd-one", runs[:1], "--allow", "single_seed") == 0
    assert "of 1 seed: " in (out := capsys.readouterr().out)
    assert "every verdict against it will say: single seed" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["baseline", "bless", "x"], "say which runs"),
        (["gate", "evaluate", "compare", "--runs", ","], "say which runs"),
        (["baseline", "list", "x", "--retired"], "leave --retired out"),
        (["baseline", "restore", "x"], "say which version: x@N"),
        (["gate", "apply", "nowhere.yaml"], "no such file"),
    ],
)
def test_called_wrong_the_server_is_not_asked(serve: Serve, capsys: Captured, words: list[str], said: str) -> None:
    server = serve(ok({}))
    assert main(words) == 2
    assert said in capsys.readouterr().err
    assert server.asked == []


def test_a_server_without_baselines_says_so(serve: Serve, capsys: Captured) -> None:
    serve(ok({"items": [], "next": None}))
    assert main(["baseline", "list"]) == 0
    assert "There is no baseline." in capsys.readouterr().out


def test_a_gate_is_applied_from_its_file_and_judges_runs(
    at: str, runs: list[str], tmp_path: Path, capsys: Captured
) -> None:
    file = tmp_path / "floor.yaml"
    file.write_text(yaml.safe_dump({**FLOOR, "name": "cmd-floor"}))
    assert main(["gate", "apply", str(file), "--server", at]) == 0
    assert capsys.readouterr().out == f"cmd-floor v1: {at}/gates/cmd-floor\n"
    assert main(["gate", "apply", str(file), "--json", "--server", at]) == 0
    assert json.loads(capsys.readouterr().out)["source"] == str(file)[-200:]
    assert main(["gate", "evaluate", "cmd-floor", "--runs", *runs, "--server", at]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("● pass         floor: eval/mean_return: 470, must be at least 400")
    assert lines[1].startswith("● cmd-floor v1: pass: eval/mean_return: 470, must be at least 400")
    assert lines[2].startswith(f"{at}/gate-results/")


def test_worse_runs_are_red_against_a_baseline(at: str, client: Client, runs: list[str], capsys: Captured) -> None:
    bless(at, "cmd-before", runs)
    worse = ",".join(scored(client, [100, 110, 120, 90], "worse"))
    capsys.readouterr()
    words = ["gate", "evaluate", "compare", "--runs", worse, "--baseline", "cmd-before@1", "--server", at]
    assert main(words) == 1
    assert "■ compare v1 against cmd-before v1: fail" in capsys.readouterr().out
    assert main([*words, "--json", "--commit", "1a2b3c4"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["type"], found["verdict"], found["exit_code"], found["commit"]) == ("result", "fail", 1, "1a2b3c4")


def test_a_warning_and_a_note_are_told(
    at: str, client: Client, runs: list[str], tmp_path: Path, capsys: Captured
) -> None:
    file = tmp_path / "warns.yaml"
    checks = [*FLOOR["checks"], {"check": "floor", "key": "nobody/knows", "value": 1, "required": False}]
    file.write_text(yaml.safe_dump({"name": "cmd-warns", "checks": checks}))
    main(["gate", "apply", str(file), "--server", at])
    baseline = client.bless("cmd-speed", runs=runs, keys=[KEY])
    words = ["--baseline", baseline.name, "--server", at]
    unknown = scored(client, [480], "of no family", family=None)
    assert main(["gate", "evaluate", "cmd-warns", "--runs", *unknown, *words]) == 0
    out = capsys.readouterr().out
    assert "○ no_data      floor (warning): nobody/knows" in out
    assert "note: the family of one side is not known" in out


def test_a_file_that_is_no_gate_is_refused_with_its_place(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("name: a\nchecks: [{check: finit}]\n")
    assert main(["gate", "apply", str(file)]) == 2
    assert "checks[0].check" in capsys.readouterr().err
