"""Learning by the `nature` recipe: observing, dreaming, every loss, and whole updates, as sheeprl 0.8.4 does them."""

import pytest
import torch
from torch import Tensor

from dreamer_core.config.model import MomentsConfig
from dreamer_core.models.behavior import Dream
from dreamer_core.models.moments import Moments
from dreamer_core.models.rssm import Observed
from dreamer_core.models.world_model import Moment, WorldModelLoss
from dreamer_core.replay.latents import pack_stoch
from dreamer_core.rng import ModeSampler
from dreamer_core.training.learner import Update
from dreamer_core.training.learner_nature import Judged
from dreamer_core.training.optim import warmup
from dreamer_core.types import State
from tests.golden.agents import WatchedNature, agent_of, agent_weights, batch_of, metrics_of, state_of
from tests.golden.fixtures import Fixture, load
from tests.golden.parity import check_after, check_gradients, check_outputs, take_inputs
from tests.golden.tolerances import EXACT, GRADIENTS, HALF, LOSSES, PIXEL_GRADIENTS, UNROLLS, assert_near

LEARNED = ("world_model", "actor", "critic")
TRAINED = [
    "nature_train_discrete",
    "nature_train_continuous",
    "nature_train_pixels",
    "nature_train_no_context",
    "nature_train_three_updates",
]


def test_the_world_model_loss_of_a_sequence_with_resets_inside_agrees() -> None:
    golden = load("nature_observe")
    agent, inputs = agent_of(golden), take_inputs(golden)
    start = State(inputs["deter"][0], inputs["stoch"][0].unflatten(-1, (4, 5)))
    terminated = inputs["terminated"].squeeze(-1).bool()
    moment = Moment(
        obs={"state": inputs["state"]},
        previous_action=inputs["prev_actions"],
        reward=inputs["rewards"].squeeze(-1),
        is_first=inputs["is_first"].squeeze(-1).bool(),
        terminated=terminated,
        is_last=terminated,
        start=start,
    )
    loss = agent.world_model.loss(moment, ModeSampler())
    states = loss.observed.states
    found = {"loss": loss.total, "latents": states.features, "posteriors": states.stoch}
    found |= {"recurrent_states": states.deter, **metrics_of(golden, loss.metrics)}
    check_outputs(golden, found, UNROLLS)
    loss.total.backward()
    check_gradients(golden, agent_weights(golden, agent, "world_model"), inputs)


def test_a_dream_and_its_worth_agree() -> None:
    golden = load("nature_imagine")
    agent = agent_of(golden)
    latents = torch.cat([golden.inputs["posteriors"], golden.inputs["recurrent_states"]], -1)
    judged = WatchedNature(agent).dream(_explained(state_of(latents, agent)))
    check_outputs(golden, _dreamt(judged), UNROLLS)


class FixedRange(Moments):
    """A range of returns that no return changes."""

    def __init__(self, scale: Tensor) -> None:
        super().__init__(MomentsConfig())
        self.high.copy_(scale)

    def update(self, returns: Tensor) -> tuple[Tensor, Tensor]:
        return self.low.clone(), self.high - self.low


LOSSES_OF = ["nature_actor_critic_discrete", "nature_actor_critic_multi_discrete", "nature_actor_critic_continuous"]


@pytest.mark.parametrize("name", LOSSES_OF)
def test_actor_critic_and_replay_losses_of_a_given_dream_agree(name: str) -> None:
    golden = load(name)
    agent, inputs = agent_of(golden), take_inputs(golden)
    agent.moments = FixedRange(inputs["invscale"])
    learner = WatchedNature(agent)
    dream = Dream(inputs["imagined_latents"], inputs["imagined_actions"])
    worth = (inputs[key] for key in ("values", "slow_values", "returns", "weights"))
    learner.given = Judged(dream, agent.critic(dream.features[:-1]), *worth)
    loss, metrics = learner.judge(_replayed(inputs), _explained(state_of(inputs["latents"], agent)))
    check_outputs(golden, {"loss": loss, **metrics_of(golden, metrics)}, LOSSES)
    loss.backward()
    check_gradients(golden, agent_weights(golden, agent, "actor", "critic"), inputs)


@pytest.mark.parametrize("name", TRAINED)
def test_a_whole_update_agrees_in_losses_beliefs_dreams_gradients_and_weights(name: str) -> None:
    golden = load(name)
    agent = agent_of(golden)
    learner, batch = WatchedNature(agent), batch_of(golden, agent)
    updates = golden.settings["updates"]
    history = [learner.update(batch, ModeSampler()) for _ in range(updates)]
    found = {f"imagined.{key}": value for key, value in _dreamt(learner.judged).items()}
    found |= _metrics_of(golden, history) | _stored(golden, history[-1])
    check_outputs(golden, found, LOSSES if updates == 1 else UNROLLS, deter=HALF, stoch=EXACT)
    tolerance = PIXEL_GRADIENTS if "rgb" in golden.inputs else GRADIENTS
    check_gradients(golden, agent_weights(golden, agent, *LEARNED), {}, tolerance)
    after = set(golden.after) - {"moments.low", "moments.high"}
    weights = agent_weights(golden, agent, *LEARNED, *(["target_critic"] if updates > 1 else []))
    assert weights.keys() == after
    algo = agent.config.algo.optimizer
    lr = algo.lr * sum(warmup(step, algo.warmup) for step in range(updates))
    check_after(golden, weights, dict.fromkeys((*LEARNED, "target_critic"), lr))
    assert_near("low", agent.moments.low, golden.after["moments.low"])
    assert_near("high", agent.moments.high, golden.after["moments.high"])


def _metrics_of(golden: Fixture, history: list[Update]) -> dict[str, Tensor]:
    each = [metrics_of(golden, update.metrics) for update in history]
    return each[0] if len(each) == 1 else {name: torch.stack([m[name] for m in each]) for name in each[0]}


def _stored(golden: Fixture, update: Update) -> dict[str, Tensor]:
    """The beliefs that replay would store, where the reference stores any."""
    if "deter" not in golden.outputs:
        return {}
    return {"deter": update.beliefs.deter.half(), "stoch": pack_stoch(update.beliefs.stoch, torch.uint8)}


def _dreamt(judged: Judged) -> dict[str, Tensor]:
    found = {"latents": judged.dream.features, "actions": judged.dream.actions, "values": judged.values}
    return found | {"slow_values": judged.slow_values, "returns": judged.returns, "weights": judged.weights}


def _explained(states: State) -> WorldModelLoss:
    """As much of a world-model loss as behavior learning looks at."""
    nothing = torch.zeros(())
    return WorldModelLoss(nothing, Observed(states, nothing, nothing), {})


def _replayed(inputs: dict[str, Tensor]) -> Moment:
    """As much of a moment as behavior learning looks at."""
    rewards = inputs["rewards"]
    return Moment(
        obs={},
        previous_action=torch.zeros(0),
        reward=rewards,
        is_first=torch.zeros_like(rewards).bool(),
        terminated=inputs["terminated"].bool(),
        is_last=inputs["last"].bool(),
        start=None,
    )
