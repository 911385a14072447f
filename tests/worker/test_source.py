"""Which code runs: commits of a repository that the worker's owner named."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dreamer_core.errors import UsageError
from worker import source
from worker.source import Source, SourceError

WHO = {f"GIT_{role}_{what}": "somebody@home" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class Repository:
    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "dreamer_core" / "cli").mkdir(parents=True)
        self.git("init", "-q")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.path, env=os.environ | WHO, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, content: str, file: str = "dreamer_core/cli/main.py") -> str:
        (self.path / file).write_text(content)
        self.git("add", ".")
        self.git("commit", "-qm", "a change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "worker" / "source"


def code_at(checkout: Path) -> str:
    return (checkout / "dreamer_core" / "cli" / "main.py").read_text()


def test_a_commit_is_checked_out_by_its_whole_or_its_short_hash(repository: Repository, folder: Path) -> None:
    old, new = repository.commit("old"), repository.commit("new")
    found = Source(folder, str(repository.path))
    with found.at(old) as at_old, found.at(new[:7]) as at_new:
        assert (code_at(at_old), code_at(at_new)) == ("old", "new")
        assert at_old.name == old


def test_a_commit_that_came_later_is_fetched(repository: Repository, folder: Path) -> None:
    found = Source(folder, str(repository.path))
    with found.at(repository.commit("old")):
        pass
    repository.git("checkout", "-qb", "aside")
    with found.at(repository.commit("new")) as checkout:
        assert code_at(checkout) == "new"


def test_a_checkout_is_kept_and_needs_the_repository_no_more(repository: Repository, folder: Path) -> None:
    commit = repository.commit("old")
    with Source(folder, str(repository.path)).at(commit):
        pass
    shutil.rmtree(repository.path)
    with Source(folder, str(repository.path)).at(commit) as checkout:
        assert code_at(checkout) == "old"


def test_only_so_many_are_kept_but_never_less_than_are_used(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "KEPT", 2)
    commits = [repository.commit(str(number)) for number in range(4)]
    found = Source(folder, str(repository.path))
    with found.at(commits[0]) as first:
        for age, commit in enumerate(commits[1:]):
            with found.at(commit):
                pass
            os.utime(folder / f"{commit}.use", (age, age))
        assert code_at(first) == "0"
    assert sorted(path.stem for path in folder.glob("*.use")) == sorted([commits[0], commits[3]])
    assert not (folder / commits[1]).exists()


def test_without_a_repository_it_refuses_and_says_what_to_do(folder: Path) -> None:
    found = Source(folder, None)
    with pytest.raises(SourceError, match="set DREAMGATE_SOURCE_REPO where it is started"), found.at("abc1234"):
        pass


@pytest.mark.parametrize("name", ["main", "--upload-pack=evil", "HEAD", "abc", "ABCDEF1", "abc1234;ls"])
def test_only_hashes_are_commits(repository: Repository, folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="7 to 40 hexadecimal digits"), Source(folder, str(repository.path)).at(name):
        pass


def test_a_commit_that_is_not_there_is_a_clear_error(repository: Repository, folder: Path) -> None:
    repository.commit("old")
    found = Source(folder, str(repository.path))
    with pytest.raises(SourceError, match="has no commit deadbeef: push it there"), found.at("deadbeef"):
        pass


def test_a_commit_without_our_code_is_a_clear_error(repository: Repository, folder: Path) -> None:
    (repository.path / "dreamer_core" / "cli").rmdir()
    (repository.path / "dreamer_core").rmdir()
    commit = repository.commit("something else", file="README")
    found = Source(folder, str(repository.path))
    with pytest.raises(SourceError, match="holds no dreamer_core to run"), found.at(commit):
        pass


def test_an_address_is_not_told_it_may_hold_a_password(folder: Path, tmp_path: Path) -> None:
    address = f"file://user:secret@{tmp_path}/nowhere"
    with pytest.raises(SourceError) as caught, Source(folder, address).at("abc1234"):
        pass
    assert "secret" not in str(caught.value)


def test_a_checkout_cannot_be_retired_between_its_making_and_its_use(repository: Repository, folder: Path) -> None:
    class Raced(Source):
        """Another worker makes room in the very moment in which it may."""

        @contextmanager
        def _alone(self) -> Iterator[None]:
            with super()._alone():
                yield
            self._retire(0)

    with Raced(folder, str(repository.path)).at(repository.commit("here")) as tree:
        assert code_at(tree) == "here"


def test_a_ctrl_c_for_the_worker_does_not_reach_git(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "git"
    fake.write_text(f"#!{sys.executable}\nimport os\nprint(os.getpgrp())\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert int(Source(folder, "anything")._git("clone")) != os.getpgrp()
