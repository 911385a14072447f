"""One update, in both recipes: what it changes, what it leaves alone, and that it repeats itself."""

from collections.abc import Mapping
from copy import deepcopy

import pytest
import torch

from dreamer_core.config.tree import Recipe
from dreamer_core.models.agent import Agent
from dreamer_core.rng import RandomSampler, make_generator
from dreamer_core.training.learner import Learner, Plan, Update, gradient_norm
from dreamer_core.types import ActionSpec, ObsSpec
from tests.factories import (
    ACTIONS,
    LIVELY,
    NO_WARMUP,
    PACKED2,
    PIXELS,
    RECIPES,
    VECTOR,
    make_learner,
    opinionated,
    random_batch,
    tiny_agent,
    unchanged,
    weights_of,
)

recipes = pytest.mark.parametrize("recipe", RECIPES)
every_action = pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)

# Seed 000, section 5: these names are what other tools look for.
WORLD_MODEL_METRICS = {
    "Loss/world_model_loss",
    "Loss/observation_loss",
    "Loss/reward_loss",
    "Loss/state_loss",
    "Loss/continue_loss",
    "State/kl",
    "State/post_entropy",
    "State/prior_entropy",
    "Grads/world_model",
}
BEHAVIOR_METRICS = {"Loss/policy_loss", "Loss/value_loss", "Grads/actor", "Grads/critic"}


def lively(
    recipe: Recipe, *words: str, obs: Mapping[str, ObsSpec] = VECTOR, action: ActionSpec = ACTIONS["discrete"]
) -> Learner:
    """Every weight gets a gradient and moves from the first update on."""
    agent = tiny_agent(recipe, *LIVELY, *NO_WARMUP[recipe], *words, obs=obs, action=action)
    return make_learner(opinionated(agent))


def sampler(seed: int = 1) -> RandomSampler:
    return RandomSampler(make_generator(seed))


def updated(learner: Learner, count: int = 1, plan: Plan | None = None) -> list[Update]:
    """`nature` with a context row: the zeros it would start from keep some weights without a gradient."""
    agent, draw = learner.agent, sampler()
    context = agent.config.is_nature
    return [learner.update(random_batch(agent, seed, context=context), draw, plan) for seed in range(count)]


def parts(agent: Agent) -> dict[str, torch.nn.Module]:
    return {"world_model": agent.world_model, "actor": agent.actor, "critic": agent.critic}


@recipes
@every_action
@pytest.mark.parametrize("obs", [VECTOR, PIXELS], ids=["vector", "pixels"])
def test_an_update_changes_every_weight(recipe: Recipe, action: ActionSpec, obs: Mapping[str, ObsSpec]) -> None:
    learner = lively(recipe, obs=obs, action=action)
    before = weights_of(learner.agent)
    updates = updated(learner, 2)
    assert unchanged(learner.agent, before) == set()
    for update in updates:
        assert all(torch.isfinite(value) for value in update.metrics.values()), update.metrics
        assert all(value.shape == () and not value.requires_grad for value in update.metrics.values())
        assert set(update.metrics) >= WORLD_MODEL_METRICS | BEHAVIOR_METRICS
    assert learner.count == 2


@recipes
def test_packed_screens_are_learned_from_too(recipe: Recipe) -> None:
    learner = lively(recipe, obs=PACKED2)
    before = weights_of(learner.agent)
    updated(learner, 2)
    assert unchanged(learner.agent, before) == set()


@recipes
def test_the_beliefs_of_an_update_are_the_states_of_its_rows(recipe: Recipe) -> None:
    learner = lively(recipe)
    (update,) = updated(learner)
    assert update.beliefs.deter.shape == (4, 2, 16)
    assert update.beliefs.stoch.shape == (4, 2, 4, 4)
    assert not update.beliefs.deter.requires_grad


@recipes
def test_the_world_model_alone_leaves_actor_and_critic_as_they_are(recipe: Recipe) -> None:
    learner = lively(recipe)
    before = {name: weights_of(part) for name, part in parts(learner.agent).items()}
    (update,) = updated(learner, plan=Plan(actor_critic=False))
    for name in ("actor", "critic"):
        part = parts(learner.agent)[name]
        assert unchanged(part, before[name]) == set(before[name])
    assert unchanged(learner.agent.world_model, before["world_model"]) == set()
    assert set(update.metrics) >= WORLD_MODEL_METRICS
    assert "Loss/policy_loss" not in update.metrics
    moments = learner.agent.moments
    assert (moments.low.item(), moments.high.item()) == (0.0, 0.0)


