"""Commands that other packages bring: found, listed after ours, and unable to harm."""

from pathlib import Path

import pytest

from dreamer_core.cli.main import build_parser, main

GREETER = """
def add_to(commands):
    parser = commands.add_parser("greet", help="say hello")
    parser.set_defaults(run=run)

def run(args):
    print("hello")
    return 3
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Install":
    monkeypatch.syspath_prepend(str(tmp_path))
    return Install(tmp_path)


class Install:
    """Makes a package as pip leaves it, with one command and the module that it names."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, command: str, module: str, source: str | None) -> None:
        info = self.root / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[dreamgate.commands]\n{command} = {module}\n")
        if source is not None:
            (self.root / f"{module}.py").write_text(source)


def test_a_command_of_another_package_runs_and_its_exit_code_counts(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("greet", "greeter_one", GREETER)
    assert main(["greet"]) == 3
    assert capsys.readouterr().out == "hello\n"


def test_it_is_listed_with_the_server_s_and_the_groups_are_told_apart(install: Install) -> None:
    install("greet", "greeter_two", GREETER)
    shown = build_parser().format_help()
    places = [shown.index(words) for words in ("training:", "  train ", "server and worker:", "  greet ", "client:")]
    assert places == sorted(places)
    assert "say hello" in shown


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (None, "ModuleNotFoundError: No module named"),
        ("import a_package_that_nobody_has", "ModuleNotFoundError: No module named 'a_package_that_nobody_has'"),
        ("1 / 0", "ZeroDivisionError"),
        ("", "AttributeError"),
        ("def add_to(commands):\n    commands.add_parser('train', help='mine')", "there is a command 'train' already"),
    ],
    ids=["absent", "missing extra", "broken", "without add_to", "ours"],
)
def test_a_broken_one_is_one_line_and_ours_still_work(
    install: Install,
    capsys: pytest.CaptureFixture[str],
    source: str | None,
    complaint: str,
    request: pytest.FixtureRequest,
) -> None:
    module = f"broken_{abs(hash(request.node.name))}"
    install("broken", module, source)
    assert "list the presets" in build_parser().format_help()
    [line] = [line for line in capsys.readouterr().err.splitlines() if module in line]
    assert line.startswith(f"dreamgate: the command 'broken' is left out, {module} cannot be loaded: ")
    assert complaint in line


def test_our_own_commands_do_not_look_at_what_is_installed(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("broken", "broken_and_not_looked_at", "1 / 0")
    assert main(["presets"]) == 0
    assert capsys.readouterr().err == ""


def test_one_command_of_another_package_does_not_load_the_others(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("broken", "broken_and_not_loaded", "1 / 0")
    install("greet", "greeter_three", GREETER)
    assert main(["greet"]) == 3
    assert capsys.readouterr().err == ""


def test_an_unknown_command_is_called_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    said = capsys.readouterr().err
    assert said == "dreamgate: there is no command 'trian'; did you mean train? `dreamgate --help` lists them\n"
