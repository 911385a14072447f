"""The same row means the same moment, from the environment through replay to what the world model is given.

The counting world writes the step, the episode and the last action into every observation, and makes the reward of
them, so that each row can be checked by itself.
"""

import pytest
import torch

from dreamer_core.config import load_config
from dreamer_core.models.actions import encode
from dreamer_core.rng import make_generator
from dreamer_core.training.learner import prepare
from dreamer_core.training.trainer import Trainer, build_trainer
from dreamer_core.types import Batch

COUNTING = {"discrete": "dreamgate/Counting-v0", "continuous": "dreamgate/CountingContinuous-v0"}


def counting_trainer(recipe: str, env: str) -> Trainer:
    config = load_config([f"env.id={env}", "device=cpu"], preset=f"{recipe}+debug")
    trainer = build_trainer(config, torch.device("cpu"))
    for _ in range(60):
        trainer.collector.act(trainer.replay, explore=False)
        trainer.collector.see()
    return trainer


def sampled(trainer: Trainer, count: int) -> list[Batch]:
    generator = make_generator(0)
    return [trainer.replay.sample(generator) for _ in range(count)]


@pytest.mark.parametrize("recipe", ["nature", "sheeprl"])
@pytest.mark.parametrize("kind", ["discrete", "continuous"])
def test_each_replayed_row_agrees_with_the_action_of_the_row_before(recipe: str, kind: str) -> None:
    trainer = counting_trainer(recipe, COUNTING[kind])
    checked = 0
    for batch in sampled(trainer, 20):
        step, last_action = batch.obs["state"][..., 0], batch.obs["state"][..., 2:]
        follows = ~batch.is_first[1:]
        assert torch.equal(step[1:][follows], step[:-1][follows] + 1)
        torch.testing.assert_close(last_action[1:][follows], batch.action[:-1].float()[follows])
        expected = step + 0.1 * last_action.sum(-1)
        torch.testing.assert_close(batch.reward[~batch.is_first], expected[~batch.is_first])
        checked += int(follows.sum())
    assert checked > 50


@pytest.mark.parametrize("recipe", ["nature", "sheeprl"])
def test_first_rows_have_no_reward_and_last_rows_have_no_action(recipe: str) -> None:
    trainer = counting_trainer(recipe, COUNTING["discrete"])
    seen_first = seen_last = False
    for batch in sampled(trainer, 20):
        assert torch.all(batch.reward[batch.is_first] == 0)
        assert torch.all(batch.obs["state"][..., 0][batch.is_first] == 0)
        assert torch.all(batch.action[batch.is_last] == -1)
        assert torch.equal(batch.is_first[1:], batch.is_last[:-1])
        seen_first |= bool(batch.is_first.any())
        seen_last |= bool(batch.is_last.any())
    assert seen_first
    assert seen_last


def test_only_odd_episodes_end_for_good_and_time_limits_go_on() -> None:
    trainer = counting_trainer("nature", COUNTING["discrete"])
    seen = set()
    for batch in sampled(trainer, 40):
        is_odd = batch.obs["state"][..., 1] % 2 == 1
        assert torch.equal(batch.terminated[batch.is_last], is_odd[batch.is_last])
        assert torch.equal(batch.continues == 0, batch.terminated)
        seen |= set(batch.terminated[batch.is_last].tolist())
    assert seen == {True, False}


@pytest.mark.parametrize("recipe", ["nature", "sheeprl"])
def test_the_world_model_is_given_the_action_that_led_to_each_row(recipe: str) -> None:
    trainer = counting_trainer(recipe, COUNTING["discrete"])
    for batch in sampled(trainer, 20):
        moment = prepare(batch, trainer.config, trainer.agent)
        led_here = moment.obs["state"][..., 2].long()
        inside = ~moment.is_first
        assert torch.equal(moment.previous_action[inside].argmax(-1), led_here[inside])
        assert torch.all(moment.previous_action[inside].sum(-1) == 1)


def test_a_stored_belief_and_its_action_lead_to_the_belief_of_the_next_row() -> None:
    """Nothing is learned here, so the cell must give again what was stored when acting (in half precision)."""
    trainer = counting_trainer("nature", COUNTING["discrete"])
    rssm, ring, checked = trainer.agent.world_model.rssm, trainer.replay.ring, 0
    for batch in sampled(trainer, 20):
        assert batch.context is not None
        stored = ring.belief(ring.cells(batch.time[1], batch.env))
        assert stored is not None
        action = encode(batch.action[0], trainer.agent.spaces.action)
        again = rssm.advance(batch.context, rssm.embed_actions(action))
        follows = ~batch.is_first[1]
        torch.testing.assert_close(again[follows], stored.deter.float()[follows], rtol=0, atol=2e-3)
        checked += int(follows.sum())
    assert checked > 10
