"""What is kept of a run's surroundings, so that it can be made again elsewhere."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from dreamer_core.runs import capture, facts
from dreamer_core.runs.capture import PATCH_LIMIT
from dreamer_core.runs.facts import Source

CLEAN, DIRTY = Source(commit="abc", dirty=False), Source(commit="abc", dirty=True)
WHO = {f"GIT_{role}_{what}": "somebody@home" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a package of one committed line, which stands for the one that runs."""
    package = tmp_path / "checkout" / "dreamer_core"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("horizon = 15\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=package.parent, check=True, env=os.environ | WHO)
    monkeypatch.setattr("dreamer_core.__file__", str(package / "__init__.py"))
    return package


def test_the_packages_are_listed_with_their_versions(tmp_path: Path) -> None:
    kept = capture.capture(tmp_path, CLEAN)
    assert kept.packages is not None
    lines = (tmp_path / kept.packages.path).read_text().splitlines()
    assert f"pytest=={pytest.__version__}" in lines
    names = [line.split("==")[0].lower() for line in lines]
    assert names == sorted(names)
    assert kept.packages.sha256 == hashlib.sha256((tmp_path / "packages.txt").read_bytes()).hexdigest()
    assert kept.patch is None


def test_a_change_that_was_not_committed_can_be_applied_again(checkout: Path, tmp_path: Path) -> None:
    (checkout / "__init__.py").write_text("horizon = 16\n")
    kept = capture.capture(tmp_path, facts.find_source())
    assert kept.patch is not None
    subprocess.run(["git", "checkout", "-q", "."], cwd=checkout, check=True)
    subprocess.run(["git", "apply", tmp_path / kept.patch.path], cwd=checkout.parent, check=True)
    assert (checkout / "__init__.py").read_text() == "horizon = 16\n"


def test_a_huge_patch_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "find_patch", lambda: b"+" * (PATCH_LIMIT + 5))
    capture.capture(tmp_path, DIRTY)
    written = (tmp_path / "source.patch").read_bytes()
    assert len(written) < PATCH_LIMIT + 100
    assert written.endswith(f"\n# cut here: the whole patch has {PATCH_LIMIT + 5} bytes\n".encode())


def test_what_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "packages.txt").mkdir()
    assert capture.capture(tmp_path, CLEAN).packages is None
