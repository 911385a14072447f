"""The fields of the launch form: from what is typed to what the API takes."""

import pytest

from server.errors import InvalidError
from server.pages.launch_form import LaunchForm, parse_seeds


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("", None),
        ("0", [0]),
        ("0, 1,2", [0, 1, 2]),
        ("0-3", [0, 1, 2, 3]),
        ("7, 0-1, 7", [7, 0, 1]),
        ("3 - 4", [3, 4]),
    ],
)
def test_seeds_are_numbers_and_ranges(text: str, seeds: list[int] | None) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["one", "-1", "3-1", "0-100000", "1.5", "0;1", "0-99, 200-299"])
def test_other_seeds_are_refused_with_a_reason(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_seeds(text)
    assert caught.value.where == "seeds"


def test_overrides_are_lines_without_remarks() -> None:
    form = LaunchForm(preset="cartpole", words="algo.horizon=10\n\n  steps=8000\n# later: lr\n")
    assert form.config_words() == ["preset=cartpole", "algo.horizon=10", "steps=8000"]


def test_an_overlay_is_joined_to_the_preset() -> None:
    assert LaunchForm(preset="cartpole", over="debug").config_words() == ["preset=cartpole+debug"]


def test_what_is_left_empty_is_left_to_the_api() -> None:
    said, problems = LaunchForm(seeds="", gpus="", name=" ").submission()
    assert problems == {}
    assert said == {
        "kind": "train",
        "words": ["preset=cartpole"],
        "tags": [],
        "hypothesis": "",
        "stop_rule": "",
        "experiment": "default",
        "queue": "auto",
        "priority": 0,
    }


def test_every_number_that_is_none_is_told_of_at_its_field() -> None:
    said, problems = LaunchForm(gpus="two", priority="high", seeds="all").submission()
    assert sorted(problems) == ["gpus", "priority", "seeds"]
    assert not said.keys() & problems.keys()


def test_fields_that_nobody_knows_are_dropped() -> None:
    assert LaunchForm.read({"name": "a", "colour": "red"}) == LaunchForm(name="a")
