"""How a replayed batch becomes what the world model learns from: shifted actions, and where a sequence starts."""

import torch
from torch import Tensor

from dreamer_core.rng import ModeSampler
from dreamer_core.training.learner import prepare
from tests.factories import make_learner, random_batch, tiny_agent


def test_actions_are_shifted_to_the_row_that_they_led_to() -> None:
    agent = tiny_agent("sheeprl")
    batch = random_batch(agent)
    moment = prepare(batch, agent.config, agent)
    assert moment.previous_action[0].abs().sum() == 0
    assert torch.equal(moment.previous_action[1].argmax(-1), batch.action[0, :, 0].long())
    assert moment.previous_action[2].abs().sum() == 0  # row 1 was the last of its episode
    assert moment.is_first[0].all()
    assert torch.equal(moment.is_first[1:], batch.is_first[1:])
    assert torch.equal(moment.reward, batch.reward)
    assert moment.start is None
    assert not batch.is_first[0].any()  # the batch itself is left as it was


def test_the_context_row_is_where_a_sequence_starts_and_is_not_learned_from() -> None:
    agent = tiny_agent("nature")
    batch = random_batch(agent, context=True)
    moment = prepare(batch, agent.config, agent)
    assert len(batch.reward) == 5
    assert len(moment.reward) == len(moment.previous_action) == len(moment.obs["state"]) == 4
    assert moment.start is batch.context
    assert torch.equal(moment.previous_action[0].argmax(-1), batch.action[0, :, 0].long())
    assert torch.equal(moment.is_first, batch.is_first[1:])
    assert torch.equal(moment.obs["state"][0], batch.obs["state"][1])
    assert torch.equal(moment.is_last[0], batch.truncated[1] | batch.terminated[1])


def test_of_the_context_row_only_the_belief_and_the_action_count() -> None:
    losses = {}
    batch = random_batch(tiny_agent("nature"), context=True)
    assert batch.context is not None
    garbled: dict[str, Tensor] = {"reward": batch.reward.clone(), "state": batch.obs["state"].clone()}
    for value in garbled.values():
        value[0] += 100
    other_action = batch.action.clone()
    other_action[0] = (other_action[0] + 1) % 3
    other_belief = batch.context._replace(deter=batch.context.deter + 1)
    for name, changed in {
        "same": batch,
        "garbled": batch._replace(reward=garbled["reward"], obs={"state": garbled["state"]}),
        "action": batch._replace(action=other_action),
        "belief": batch._replace(context=other_belief),
    }.items():
        learner = make_learner(tiny_agent("nature"))
        losses[name] = learner.update(changed, ModeSampler()).metrics["Loss/world_model_loss"].item()
    assert losses["garbled"] == losses["same"]
    assert losses["action"] != losses["same"]
    assert losses["belief"] != losses["same"]
