"""What a child says as JSON, in words."""

import json
from pathlib import Path

import pytest

from worker import child_output
from worker.child_output import Listener, in_words
from worker.places import Desk


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"type": "start", "records": 0, "events": 0}, ["training begins"]),
        ({"type": "start", "records": 12, "events": 1}, ["training continues after 12 records"]),
        (
            {"type": "record", "env_steps": 1600, "train_steps": 64, "sps": 38.14, "Rewards/rew_avg": 21.25},
            ["step 1,600  return 21.2  64 updates  38.1 steps/s"],
        ),
        ({"type": "record", "env_steps": 1600, "train_steps": 64, "eval/mean_return": 3.0}, []),
        (
            {"type": "eval", "env_steps": 32, "mean_return": 9.5, "episodes": 2},
            ["step 32: evaluation, mean return 9.5"],
        ),
        (
            {"type": "event", "kind": "kl_spike", "env_steps": 8, "message": "kl is high"},
            ["step 8: kl_spike: kl is high"],
        ),
        ({"type": "result"}, []),
        ({"type": "eval"}, []),
    ],
)
def test_each_line_is_said_in_words(said: dict[str, object], words: list[str]) -> None:
    assert in_words(said) == words


def test_the_start_is_heard_and_nothing_is_said_twice(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    listener = Listener(desk)
    assert (listener.listen(), listener.started) == ([], None)
    line = json.dumps({"type": "start", "run": "x", "records": 4, "events": 2})
    desk.said.write_text(f"not json\n{line}\n")
    assert (listener.listen(), listener.started) == (["training continues after 4 records"], (4, 2))
    assert listener.listen() == []


def test_what_was_heard_of_a_talkative_child_takes_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_output, "_MUCH", 100_000)
    desk = Desk(tmp_path)
    listener, heard = Listener(desk), 0
    with desk.said.open("wb", buffering=0) as child:  # as the child has it: it writes on where it was
        for _ in range(50):
            line = json.dumps({"type": "eval", "env_steps": 1, "mean_return": 1.0, "padding": "x" * 10_000}) + "\n"
            child.write(line.encode())
            heard += len(listener.listen())
    assert heard == 50
    assert desk.said.stat().st_blocks * 512 < 250_000
