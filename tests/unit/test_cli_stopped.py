"""What a training that was stopped tells: a person how to go on, a program nothing that is not its own."""

from pathlib import Path
from typing import NoReturn

import pytest

from dreamer_core.cli.main import main
from dreamer_core.errors import Stopped


@pytest.fixture(autouse=True)
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def start_run(*_: object, **__: object) -> NoReturn:
        raise Stopped("stopped by SIGINT; the state is saved", folder=Path("runs/one"))

    monkeypatch.setattr("dreamer_core.training.run.start_run", start_run)


def test_a_person_is_told_the_command_as_they_type_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DREAMGATE_PROGRAM", "./dreamgate")
    assert main(["train", "preset=cartpole+debug"]) == 75
    said = "dreamgate: stopped by SIGINT; the state is saved; go on with: ./dreamgate train --resume runs/one\n"
    assert capsys.readouterr().err.endswith(said)


def test_the_log_of_a_servers_job_names_no_command_that_is_not_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "preset=cartpole+debug", "--json"]) == 75
    assert capsys.readouterr().err == "dreamgate: stopped by SIGINT; the state is saved\n"
