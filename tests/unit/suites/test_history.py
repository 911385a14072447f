"""A real git repository as a history: what lies between two commits, and clear words where there is none."""

import os
import subprocess
from pathlib import Path

import pytest

from dreamer_core.errors import UsageError
from dreamer_core.suites.history import GitHistory, open_history

WHO = {f"GIT_{role}_{what}": "somebody@home" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, list[str]]:
    """Five commits, the oldest first."""
    git(tmp_path, "init", "-q", "-b", "main")
    commits = []
    for number in range(5):
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", f"number {number}")
        commits.append(git(tmp_path, "rev-parse", "HEAD"))
    return tmp_path, commits


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, env=os.environ | WHO, capture_output=True, text=True, check=True).stdout.strip()


def test_the_best_commit_to_ask_comes_first(repository: tuple[Path, list[str]]) -> None:
    folder, commits = repository
    history = open_history(folder)
    found = history.between(commits[4], [commits[0]])
    assert (set(found), found[0]) == (set(commits[1:]), commits[2])
    assert history.between(commits[4], [commits[0], commits[3]]) == [commits[4]]


def test_commits_are_found_by_any_name(repository: tuple[Path, list[str]]) -> None:
    folder, commits = repository
    history = GitHistory(folder)
    assert [history.commit(name) for name in ("HEAD~1", commits[3][:9])] == [commits[3]] * 2
    assert history.is_ancestor(commits[0], commits[4])
    assert not history.is_ancestor(commits[4], commits[0])
    assert history.title("main").endswith("somebody@home: number 4")


@pytest.mark.parametrize("name", ["nobody", "--help", "", "main..HEAD"])
def test_what_is_no_commit_is_refused(repository: tuple[Path, list[str]], name: str) -> None:
    with pytest.raises(UsageError, match="has no commit"):
        GitHistory(repository[0]).commit(name)


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no git repository"):
        open_history(tmp_path)


def test_a_merge_can_be_one_step(repository: tuple[Path, list[str]]) -> None:
    folder, commits = repository
    git(folder, "checkout", "-q", "-b", "side", commits[0])
    git(folder, "commit", "-q", "--allow-empty", "-m", "aside")
    aside = git(folder, "rev-parse", "HEAD")
    git(folder, "checkout", "-q", "main")
    git(folder, "merge", "-q", "--no-ff", "-m", "merged", "side")
    merged = git(folder, "rev-parse", "HEAD")
    assert aside in GitHistory(folder).between(merged, [commits[4]])
    assert GitHistory(folder, first_parent=True).between(merged, [commits[4]]) == [merged]


def test_a_machine_without_git_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="git is not installed"):
        open_history(tmp_path)
