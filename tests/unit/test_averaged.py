"""The mean of the weights: which of them it holds, and who plays with it."""

from contextlib import closing
from pathlib import Path

import torch
from torch import nn

from dreamer_core.config import load_config
from dreamer_core.training import checkpoint
from dreamer_core.training.averaged import Averaged
from dreamer_core.training.engine import CpuEngine
from dreamer_core.training.estimate import estimate
from dreamer_core.training.run import agent_from
from dreamer_core.training.trainer import Trainer, build_trainer
from tests.factories import tiny_agent, unchanged, weights_of


def set_to(module: nn.Module, value: float) -> None:
    for parameter in module.parameters():
        parameter.data.fill_(value)


def followed(share: float, updates: int) -> Averaged:
    """Of weights that were 1 after the first update, 2 after the second, and so on."""
    agent = tiny_agent("nature")
    averaged = Averaged(agent, share)
    for update in range(1, updates + 1):
        set_to(agent, update)
        averaged.follow(update)
    return averaged


def values(module: nn.Module) -> set[float]:
    return {round(value, 5) for parameter in module.parameters() for value in parameter.flatten().tolist()}


def test_of_a_few_updates_it_holds_the_newest() -> None:
    assert values(followed(0.1, updates=10).agent) == {10.0}


def test_the_later_an_update_the_more_it_counts() -> None:
    assert values(followed(0.5, updates=5).agent) == {0.1 * 2 + 0.2 * 3 + 0.3 * 4 + 0.4 * 5}


def test_a_smaller_share_reaches_back_less_far() -> None:
    [short], [long] = values(followed(0.1, updates=100).agent), values(followed(0.5, updates=100).agent)
    assert 90 < short < 95  # mean age: a tenth of 100, over 1.1
    assert 65 < long < 70  # half of 100, over 1.5


def test_ranges_of_returns_are_those_of_now() -> None:
    agent = tiny_agent("nature")
    averaged = Averaged(agent, share=0.5)
    for update in (1, 2, 3):
        agent.moments.high.fill_(update)
        averaged.follow(update)
    assert averaged.agent.moments.high == 3


def trained(*words: str) -> Trainer:
    """For some six updates."""
    config = load_config(["preset=debug", "env.id=dreamgate/Bandit-v0", "device=cpu", *words])
    trainer = build_trainer(config, torch.device("cpu"))
    engine = CpuEngine(trainer)
    with closing(trainer.collector.env):
        while trainer.learner.count < 6:
            engine.tick()
    return trainer


def same(left: nn.Module, right: nn.Module) -> bool:
    before = weights_of(right)
    return unchanged(left, before) == before.keys()


def test_evaluations_play_the_mean_where_there_is_one_and_the_weights_where_not() -> None:
    averaging, plain = trained("train.average_share=0.5"), trained()
    assert averaging.averaged is not None
    assert averaging.judged is averaging.averaged.agent
    assert not same(averaging.judged, averaging.agent)
    assert plain.judged is plain.agent
    assert same(averaging.agent, plain.agent)  # what is learned is the same


def test_a_checkpoint_holds_both_and_is_evaluated_by_the_mean(tmp_path: Path) -> None:
    trainer = trained("train.average_share=0.5")
    saved = checkpoint.save(tmp_path / "checkpoints", trainer.snapshot(), keep=1)
    played, _ = agent_from(saved, "cpu")
    assert same(played, trainer.judged)
    assert not same(played, trainer.agent)


def test_the_mean_goes_on_from_a_checkpoint_and_from_the_weights_where_it_has_none() -> None:
    averaging, plain = trained("train.average_share=0.5"), trained()
    again = build_trainer(averaging.config, torch.device("cpu"))
    with closing(again.collector.env):
        again.restore(averaging.snapshot())
        assert same(again.judged, averaging.judged)
        again.restore(plain.snapshot())
        assert same(again.judged, plain.agent)


def test_its_room_in_memory_is_foreseen() -> None:
    words = ["preset=debug", "env.id=dreamgate/Bandit-v0", "device=cpu"]
    plain, averaging = (estimate(load_config([*words, f"train.average_share={share}"])) for share in (0, 0.1))
    weights = plain.parameters["total"] + plain.parameters["critic"]  # the slow critic too
    assert averaging.memory_bytes - plain.memory_bytes == 4 * weights
