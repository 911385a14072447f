"""A job as the words of the core's command line."""

from pathlib import Path
from typing import Any

import pytest

from dreamer_core.cli.main import parse
from dreamer_core.errors import UsageError
from worker import command

FOLDER, CONFIG, CHECKPOINT = Path("/runs/a"), Path("/desk/config.json"), Path("/runs/b/checkpoints/step_1")
PROGRAM = 4  # python -P -m dreamer_core.cli.main


def begin(kind: str, **changes: Any) -> list[str]:
    asked = {"config": CONFIG, "checkpoint": None, "arguments": {}} | changes
    return command.begin(kind, FOLDER, **asked)


def test_a_training_run_is_made_in_its_folder_from_its_config() -> None:
    args = parse(begin("train", words=["steps=8000"])[PROGRAM:])
    assert (args.into, args.config, args.json, args.words) == (FOLDER, CONFIG, True, ["steps=8000"])


def test_mode_dreamer_is_given_its_world_model() -> None:
    assert parse(begin("train", checkpoint=CHECKPOINT)[PROGRAM:]).checkpoint == CHECKPOINT


def test_a_run_goes_on_with_what_may_change() -> None:
    args = parse(command.resume(FOLDER, ["steps=8000"])[PROGRAM:])
    assert (args.resume, args.words, args.into) == (FOLDER, ["steps=8000"], None)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("eval", {"episodes": 7, "greedy": True, "seed": 3}),
        ("viz", {"context": 2, "horizon": 9, "seed": 1}),
        ("bench", {"updates": 4, "warmup": 0}),
    ],
)
def test_arguments_become_options(kind: str, arguments: dict[str, Any]) -> None:
    checkpoint = None if kind == "bench" else CHECKPOINT
    args = parse(begin(kind, arguments=arguments, checkpoint=checkpoint)[PROGRAM:])
    assert {name: getattr(args, name) for name in arguments} == arguments
    assert args.into == FOLDER


def test_what_is_false_or_not_given_is_left_out() -> None:
    assert "--greedy" not in begin("eval", checkpoint=CHECKPOINT, arguments={"greedy": False, "seed": None})


def test_unknown_kinds_and_arguments_are_refused() -> None:
    with pytest.raises(UsageError, match="no jobs of kind 'dance', it knows train, eval, bench, viz"):
        begin("dance")
    with pytest.raises(UsageError, match="kind eval has no argument 'output'; it has episodes, greedy, seed"):
        begin("eval", arguments={"output": "/etc/passwd"})


def test_several_gpus_are_several_ranks_each_on_a_leash() -> None:
    words = begin("train", processes=2)
    assert words[2].endswith("ranks.py")
    assert words[3:6] == ["--standalone", "--nproc-per-node", "2"]
    assert command.launches(words)
    assert not command.launches(begin("train"))
    assert words[words.index("--no-python") + 1 :][3].endswith("leash.py")
    assert begin("eval", processes=2, checkpoint=CHECKPOINT)[3] == "dreamer_core.cli.main"
