"""`dreamgate bisect` on a real history, with a server whose verdicts are known."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dreamer_core.cli import server_options
from dreamer_core.cli.main import main

WHO = {f"GIT_{role}_{what}": "somebody@home" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@dataclass(frozen=True)
class Jobs:
    total: int = 2


@dataclass(frozen=True)
class Ended:
    id: str
    verdict: str
    commit: str
    reason: str = "because"
    is_final: bool = True
    jobs: Jobs = Jobs()
    scenarios: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Hand:
    """A worker."""

    state: str = "online"
    runs_commits: bool = True


@dataclass
class KnownVerdicts:
    """A client whose suite comes to what is known of each commit, asked again with more seeds to the next of it."""

    verdicts: Mapping[str, tuple[str, ...]]
    asked: list[tuple[str, int]] = field(default_factory=list)
    hands: tuple[Hand, ...] = (Hand(),)
    is_interrupted: bool = False
    url: str = "http://server.test"

    def start_suite(self, name: str, *, commit: str, trigger: str, widen: int, reuse: bool) -> Ended:
        assert (name, trigger, reuse) == ("nightly", "bisect", True)
        self.asked.append((commit, widen))
        said = self.verdicts[commit]
        return Ended(f"{commit}-{widen}", said[min(widen, len(said) - 1)], commit)

    def workers(self) -> tuple[Hand, ...]:
        return self.hands

    def get_suite_run(self, suite_run_id: str) -> Ended:
        if self.is_interrupted:
            raise KeyboardInterrupt
        commit, _, widen = suite_run_id.partition("-")
        said = self.verdicts[commit]
        return Ended(suite_run_id, said[min(int(widen), len(said) - 1)], commit)

    def __enter__(self) -> "KnownVerdicts":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def commits(tmp_path: Path) -> list[str]:
    git(tmp_path, "init", "-q", "-b", "main")
    found = []
    for number in range(6):
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", f"number {number}")
        found.append(git(tmp_path, "rev-parse", "HEAD"))
    return found


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, env=os.environ | WHO, capture_output=True, text=True, check=True).stdout.strip()


def bisect(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verdicts: Mapping[str, Any], *words: str, good: str, **said: Any
) -> tuple[int, KnownVerdicts]:
    known = {commit: each if isinstance(each, tuple) else (each,) for commit, each in verdicts.items()}
    client = KnownVerdicts(known, **said)
    monkeypatch.setattr(server_options, "open_client", lambda args: client)
    ends = ["--good", good, "--bad", "main", "--suite", "nightly", "--repo", str(tmp_path)]
    return main(["bisect", *ends, *words]), client


def broken_by(commits: list[str], number: int) -> dict[str, Any]:
    return {commit: "fail" if place >= number else "pass" for place, commit in enumerate(commits)}


def test_the_culprit_is_named_after_both_ends_were_judged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, commits: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, client = bisect(monkeypatch, tmp_path, broken_by(commits, 3), good=commits[0])
    said = capsys.readouterr().out
    assert (code, client.asked[:2]) == (0, [(commits[5], 0), (commits[0], 0)])
    assert "somebody@home: number 3" in said.partition("the first red commit: ")[2]
    assert commits[3] in said


def test_programs_get_a_line_for_each_step_and_one_for_the_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, commits: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, client = bisect(monkeypatch, tmp_path, broken_by(commits, 1), "--json", "--trust", good=commits[0])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert [line["type"] for line in lines] == ["step"] * len(client.asked) + ["result"]
    assert (lines[-1]["first_bad"], lines[-1]["undecided"]) == (commits[1], [])


def test_each_step_is_seen_before_it_is_over_and_told_that_nobody_can_check_it_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, commits: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    bisect(monkeypatch, tmp_path, broken_by(commits, 3), good=commits[0], hands=(Hand(runs_commits=False),))
    first, warning = capsys.readouterr().err.splitlines()[:2]
    assert first == f"judging {commits[5][:12]}, 2 jobs: http://server.test/suite-runs/{commits[5]}-0"
    assert f"no worker can check out {commits[5][:12]}" in warning


def test_ctrl_c_says_how_to_come_back_to_the_step_and_how_to_stop_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, commits: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = bisect(monkeypatch, tmp_path, broken_by(commits, 3), good=commits[0], is_interrupted=True)
    said = capsys.readouterr().err
    step = f"{commits[5]}-0 "
    assert code == 130
    assert f"suite show {step}--wait --server http://server.test` comes back to it" in said
    assert f"suite cancel {step}--server http://server.test` stops it" in said


def test_an_inconclusive_step_is_repeated_with_more_seeds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, commits: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = broken_by(commits, 3)
    middle = next(commit for commit in commits[2:4])
    verdicts[middle] = ("inconclusive", "pass")
    code, client = bisect(monkeypatch, tmp_path, verdicts, "--trust", good=commits[0])
    assert (code, (middle, 1) in client.asked) == (0, True)
    assert "with 2 times the seeds" in capsys.readouterr().out


def test_a_commit_that_cannot_be_judged_may_be_the_one_and_is_listed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, commits: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = broken_by(commits, 4) | {commits[3]: "error"}
    code, _ = bisect(monkeypatch, tmp_path, verdicts, "--trust", good=commits[0])
    assert code == 3
    assert "number 3" in capsys.readouterr().out.partition("it, or one of these that could not be judged")[2]


@pytest.mark.parametrize(("place", "verdict", "words"), [(5, "pass", "nothing to find"), (0, "fail", "an older one")])
def test_ends_that_are_not_red_and_green_are_refused(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    commits: list[str],
    capsys: pytest.CaptureFixture[str],
    place: int,
    verdict: str,
    words: str,
) -> None:
    verdicts = broken_by(commits, 3) | {commits[place]: verdict}
    code, _ = bisect(monkeypatch, tmp_path, verdicts, good=commits[0])
    assert (code, words in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize("words", [["--widen", "-1"], ["--bad", "HEAD~5"], ["--repo", "/"], ["--good", "nobody"]])
def test_what_makes_no_search_is_refused_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, commits: list[str], words: list[str]
) -> None:
    code, client = bisect(monkeypatch, tmp_path, broken_by(commits, 3), *words, good=commits[0])
    assert (code, client.asked) == (2, [])