@recipes
@every_action
def test_a_frozen_world_model_stays_bit_for_bit_while_the_rest_learns(recipe: Recipe, action: ActionSpec) -> None:
    learner = lively(recipe, action=action)
    before = {name: weights_of(part) for name, part in parts(learner.agent).items()}
    updated(learner, 3, Plan(world_model=False))
    world_model = learner.agent.world_model
    assert unchanged(world_model, before["world_model"]) == set(before["world_model"])
    for name in ("actor", "critic"):
        assert unchanged(parts(learner.agent)[name], before[name]) == set()


@recipes
@every_action
def test_the_same_seed_gives_the_same_metrics_and_weights_bit_for_bit(recipe: Recipe, action: ActionSpec) -> None:
    first, second = (lively(recipe, action=action) for _ in range(2))
    for one, other in zip(updated(first, 3), updated(second, 3), strict=True):
        assert {name: value.item() for name, value in one.metrics.items()} == {
            name: value.item() for name, value in other.metrics.items()
        }
    assert unchanged(first.agent, weights_of(second.agent)) == set(weights_of(first.agent))


@recipes
def test_another_seed_gives_other_metrics(recipe: Recipe) -> None:
    values = []
    for seed in (1, 2):
        learner = lively(recipe)
        update = learner.update(random_batch(learner.agent), sampler(seed))
        values.append(update.metrics["Loss/policy_loss"].item())
    assert values[0] != values[1]


@recipes
@every_action
def test_learning_goes_on_as_if_it_had_never_been_saved(recipe: Recipe, action: ActionSpec) -> None:
    learner, copy = lively(recipe, action=action), lively(recipe, action=action)
    updated(learner, 2)
    copy.agent.load_state_dict(learner.agent.state_dict())
    copy.restore(deepcopy(learner.state()), learner.count)
    assert copy.count == 2
    one, other = updated(learner)[0], updated(copy)[0]
    assert {name: value.item() for name, value in one.metrics.items()} == {
        name: value.item() for name, value in other.metrics.items()
    }
    assert unchanged(copy.agent, weights_of(learner.agent)) == set(weights_of(learner.agent))


@recipes
def test_the_slow_critic_follows_by_tau(recipe: Recipe) -> None:
    learner = lively(recipe, "critic.tau=0.25")
    updated(learner)  # sheeprl copies the critic before the first one
    fast, slow = weights_of(learner.agent.critic), weights_of(learner.agent.slow_critic)
    updated(learner)
    # nature follows after its step, sheeprl before it.
    source = weights_of(learner.agent.critic) if recipe == "nature" else fast
    for name, value in weights_of(learner.agent.slow_critic).items():
        torch.testing.assert_close(value, slow[name] + 0.25 * (source[name] - slow[name]))
        assert not torch.equal(value, slow[name])


@recipes
def test_the_slow_critic_waits_for_its_turn(recipe: Recipe) -> None:
    learner = lively(recipe, "critic.per_rank_target_network_update_freq=3")
    moved = []
    for _ in range(6):
        before = weights_of(learner.agent.slow_critic)
        updated(learner)
        moved.append(len(unchanged(learner.agent.slow_critic, before)) == 0)
    expected = [True, False, False, True, False, False]
    # The first move of sheeprl is a copy of what it already is.
    assert moved == (expected if recipe == "nature" else [False, *expected[1:]])


def test_sheeprl_starts_by_copying_the_critic() -> None:
    learner = lively("sheeprl")  # its critic is not what the slow critic was built from
    critic = weights_of(learner.agent.critic)
    updated(learner)
    assert unchanged(learner.agent.slow_critic, critic) == set(critic)


@recipes
def test_learning_rates_are_scaled_by_the_plan(recipe: Recipe) -> None:
    still = lively(recipe)
    before = {name: weights_of(part) for name, part in parts(still.agent).items()}
    updated(still, plan=Plan(ac_lr_scale=0.0))
    assert unchanged(still.agent.actor, before["actor"]) == set(before["actor"])
    assert unchanged(still.agent.world_model, before["world_model"]) == set()
    updated(still, plan=Plan(lr_scale=0.0))
    assert unchanged(still.agent.critic, before["critic"]) == set(before["critic"])
    updated(still)
    assert unchanged(still.agent.critic, before["critic"]) == set()


