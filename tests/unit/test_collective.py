"""Several processes agree on gradients, ranges and weights; one process has nobody to agree with."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.multiprocessing.spawn import spawn

from dreamer_core.config.tree import Recipe
from dreamer_core.training.collective import Ranks, Solo, join
from tests.factories import RECIPES
from tests.unit.rank_worker import work


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What two processes on this machine found out."""
    folder: Path = tmp_path_factory.mktemp("ranks")
    spawn(work, args=(2, str(folder)), nprocs=2)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def test_each_process_knows_its_place(found: list[dict[str, Any]]) -> None:
    assert [result["rank"] for result in found] == [(0, 2), (1, 2)]


def test_gradients_become_their_mean_in_their_own_shapes(found: list[dict[str, Any]]) -> None:
    for result in found:
        assert result["gradients"] == [[[1.5, 1.5], [1.5, 1.5]], [0.0, 5.0, 10.0], None]


def test_the_first_process_is_heard_by_all(found: list[dict[str, Any]]) -> None:
    for result in found:
        assert result["broadcast"] == [5.0, 5.0, 5.0]
        assert result["share"] == "rank 0 says schön"


def test_every_process_gathers_the_values_of_all(found: list[dict[str, Any]]) -> None:
    for result in found:
        assert result["gather"] == [[[1.0], [2.0]], [[11.0], [12.0]]]
        assert result["sum"] == 7
        assert result["any"] == [False, True, True]


@pytest.mark.parametrize("recipe", RECIPES)
def test_weights_stay_equal_although_every_process_learns_from_its_own_data(
    found: list[dict[str, Any]], recipe: Recipe
) -> None:
    one, other = (result[recipe] for result in found)
    assert one["loss"] != other["loss"]
    assert all(torch.equal(value, other["after"][name]) for name, value in one["after"].items())
    assert not any(torch.equal(value, one["before"][name]) for name, value in one["after"].items() if "critic" in name)
    assert all(torch.equal(value, other["moments"][name]) for name, value in one["moments"].items())
    assert one["moments"]["high"] > one["moments"]["low"]


def test_one_process_agrees_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    solo = join()
    assert isinstance(solo, Solo)
    weight = torch.zeros(2)
    weight.grad = torch.tensor([1.0, 2.0])
    solo.average_gradients([weight])
    solo.broadcast([weight])
    values = torch.tensor([3.0])
    assert weight.grad.tolist() == [1.0, 2.0]
    assert solo.gather(values) is values
    assert (solo.rank, solo.size, solo.sum(4), solo.any(True), solo.any(False)) == (0, 1, 4, True, False)
    assert solo.share("word") == "word"


def test_a_group_offers_what_one_process_offers() -> None:
    assert {name for name in dir(Solo) if not name.startswith("_")} <= {"rank", "size"} | set(dir(Ranks))
