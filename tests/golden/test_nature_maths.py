"""The pure functions of the `nature` recipe give the numbers of sheeprl 0.8.4."""

import pytest
import torch
from torch import Tensor, nn

from dreamer_core.config import from_mapping
from dreamer_core.config.model import LaPropConfig
from dreamer_core.models.distributions import bernoulli_loss, squared_error, symlog_squared_error
from dreamer_core.models.returns import lambda_returns, replay_returns
from dreamer_core.models.twohot import SymexpTwoHot, symexp_bins
from dreamer_core.training.optim import LaProp
from tests.factories import tiny_agent
from tests.golden.fixtures import load
from tests.golden.maths import dense_two_hot, follow_returns, give_out
from tests.golden.parity import check_gradients, check_outputs, load_weights, take_inputs
from tests.golden.tolerances import EXACT, TWO_HOT_LOSSES, UNROLLS, assert_near


def test_the_bins_are_the_reference_s_for_odd_and_even_counts() -> None:
    golden = load("nature_symexp_bins")
    check_outputs(golden, {f"bins_{count}": symexp_bins(count) for count in (255, 41, 40)})


def test_two_hot_means_encodings_and_losses_agree_up_to_both_ends_and_beyond() -> None:
    golden = load("nature_two_hot")
    inputs, two_hot = take_inputs(golden), SymexpTwoHot(255)
    losses = two_hot.loss(inputs["logits"], inputs["targets"])
    found = {
        "bins": two_hot.bins,
        "mean": two_hot.mean(inputs["logits"]),
        "encoded": dense_two_hot(inputs["targets"], two_hot.bins),
        "loss": losses,
        "flat_mean": two_hot.mean(torch.zeros(2, 255)),
    }
    check_outputs(golden, found, loss=TWO_HOT_LOSSES)
    losses.sum().backward()
    check_gradients(golden, {}, inputs)


def test_a_flat_two_hot_means_exactly_zero() -> None:
    assert_near("flat", SymexpTwoHot(255).mean(torch.zeros(2, 255)), load("nature_two_hot").outputs["flat_mean"], EXACT)


def test_the_continue_loss_takes_hard_and_soft_targets_at_extreme_logits() -> None:
    golden = load("nature_binary_loss")
    inputs = take_inputs(golden)
    loss = bernoulli_loss(inputs["logits"], inputs["target"])
    check_outputs(golden, {"loss": loss})
    loss.sum().backward()
    check_gradients(golden, {}, inputs)


def test_squared_errors_sum_over_vectors_in_symlog_and_over_whole_images() -> None:
    golden = load("nature_squared_errors")
    inputs = take_inputs(golden)
    vector_loss = symlog_squared_error(inputs["vector"], inputs["vector_target"])
    image_loss = squared_error(inputs["image"], inputs["image_target"], 3)
    check_outputs(golden, {"vector_loss": vector_loss, "image_loss": image_loss})
    (vector_loss.sum() + image_loss.sum()).backward()
    check_gradients(golden, {}, inputs)


def test_lambda_returns_agree_on_replayed_and_on_imagined_sequences() -> None:
    golden = load("nature_lambda_return")
    given, gamma, lmbda = golden.inputs, golden.settings["discount"], golden.settings["lmbda"]
    rewards, values = given["rewards"], given["bootstrap"]
    replayed = replay_returns(rewards, values, given["terminal"], given["last"], gamma=gamma, lmbda=lmbda)
    imagined = lambda_returns(rewards[1:], values[1:], 1 - given["soft_terminal"][1:], lmbda)
    check_outputs(golden, {"replayed": replayed, "imagined": imagined})


def test_the_return_range_follows_three_batches_of_returns() -> None:
    golden = load("nature_moments")
    check_outputs(golden, follow_returns(golden))


@pytest.mark.parametrize("name", ["nature_laprop", "nature_laprop_no_agc"])
def test_laprop_takes_the_same_twenty_steps(name: str) -> None:
    golden = load(name)
    weights = {key: nn.Parameter(golden.inputs[key].clone()) for key in golden.outputs}
    optimizer = LaProp([{"params": list(weights.values())}], from_mapping(LaPropConfig, golden.settings))
    found: dict[str, list[Tensor]] = {key: [] for key in weights}
    for step in range(20):
        for key, weight in weights.items():
            weight.grad = golden.inputs[f"grad.{key}"][step].clone()
        optimizer.step()
        for key, weight in weights.items():
            found[key].append(weight.detach().clone())
    check_outputs(golden, {key: torch.stack(steps) for key, steps in found.items()}, UNROLLS)


def test_the_replay_ratio_gives_out_the_same_updates_straight_and_resumed() -> None:
    golden = load("nature_ratio")
    check_outputs(golden, give_out(golden), EXACT)


def test_the_slow_critic_moves_by_tau() -> None:
    golden = load("nature_update_target_critic")
    agent = tiny_agent("nature", "critic.dense_units=4", "critic.bins=3")  # so that the last layer is the fixture's
    layer, slow = agent.critic.net[-1], agent.slow_critic.net[-1]
    load_weights(golden, layer, "critic")
    load_weights(golden, slow, "target_critic")
    agent.update_slow_critic(golden.settings["tau"])
    assert golden.after.keys() == {"target_critic.weight", "target_critic.bias"}
    for name, weight in slow.named_parameters():
        assert_near(name, weight, golden.after[f"target_critic.{name}"])