def test_the_critic_of_nature_learns_by_its_own_factor() -> None:
    usual, faster = lively("nature"), lively("nature", "critic.lr_factor=5")
    before = weights_of(usual.agent)
    updated(usual)
    updated(faster)
    after = weights_of(usual.agent)
    for name, value in weights_of(faster.agent).items():
        factor = 5 if name.startswith("critic.") else 1
        if not name.startswith("slow_critic."):
            torch.testing.assert_close(value - before[name], factor * (after[name] - before[name]), msg=name)


@recipes
@pytest.mark.parametrize("imag_last", [1, 2, 4])
def test_dreams_start_from_the_last_rows_only_when_asked_to(recipe: Recipe, imag_last: int) -> None:
    learner = lively(recipe, f"algo.imag_last={imag_last}")
    before = weights_of(learner.agent)
    (update,) = updated(learner)
    assert all(torch.isfinite(value) for value in update.metrics.values())
    assert unchanged(learner.agent.actor, {k.removeprefix("actor."): v for k, v in before.items()}) == set()
    everything = updated(lively(recipe))[0].metrics
    is_all = imag_last == 4
    assert torch.equal(update.metrics["Loss/value_loss"], everything["Loss/value_loss"]) is is_all
    assert torch.equal(update.metrics["Loss/world_model_loss"], everything["Loss/world_model_loss"])


@recipes
def test_centred_advantages_say_which_dreams_went_better_than_the_others(recipe: Recipe) -> None:
    advantage = torch.tensor([[3.0, 5.0, 4.0], [10.0, 10.0, 10.0]])
    assert lively(recipe).policy_weight(advantage) is advantage
    centred = lively(recipe, "actor.advantage=centred").policy_weight(advantage)
    assert centred.tolist() == [[-1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]


@recipes
def test_standard_advantages_weigh_the_same_however_small_they_are_down_to_a_limit(recipe: Recipe) -> None:
    weight = lively(recipe, "actor.advantage=standard").policy_weight
    advantage = torch.tensor([[3.0, 5.0, 4.0], [10.0, 11.0, 12.0]])
    assert torch.allclose(weight(advantage), weight(advantage / 10))
    assert weight(advantage).std().item() < 1  # what the steps differ in by themselves is spread too
    assert torch.allclose(
        weight(advantage / 1e4), 20 * torch.tensor([[-1e-4, 1e-4, 0.0], [-1e-4, 0.0, 1e-4]]), atol=1e-6
    )


@recipes
@pytest.mark.parametrize("kind", ["centred", "standard"])
def test_advantages_by_comparison_teach_the_actor_otherwise_and_the_critic_the_same(recipe: Recipe, kind: str) -> None:
    plain, other = lively(recipe), lively(recipe, f"actor.advantage={kind}")
    for learner in (plain, other):
        updated(learner)
    actor, critic = weights_of(plain.agent.actor), weights_of(plain.agent.critic)
    assert unchanged(other.agent.critic, critic) == critic.keys()
    assert unchanged(other.agent.actor, actor) < actor.keys()


@recipes
@every_action
@pytest.mark.parametrize("obs", [VECTOR, PIXELS], ids=["vector", "pixels"])
def test_low_precision_products_still_teach_every_weight(
    recipe: Recipe, action: ActionSpec, obs: Mapping[str, ObsSpec]
) -> None:
    learner = lively(recipe, "precision.autocast=true", obs=obs, action=action)
    before = weights_of(learner.agent)
    updates = updated(learner, 2)
    assert unchanged(learner.agent, before) == set()
    exact = updated(lively(recipe, obs=obs, action=action), 1)[0].metrics["Loss/world_model_loss"].item()
    assert updates[0].metrics["Loss/world_model_loss"].item() == pytest.approx(exact, rel=0.05)
    assert all(parameter.dtype == torch.float32 for parameter in learner.agent.parameters())


def test_the_gradient_norm_is_the_norm_of_all_gradients_together() -> None:
    parameters = [torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True), torch.zeros(3)]
    parameters[0].grad, parameters[1].grad = torch.tensor([3.0, 0.0]), torch.tensor([-4.0])
    assert gradient_norm(parameters).item() == 5.0
    assert gradient_norm([torch.zeros(3)]).item() == 0.0
    assert gradient_norm([torch.zeros(3, device="meta")]).device.type == "meta"  # where its parameters are
