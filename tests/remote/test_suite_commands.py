"""`dreamgate suite run` against a real server: files that are written, lines that are printed, codes that mean it."""

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dreamer_core.cli.main import main
from dreamer_core.remote import Client
from tests.remote.judged import a_suite, work
from tests.remote.suites_at_work import Captured, applied, parity, working

pytestmark = pytest.mark.usefixtures("suites_by_hand")


def run_green(at: str, client: Client, tmp_path: Path, name: str, *words: str, score: float = 450.0) -> int:
    applied(at, tmp_path, a_suite(name))
    thread = working(client, name, [score])
    code = main(["suite", "run", name, "--wait", "--server", at, *words])
    thread.join()
    return code


def test_a_green_suite_ends_with_0_and_writes_its_reports(
    at: str, client: Client, tmp_path: Path, capsys: Captured
) -> None:
    junit, summary = tmp_path / "out.xml", tmp_path / "out.md"
    words = ["--commit", "1a2b3c4", "--branch", "main", "--junit", str(junit), "--summary", str(summary)]
    assert run_green(at, client, tmp_path, "green", *words) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    suite_run_id = lines[1]
    assert lines[0] == f"green v1: {at}/suites/green"
    assert lines[2].startswith("● cart / floor v1: pass: eval/mean_return: ")
    assert lines[3:] == ["● green v1: pass: 1 pass of 1 scenario", f"{at}/suite-runs/{suite_run_id}"]
    assert "green v1 of 1a2b3c4, 1 jobs" in shown.err
    assert "cart: waits for 1 of 1 jobs" in shown.err  # and why, until the worker of this test is there
    root = ElementTree.parse(junit).getroot()
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == ("1", "0", "0")
    text = summary.read_text()
    assert text.startswith("## ● pass · green v1\n")
    [chart] = (tmp_path / "out-charts").iterdir()
    assert f"(out-charts/{chart.name})" in text
    ElementTree.parse(chart)


def test_a_red_suite_ends_with_1_and_says_why(at: str, client: Client, tmp_path: Path, capsys: Captured) -> None:
    junit = tmp_path / "out.xml"
    assert run_green(at, client, tmp_path, "red", "--junit", str(junit), score=300.0) == 1
    out = capsys.readouterr().out
    assert "    ■ floor eval/mean_return: eval/mean_return: 300, must be at least 400" in out
    assert [one.attrib["type"] for one in ElementTree.parse(junit).iter("failure")] == ["fail"]


def test_before_its_first_baseline_a_suite_cannot_tell_and_says_what_to_do(
    at: str, client: Client, tmp_path: Path, capsys: Captured
) -> None:
    [scenario] = a_suite("first")["scenarios"]
    compare = {**scenario, "gates": [{"gate": "compare", "baseline": "nobody"}]}
    applied(at, tmp_path, {"name": "first", "scenarios": [compare]})
    thread = working(client, "first", [450.0])
    summary = tmp_path / "out.md"
    assert main(["suite", "run", "first", "--wait", "--summary", str(summary), "--server", at]) == 3
    thread.join()
    assert "    note: there is no baseline nobody: bless one" in capsys.readouterr().out
    assert "- note: there is no baseline nobody: bless one" in summary.read_text()


def test_programs_get_one_object_a_line(at: str, client: Client, tmp_path: Path, capsys: Captured) -> None:
    applied(at, tmp_path, a_suite("lines"))
    capsys.readouterr()
    assert run_green(at, client, tmp_path, "lines", "--json") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()[1:]]
    assert [one["type"] for one in found][:2] == ["suite_run", "state"]
    last = found[-1]
    assert (last["type"], last["verdict"], last["green"], last["exit_code"]) == ("result", "pass", True, 0)
    assert last["scenarios"][0]["gates"][0]["verdict"] == "pass"


def test_when_the_time_is_over_first_it_cannot_tell(at: str, tmp_path: Path, capsys: Captured) -> None:
    junit, name = tmp_path / "out.xml", applied(at, tmp_path, a_suite("slow"))
    assert main(["suite", "run", name, "--wait", "--timeout", "0", "--junit", str(junit), "--server", at]) == 3
    assert "not over after 0 s; the suite goes on" in capsys.readouterr().err
    [error] = ElementTree.parse(junit).iter("error")
    assert error.attrib["message"] == "not judged: waits for 1 of 1 jobs: No live worker serves the queue 'slow'."


