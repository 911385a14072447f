"""`dreamgate suite` against a real server: files that are written, lines that are printed, exit codes that mean it."""

import json
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from dreamer_core.cli.main import main
from dreamer_core.cli.suite_progress import Lines
from dreamer_core.remote import Client, suite_waiting
from dreamer_core.remote.suite_shapes import SuiteRunDetail
from dreamer_core.remote.worker_messages import WorkerFacts
from tests.remote.conftest import TOKEN, RunningServer
from tests.remote.fakes import Serve, ok
from tests.remote.judged import a_suite, parity_suite, work

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Looked at often; the token is known; and one does not stand in a repository."""
    monkeypatch.setattr(suite_waiting, "EVERY_S", 0.05)
    monkeypatch.setenv("DREAMGATE_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def at(shared_server: RunningServer) -> str:
    return shared_server.url


def applied(at: str, tmp_path: Path, suite: dict[str, Any]) -> str:
    file = tmp_path / f"{suite['name']}.yaml"
    file.write_text(yaml.safe_dump(suite))
    assert main(["suite", "apply", str(file), "--server", at]) == 0
    return str(suite["name"])


def working(client: Client, queue: str, scores: list[float]) -> threading.Thread:
    """A worker that waits for its jobs."""

    def go() -> None:
        deadline = time.monotonic() + 20
        while not any(found.name == queue and found.queued for found in client.queues()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        work(client, queue, scores)

    thread = threading.Thread(target=go)
    thread.start()
    return thread


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


def parity(tmp_path: Path, error: float, name: str = "parity.json") -> Path:
    file = tmp_path / name
    file.write_text(json.dumps({"parity": [{"name": name, "error": error, "tolerance": 1e-6, "reference": "us"}]}))
    return file


@pytest.mark.parametrize(("error", "code"), [(1e-7, 0), (1e-3, 1)])
def test_numbers_of_tests_are_posted_and_judged(at: str, tmp_path: Path, error: float, code: int) -> None:
    name = applied(at, tmp_path, parity_suite("with-parity"))
    first, second = parity(tmp_path, 0.0), parity(tmp_path, error, "more.json")
    posts = ["--post", f"tests={first}", "--post", f"tests={second}"]
    assert main(["suite", "run", name, "--wait", "--server", at, *posts]) == code


def test_numbers_can_be_posted_later(at: str, tmp_path: Path, capsys: Captured) -> None:
    name = applied(at, tmp_path, parity_suite("posted-later"))
    capsys.readouterr()
    assert main(["suite", "run", name, "--server", at]) == 0
    shown = capsys.readouterr()
    todo = f"dreamgate suite post {shown.out.strip()} tests=FILE.json --server {at}"
    assert f"scenario tests waits for numbers: {todo}" in shown.err
    post = ["suite", "post", shown.out.strip(), f"tests={parity(tmp_path, 0.0)}", "--server", at]
    assert main(post) == 0
    assert "posted to tests" in capsys.readouterr().out
    assert main([*post, "--json"]) in (0, 2)  # the same again; refused where it is judged already
    assert main(["suite", "show", shown.out.strip(), "--wait", "--server", at]) == 0


def test_records_and_summaries_are_posted_as_numbers(at: str, tmp_path: Path) -> None:
    gates = [{"name": "fast", "checks": [{"check": "floor", "key": "my/speed", "value": 10, "of": "last"}]}]
    scenario = {"name": "bench", "posted": True, "gates": [{"gate": "fast", "of": "posted"}]}
    name = applied(at, tmp_path, {"name": "posted-numbers", "gates": gates, "scenarios": [scenario]})
    summary, records = tmp_path / "a.json", tmp_path / "b.jsonl"
    summary.write_text('{"my/speed": 12.5}')
    records.write_text('{"my/speed": 3}\n\n{"my/speed": 11}\n')
    whole = tmp_path / "c.json"
    whole.write_text('{"numbers": [{"name": "c", "seed": 1, "records": [{"my/speed": 10}]}]}')
    posts = [word for file in (summary, records, whole) for word in ("--post", f"bench={file}")]
    assert main(["suite", "run", name, "--wait", "--server", at, *posts]) == 0


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


def at_the_first_look(monkeypatch: pytest.MonkeyPatch, do: Callable[[], None]) -> None:
    look, looked = Lines.on_look, threading.Event()

    def first(lines: Lines, run: SuiteRunDetail) -> None:
        look(lines, run)
        if not looked.is_set():
            looked.set()
            do()

    monkeypatch.setattr(Lines, "on_look", first)


def started(server: RunningServer, tmp_path: Path, capsys: Captured) -> str:
    name = applied(server.url, tmp_path, a_suite("outage"))
    capsys.readouterr()
    assert main(["suite", "run", name, "--server", server.url]) == 0
    return capsys.readouterr().out.strip()


def test_a_short_outage_is_waited_out(
    own_server: RunningServer, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite_run_id = started(own_server, tmp_path, capsys)
    monkeypatch.setattr("dreamer_core.cli.server_options._PATIENCE_S", 0.0)

    def start_again() -> None:
        time.sleep(0.5)
        own_server.start()
        with own_server.client() as client:
            work(client, "outage", [450.0])

    starting = threading.Thread(target=start_again)

    def stop() -> None:
        own_server.stop()
        starting.start()

    at_the_first_look(monkeypatch, stop)
    assert main(["suite", "show", suite_run_id, "--wait", "--server", own_server.url]) == 0
    starting.join()


def test_a_server_that_is_lost_for_good_is_4_and_one_line_with_the_way_back(
    own_server: RunningServer, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite_run_id = started(own_server, tmp_path, capsys)
    monkeypatch.setattr("dreamer_core.cli.server_options._PATIENCE_S", 0.0)
    monkeypatch.setattr(suite_waiting, "LONGEST_OUTAGE_S", 0.2)
    at_the_first_look(monkeypatch, own_server.stop)
    assert main(["suite", "show", suite_run_id, "--wait", "--server", own_server.url]) == 4
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dreamgate:")]
    assert "cannot be reached" in line
    assert f"dreamgate suite show {suite_run_id} --wait" in line
    own_server.start()


def test_a_server_that_was_never_there_is_4_at_once(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dreamer_core.cli.server_options._PATIENCE_S", 0.0)
    for words in (["run", "daily", "--wait"], ["show", "abc", "--wait"], ["list"]):
        assert main(["suite", *words, "--server", "http://127.0.0.1:9"]) == 4
        assert "cannot be reached" in capsys.readouterr().err


SUITE_RUN: dict[str, Any] = {
    **{"id": "abc", "suite": "daily", "suite_version": 1, "state": "running", "verdict": None, "green": None},
    **{"reason": "", "commit": None, "branch": None, "trigger": "ci", "who": "", "created_at": "", "ended_at": None},
    **{"jobs": {"total": 1, "done": 0, "failed": 0}, "scenarios": []},
}


def test_interrupting_leaves_the_suite_alone_and_says_how_to_come_back(serve: Serve, capsys: Captured) -> None:
    server = serve(ok(SUITE_RUN), KeyboardInterrupt())
    assert main(["suite", "show", "abc", "--wait"]) == 130
    err = capsys.readouterr().err
    assert "the suite goes on" in err
    there = "--server http://server.test`"
    assert (
        f"`dreamgate suite show abc --wait {there} comes back to it, `dreamgate suite cancel abc {there} stops it"
        in err
    )
    assert all(request.method == "GET" for request in server.asked)


def test_interrupting_a_run_that_has_just_been_started_says_the_same(serve: Serve, capsys: Captured) -> None:
    suite: dict[str, Any] = {
        **{"name": "daily", "version": 1, "created_at": "", "source": "", "question": "", "schedule": None},
        **{"next_at": None, "scenarios": [], "unused_gates": [], "body": {"scenarios": []}, "latest": None},
    }
    serve(ok(suite), ok(SUITE_RUN), ok({"items": []}), KeyboardInterrupt())
    assert main(["suite", "run", "daily", "--wait", "--installed"]) == 130
    err = capsys.readouterr().err
    assert "no worker is online: the jobs wait for one" in err
    assert "the suite goes on" in err


def test_a_commit_that_no_worker_can_check_out_is_a_warning(
    own_server: RunningServer, tmp_path: Path, capsys: Captured
) -> None:
    name = applied(own_server.url, tmp_path, a_suite("nobody-can"))
    with own_server.client() as client:
        client.register_worker(WorkerFacts(name="plain", host="here", pid=1, queues=("cpu",), slots=1))
    assert main(["suite", "run", name, "--commit", "1a2b3c4", "--server", own_server.url]) == 0
    assert "no worker can check out 1a2b3c4" in capsys.readouterr().err
    assert main(["suite", "run", name, "--installed", "--server", own_server.url]) == 0
    assert "no worker" not in capsys.readouterr().err


def test_jobs_that_no_worker_serves_are_said_at_once_and_in_every_report(
    own_server: RunningServer, tmp_path: Path, capsys: Captured
) -> None:
    name = applied(own_server.url, tmp_path, a_suite("for-a-gpu"))
    with own_server.client() as client:
        client.register_worker(WorkerFacts(name="plain", host="here", pid=1, queues=("cpu",), slots=1))
    junit, why = tmp_path / "out.xml", "No live worker serves the queue 'for-a-gpu'."
    files = ["--junit", str(junit), "--server", own_server.url]
    assert main(["suite", "run", name, "--installed", "--wait", "--timeout", "0", *files]) == 3
    shown = capsys.readouterr()
    assert f"dreamgate: cart: {why} The jobs wait for one." in shown.err
    assert f"cart: waits for 1 of 1 jobs: {why}" in shown.err
    assert f"not judged: waits for 1 of 1 jobs: {why}" in shown.out
    assert why in "".join(ElementTree.parse(junit).getroot().itertext())


def test_a_try_that_confirms_is_told(serve: Serve, capsys: Captured) -> None:
    scenario: dict[str, Any] = {
        "name": "cart",
        "verdict": None,
        "attempt": 2,
        "waits_for": None,
        "runs": [],
        "results": [],
    }
    serve(ok({**SUITE_RUN, "scenarios": [scenario]}))
    assert main(["suite", "show", "abc", "--wait", "--timeout", "0"]) == 3
    assert "cart (try 2): is being judged" in capsys.readouterr().err
    assert main(["suite", "show", "abc", "--wait", "--timeout", "0", "--json"]) == 3
    assert json.loads(capsys.readouterr().out.splitlines()[0])["attempt"] == 2


def test_files_are_checked_without_a_server(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(a_suite("mine")))
    assert main(["suite", "check", str(file), "cartpole"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{file}: mine v1, 1 scenario, 1 job",
        "cartpole: cartpole v1, 1 scenario, 8 jobs",
    ]
    assert main(["suite", "check", "gpu-main", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["jobs"] == 11


@pytest.mark.parametrize(
    ("text", "said"),
    [("name: [", "this is not YAML"), ("name: a\nscenarios: [{name: b}]\n", "scenarios[0].gates")],
)
def test_a_file_that_is_no_suite_is_refused_with_its_place(
    tmp_path: Path, capsys: Captured, text: str, said: str
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    assert main(["suite", "check", str(file)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"dreamgate: {file}: ")
    assert said in err


def test_a_name_that_is_neither_file_nor_shipped_is_refused(capsys: Captured) -> None:
    assert main(["suite", "check", "nobody"]) == 2
    assert "no file nobody, and the package has no such suite: cartpole, cpu-daily, gpu-main" in capsys.readouterr().err


def test_gates_that_nobody_uses_are_a_warning(at: str, tmp_path: Path, capsys: Captured) -> None:
    suite = a_suite("unused")
    applied(at, tmp_path, {**suite, "gates": [*suite["gates"], {"name": "forgotten", "checks": [{"check": "finite"}]}]})
    assert "unused: no scenario uses forgotten: use it, or delete it" in capsys.readouterr().err


def test_another_suite_under_the_same_version_is_refused(at: str, tmp_path: Path, capsys: Captured) -> None:
    applied(at, tmp_path, a_suite("versioned"))
    (tmp_path / "versioned.yaml").write_text(yaml.safe_dump(a_suite("versioned", question="why?")))
    assert main(["suite", "apply", str(tmp_path / "versioned.yaml"), "--server", at]) == 2
    assert "Give it version 2." in capsys.readouterr().err


def test_shipped_suites_are_applied_by_name_and_listed(at: str, client: Client, capsys: Captured) -> None:
    assert main(["suite", "apply", "cartpole", "cpu-daily", "gpu-main", "--json", "--server", at]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["name"] for one in found] == ["cartpole", "cpu-daily", "gpu-main"]
    assert client.get_suite("cartpole").source.startswith("shipped with dreamgate ")
    assert main(["suite", "list", "--server", at]) == 0
    assert "cartpole v1" in capsys.readouterr().out
    assert main(["suite", "list", "--json", "--server", at]) == 0
    assert "cpu-daily" in {json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()}


def test_what_is_shipped_is_listed_without_a_server(capsys: Captured) -> None:
    assert main(["suite", "list", "--shipped"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["cartpole", "cpu-daily", "gpu-main"]
    assert main(["suite", "list", "--shipped", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["name"] == "cartpole"


def test_a_server_without_suites_says_what_to_do(serve: Serve, capsys: Captured) -> None:
    serve(ok({"items": [], "next": None}))
    assert main(["suite", "list"]) == 0
    assert "dreamgate suite apply cpu-daily" in capsys.readouterr().out
