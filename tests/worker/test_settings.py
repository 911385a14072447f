"""What a worker is told."""

from pathlib import Path

import pytest

from dreamer_core.errors import UsageError
from worker.settings import Settings


def test_nothing_needs_to_be_said() -> None:
    found = Settings.read({})
    assert (found.server, found.token, found.broker_url, found.source_repo) == (
        "http://127.0.0.1:8420",
        None,
        None,
        None,
    )
    assert (found.runs, found.grace_s, found.queues) == (Path("runs").absolute(), 120, None)


def test_the_environment_and_the_command_line_are_read() -> None:
    environ = {"DREAMGATE_SERVER": "https://gate", "DREAMGATE_TOKEN": "t", "DREAMGATE_GRACE_S": "5"}
    found = Settings.read(environ, runs=Path("/data"), queues="gpu, cpu,gpu", slots=2, name="lab")
    assert (found.server, found.token, found.grace_s, found.runs) == ("https://gate", "t", 5, Path("/data"))
    assert (found.queues, found.slots, found.name) == (("gpu", "cpu"), 2, "lab")


@pytest.mark.parametrize(
    ("environ", "words", "complaint"),
    [
        ({"DREAMGATE_GRACE_S": "soon"}, {}, "DREAMGATE_GRACE_S must be a number of seconds, got 'soon'"),
        ({"DREAMGATE_GRACE_S": "0"}, {}, "DREAMGATE_GRACE_S must be above 0"),
        ({"DREAMGATE_LOOK_S": "nan"}, {}, "DREAMGATE_LOOK_S must be above 0"),
        ({}, {"slots": 0}, "--slots must be from 1 to 1024, got 0"),
        ({}, {"queues": "cpu,,gpu"}, "--queues must be names with commas between them"),
        ({}, {"name": "a/b"}, "--name must have 1 to 120 printable characters and no /"),
    ],
)
def test_what_is_wrong_is_said(environ: dict[str, str], words: dict[str, object], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Settings.read(environ, **words)  # type: ignore[arg-type]
