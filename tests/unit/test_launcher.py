"""The launcher installs exactly when it must, and a call that is killed or doubled leaves nothing half-made behind."""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

LAUNCHER = Path(__file__).parents[2] / "dreamgate"


def load_launcher() -> ModuleType:
    spec = importlib.util.spec_from_loader("launcher", SourceFileLoader("launcher", str(LAUNCHER)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


launcher = load_launcher()


class FakeInstaller:
    """Makes what the real one makes for a launcher to look at: an interpreter, and something installed."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.trouble: BaseException | None = None

    def __call__(self, house: Any, groups: list[str], lock: int) -> None:
        self.asked.append(groups)
        (house.venv / "bin").mkdir(exist_ok=True)
        if not house.python.exists():
            house.python.symlink_to(sys.executable)
        (house.venv / f"package-{len(self.asked)}").touch()
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def house(tmp_path: Path) -> Any:
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "pyproject.toml").write_text('[dependency-groups]\ndev = ["pytest>=8"]\n')
    (root / "constraints.txt").write_text("torch==2.13.0\n")
    (root / "server").mkdir()
    (root / "server" / "assets.txt").write_text("django-htmx==1.29.0\n")
    return launcher.House(root, root / ".venv")


@pytest.fixture
def install() -> FakeInstaller:
    return FakeInstaller()


def left_in(house: Any) -> set[str]:
    return {entry.name for entry in house.venv.glob("package-*")}


def write_script(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_an_old_python_is_told_so_in_one_sentence() -> None:
    pretend = "import sys; sys.version_info = (3, 8, 1, 'final', 0); sys.version = '3.8.1 (old)'"
    run = f"exec(compile(open({str(LAUNCHER)!r}).read(), 'dreamgate', 'exec'))"
    result = subprocess.run([sys.executable, "-c", f"{pretend}; {run}"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr == "dreamgate needs Python 3.11 or newer, and this one is 3.8.1.\n"


def test_an_old_python_can_read_the_launcher_far_enough_to_refuse() -> None:
    ast.parse(LAUNCHER.read_text(), feature_version=(3, 7))


def test_the_first_call_installs_and_the_second_does_not(house: Any, install: FakeInstaller) -> None:
    launcher.make_ready(house, ["all"], install)
    launcher.make_ready(house, ["all"], install)
    assert install.asked == [["all"]]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt", "server/assets.txt"])
def test_a_changed_recipe_is_installed_over_what_is_there(house: Any, install: FakeInstaller, name: str) -> None:
    launcher.make_ready(house, ["all"], install)
    (house.root / name).write_text("[dependency-groups]\ndev = []\n# changed\n")
    launcher.make_ready(house, ["all"], install)
    launcher.make_ready(house, ["all"], install)
    assert install.asked == [["all"], ["all"]]
    assert left_in(house) == {"package-1", "package-2"}


def test_moving_a_line_from_one_file_to_the_other_changes_the_recipe(house: Any) -> None:
    before = launcher.recipe_of(house)
    (house.root / "pyproject.toml").write_text("")
    (house.root / "constraints.txt").write_text('[dependency-groups]\ndev = ["pytest>=8"]\ntorch==2.13.0\n')
    assert launcher.recipe_of(house) != before


def test_tests_add_their_tools_once_and_training_keeps_them(house: Any, install: FakeInstaller) -> None:
    launcher.make_ready(house, ["all"], install)
    launcher.make_ready(house, ["all", "dev"], install)
    launcher.make_ready(house, ["all"], install)
    assert install.asked == [["all"], ["all", "dev"]]
    (house.root / "constraints.txt").write_text("torch==2.14.0\n")
    launcher.make_ready(house, ["all"], install)
    assert install.asked[-1] == ["all", "dev"]


def test_an_installation_killed_half_way_is_made_anew(house: Any, install: FakeInstaller) -> None:
    install.trouble = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        launcher.make_ready(house, ["all"], install)
    assert left_in(house) == {"package-1"}
    install.trouble = None
    launcher.make_ready(house, ["all"], install)
    assert left_in(house) == {"package-2"}


def test_an_update_killed_half_way_is_made_anew(house: Any, install: FakeInstaller) -> None:
    launcher.make_ready(house, ["all"], install)
    (house.root / "constraints.txt").write_text("torch==2.14.0\n")
    install.trouble = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        launcher.make_ready(house, ["all"], install)
    install.trouble = None
    launcher.make_ready(house, ["all"], install)
    assert left_in(house) == {"package-3"}


def test_a_failed_update_leaves_the_working_installation_for_the_old_recipe(house: Any, install: FakeInstaller) -> None:
    launcher.make_ready(house, ["all"], install)
    old = (house.root / "constraints.txt").read_text()
    (house.root / "constraints.txt").write_text("torch==99\n")
    install.trouble = launcher.SetupError("no such version")
    with pytest.raises(launcher.SetupError):
        launcher.make_ready(house, ["all"], install)
    assert not launcher.is_ready(house, ["all"])
    (house.root / "constraints.txt").write_text(old)
    assert launcher.is_ready(house, ["all"])


def test_a_moved_checkout_is_made_anew(house: Any, install: FakeInstaller) -> None:
    launcher.make_ready(house, ["all", "dev"], install)
    moved = house.root.rename(house.root.with_name("elsewhere"))
    there = launcher.House(moved, moved / ".venv")
    launcher.make_ready(there, ["all"], install)
    assert install.asked[-1] == ["all", "dev"]
    assert left_in(there) == {"package-2"}


def test_the_installation_of_another_checkout_is_left_alone(house: Any, install: FakeInstaller, tmp_path: Path) -> None:
    launcher.make_ready(house, ["all"], install)
    other = launcher.House(tmp_path / "other", house.venv)
    shutil.copytree(house.root, other.root, ignore=shutil.ignore_patterns(".venv"))
    (house.root / "dreamgate").touch()
    with pytest.raises(launcher.ForeignFolderError, match="belongs to the checkout in"):
        launcher.make_ready(other, ["all"], install)
    assert launcher.is_ready(house, ["all"])
    (house.root / "dreamgate").unlink()  # it is gone, so nobody misses it
    launcher.make_ready(other, ["all"], install)
    assert launcher.is_ready(other, ["all"])


def test_an_interpreter_that_went_away_is_replaced(house: Any, install: FakeInstaller) -> None:
    upgraded_away = house.root / "python3.11"
    write_script(upgraded_away, "")
    house.python.parent.mkdir(parents=True)
    house.lock.touch()
    house.python.symlink_to(upgraded_away)
    launcher.write_stamp(house, launcher.Stamp(launcher.place_of(house), launcher.recipe_of(house), ["all"]))
    launcher.make_ready(house, ["all"], install)
    assert install.asked == []
    upgraded_away.unlink()
    launcher.make_ready(house, ["all"], install)
    assert install.asked == [["all"]]
    assert launcher.is_ready(house, ["all"])


def test_another_interpreter_behind_the_same_name_is_noticed(house: Any, install: FakeInstaller) -> None:
    launcher.make_ready(house, ["all"], install)
    other = house.root / "python3.12"
    write_script(other, "")
    house.python.unlink()
    house.python.symlink_to(other)
    assert not launcher.is_ready(house, ["all"])


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"place": "here"}'])
def test_a_damaged_stamp_counts_as_none(house: Any, install: FakeInstaller, damage: str) -> None:
    launcher.make_ready(house, ["all"], install)
    house.stamp.write_text(damage)
    launcher.make_ready(house, ["all"], install)
    assert left_in(house) == {"package-2"}


SECOND_CALL = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_launcher import FakeInstaller, launcher
install = FakeInstaller()
launcher.make_ready(launcher.House(Path(sys.argv[2]), Path(sys.argv[3])), ["all"], install)
print(len(install.asked))
"""


def test_two_first_calls_at_once_install_once(house: Any, install: FakeInstaller) -> None:
    places = [str(Path(__file__).parent), str(house.root), str(house.venv)]
    others: list[subprocess.Popen[str]] = []

    def install_while_another_call_starts(house: Any, groups: list[str], lock: int) -> None:
        second = [sys.executable, "-c", SECOND_CALL, *places]
        other = subprocess.Popen(second, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        others.append(other)
        assert other.stderr is not None
        assert "waiting for it" in other.stderr.readline()
        install(house, groups, lock)

    launcher.make_ready(house, ["all"], install_while_another_call_starts)
    printed, complaints = others[0].communicate(timeout=60)
    assert printed == "0\n", complaints


def test_an_orphaned_installer_still_holds_the_lock(house: Any) -> None:
    with launcher.only_one_at_a_time(house) as lock:
        still_open = [sys.executable, "-c", f"import os; os.fstat({lock})"]
        launcher.run_step(house, "looking at the lock", still_open, env=None, lock=lock)


def test_a_folder_of_somebody_else_is_left_alone(house: Any, install: FakeInstaller) -> None:
    house.venv.mkdir()
    (house.venv / "thesis.tex").touch()
    with pytest.raises(launcher.ForeignFolderError, match="DREAMGATE_VENV"):
        launcher.make_ready(house, ["all"], install)
    assert [entry.name for entry in house.venv.iterdir()] == ["thesis.tex"]


def test_the_folder_can_be_chosen(tmp_path: Path) -> None:
    assert launcher.find_house({"DREAMGATE_VENV": str(tmp_path)}).venv == tmp_path
    assert launcher.find_house({}).venv == LAUNCHER.parent / ".venv"


PIP_CONFIG = """\
:env:.find-links='/from/the/environment'
global.extra-index-url='file:///one file:///two'
global.find-links='/global'
global.timeout='60'
install.find-links='/install/a\\n/install/b'
"""


def test_pip_settings_are_read_in_the_order_that_pip_gives_them_weight() -> None:
    assert launcher.parse_pip_settings(PIP_CONFIG)["find-links"] == "/from/the/environment"
    without_variable = "\n".join(PIP_CONFIG.splitlines()[1:])
    assert launcher.parse_pip_settings(without_variable)["find-links"] == "/install/a\n/install/b"
    assert launcher.parse_pip_settings("") == {}


def test_uv_is_told_what_pip_is_configured_with() -> None:
    settings = {"find-links": "/a\n/b", "extra-index-url": "file:///one file:///two", "timeout": "60"}
    assert launcher.uv_environment(settings, {}) == {
        "UV_FIND_LINKS": "/a,/b",
        "UV_INDEX": "file:///one file:///two",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_what_uv_was_told_directly_stays() -> None:
    assert launcher.uv_environment({"find-links": "/a", "cert": "/c"}, {"UV_FIND_LINKS": "/mine"}) == {
        "SSL_CERT_FILE": "/c"
    }


def test_everything_is_asked_for_in_one_go(house: Any) -> None:
    shared = ["--constraint", "constraints.txt", "--editable", ".[all]"]
    assert launcher.packages_of(house, ["all"]) == shared
    assert launcher.packages_of(house, ["all", "dev"]) == [*shared, "pytest>=8"]


def test_the_real_project_declares_what_the_launcher_reads() -> None:
    packages = launcher.packages_of(launcher.find_house({}), ["all", "dev"])
    assert any(package.startswith("pytest>=") for package in packages)


# A stand-in for the interpreter in .venv: it notes what it is asked for, and obeys.
NOTE = 'echo "$(basename "$0")" "$@" >> "$(dirname "$0")/asked"'


def asked_of_tools(house: Any) -> list[str]:
    asked: str = (house.venv / "bin" / "asked").read_text()
    return asked.splitlines()


@pytest.mark.parametrize(("frugal", "flag"), [(False, ""), (True, " --compile-bytecode")])
def test_uv_installs_when_it_can_be_had(house: Any, monkeypatch: pytest.MonkeyPatch, frugal: bool, flag: str) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", frugal)
    write_script(house.python, NOTE)
    write_script(house.venv / "bin" / "uv", NOTE)
    with launcher.only_one_at_a_time(house) as lock:
        launcher.install_packages(house, ["all"], lock)
    assert asked_of_tools(house) == [
        "python -m pip install --constraint constraints.txt uv",
        "python -m pip config list",
        f"uv pip install --python {house.python} --build-constraints constraints.txt{flag}"
        " --constraint constraints.txt --editable .[all]",
        f"uv pip install --python {house.python} {' '.join(launcher.assets_of(house))}",
    ]


@pytest.mark.parametrize("refusing", ["uv-itself", "fetching-uv"])
def test_pip_installs_when_uv_cannot(house: Any, refusing: str) -> None:
    refuse_uv = NOTE + '; case "$@" in *" uv") exit 1;; esac'
    write_script(house.python, refuse_uv if refusing == "fetching-uv" else NOTE)
    write_script(house.venv / "bin" / "uv", NOTE + "; exit 1")
    with launcher.only_one_at_a_time(house) as lock:
        launcher.install_packages(house, ["all"], lock)
    assert asked_of_tools(house)[-2:] == [
        "python -m pip install --constraint constraints.txt --editable .[all]",
        f"python -m pip install {' '.join(launcher.assets_of(house))}",
    ]


def test_the_scripts_of_the_pages_lie_where_the_server_looks_for_them(house: Any) -> None:
    words = launcher.assets_of(house)
    assert words[words.index("--target") + 1] == str(house.venv / "share" / "dreamgate" / "assets")


def test_nothing_of_the_scripts_of_the_pages_is_installed_without_its_hash() -> None:
    lines = (LAUNCHER.parent / launcher.ASSETS).read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert "--require-hashes" in launcher.assets_of(launcher.find_house({}))
    assert all(re.fullmatch(r"[a-z-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}", pin) for pin in pins)


def test_a_failed_step_shows_the_end_of_its_log(house: Any) -> None:
    with launcher.only_one_at_a_time(house) as lock, pytest.raises(launcher.SetupError, match="the disk is full"):
        launcher.run_step(house, "trying", ["sh", "-c", "echo the disk is full; exit 3"], env=None, lock=lock)


@pytest.mark.parametrize(
    ("typed", "run"),
    [
        pytest.param(
            ["test"],
            ["-m", "pytest", "-m", launcher.QUICK, "-n", "auto", "--maxprocesses", "8"],
            id="all-use-every-core",
        ),
        pytest.param(["test", "-x"], ["-m", "pytest", "-m", launcher.QUICK, "-x"], id="arguments-go-to-pytest"),
        pytest.param(
            ["test", "-m", "slow"], ["-m", "pytest", "-m", launcher.QUICK, "-m", "slow"], id="the-last-marker-counts"
        ),
        pytest.param(
            ["train", "preset=cartpole"],
            ["-P", "-m", "dreamer_core.cli.main", "train", "preset=cartpole"],
            id="anything-else-is-the-command-line",
        ),
        pytest.param([], ["-P", "-m", "dreamer_core.cli.main"], id="nothing-shows-the-help"),
    ],
)
def test_what_is_typed_becomes_a_command(house: Any, typed: list[str], run: list[str]) -> None:
    command, _ = launcher.command_for(house, typed)
    assert command == [str(house.python), *run]


def test_a_test_process_computes_on_one_thread_unless_told_otherwise(house: Any) -> None:
    _, variables = launcher.command_for(house, ["test"])
    assert variables == {"OMP_NUM_THREADS": "1"}


def test_every_checker_runs_and_one_failure_counts(house: Any, capfd: pytest.CaptureFixture[str]) -> None:
    for tool in ("mypy", "lint-imports"):
        write_script(house.venv / "bin" / tool, NOTE)
    write_script(house.venv / "bin" / "ruff", NOTE + '; test "$1" = check')
    assert launcher.check(house) == 1
    assert asked_of_tools(house) == ["ruff check", "ruff format --check", "mypy", "lint-imports"]
    assert "not clean: ruff format --check" in capfd.readouterr().err


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["-h"], 0), (["server"], 2)])
def test_help_of_check_runs_no_checker(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    monkeypatch.setattr(launcher, "make_ready", lambda house, groups: pytest.fail("nothing needs to be installed"))
    assert launcher.main(["check", *words], {}) == code
    assert "check runs ruff check, ruff format --check, mypy, lint-imports" in capfd.readouterr().err


def test_commands_that_are_told_to_people_begin_as_they_typed_it(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for typed, told in (("./dreamgate", "./dreamgate"), ("dreamgate", "./dreamgate"), ("/opt/x/dreamgate",) * 2):
        monkeypatch.setattr(sys, "argv", [typed, "up"])
        _, variables = launcher.command_for(house, ["up"])
        assert variables == {"DREAMGATE_PROGRAM": told}