def test_without_wait_it_prints_the_id_and_can_be_come_back_to(
    at: str, client: Client, tmp_path: Path, capsys: Captured
) -> None:
    name = applied(at, tmp_path, a_suite("later"))
    capsys.readouterr()
    assert main(["suite", "run", name, "--server", at]) == 0
    suite_run_id = capsys.readouterr().out.strip()
    assert main(["suite", "show", suite_run_id, "--server", at]) == 3
    assert "… cart: not judged: waits for 1 of 1 jobs" in capsys.readouterr().out
    work(client, name, [450.0])
    assert main(["suite", "show", suite_run_id, "--wait", "--server", at]) == 0


def test_a_cancelled_suite_cannot_tell(at: str, tmp_path: Path, capsys: Captured) -> None:
    name = applied(at, tmp_path, a_suite("stopped"))
    capsys.readouterr()
    main(["suite", "run", name, "--server", at])
    suite_run_id = capsys.readouterr().out.strip()
    assert main(["suite", "cancel", suite_run_id, "--server", at]) == 0
    assert capsys.readouterr().out == f"{suite_run_id} cancelled\n"
    assert main(["suite", "cancel", suite_run_id, "--json", "--server", at]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "cancelled"
    assert main(["suite", "show", suite_run_id, "--server", at]) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody"], "There is no suite 'nobody'. Apply it first: `dreamgate suite apply FILE`"),
        (["picky", "--timeout", "-1", "--wait"], "--timeout must be at least 0"),
        (["picky", "--installed", "--commit", "1a2b3c4"], "--installed runs no commit"),
        (["picky", "--commit", "HEAD"], "commit"),
        (["picky", "--junit", "."], "is a folder"),
        (["picky", "--post", "cart"], "posted as SCENARIO=FILE.json, got 'cart'"),
        (["picky", "--post", "cart=nowhere.json"], "there is no such file"),
        (["picky", "--post", "cart=fine.json"], "picky has no scenario 'cart' that takes numbers; it has none"),
        (["picky", "--post", "cart=wrong.json"], "must be a number"),
        (["picky", "--post", "cart=list.json"], "numbers are a list of"),
        (["picky", "--post", "cart=broken.jsonl"], "is not JSON, line by line"),
        (["picky", "--post", "cart=words.jsonl"], "one JSON object a line"),
    ],
)
def test_called_wrong_nothing_is_started(
    at: str, client: Client, tmp_path: Path, capsys: Captured, words: list[str], said: str
) -> None:
    applied(at, tmp_path, a_suite("picky"))
    parity(tmp_path, 0.0, "fine.json")
    (tmp_path / "wrong.json").write_text('{"parity": [{"name": "a", "error": "x", "tolerance": 1}]}')
    (tmp_path / "list.json").write_text('{"numbers": {"a": 1}}')
    (tmp_path / "broken.jsonl").write_text("{\n")
    (tmp_path / "words.jsonl").write_text('"a"\n')
    capsys.readouterr()
    assert main(["suite", "run", *words, "--server", at]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1
    assert client.list_suite_runs(suite="picky").items == ()


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_in_a_repository_its_commit_and_branch_are_run(
    at: str, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    name = applied(at, tmp_path, a_suite("here"))
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "topic")
    git(repository, "commit", "-q", "--allow-empty", "-m", "first")
    (repository / "new.txt").write_text("not committed")
    monkeypatch.chdir(repository)
    assert main(["suite", "run", name, "--server", at]) == 0
    [run] = client.list_suite_runs(suite=name).items
    assert (run.commit, run.branch) == (git(repository, "rev-parse", "HEAD"), "topic")
    assert "what is not committed is not in" in capsys.readouterr().err
    assert main(["suite", "run", name, "--installed", "--server", at]) == 0
    assert client.list_suite_runs(suite=name).items[0].commit is None


def test_without_git_there_is_no_commit(
    at: str, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = applied(at, tmp_path, a_suite("no-git"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["suite", "run", name, "--server", at]) == 0
    assert client.list_suite_runs(suite=name).items[0].commit is None
