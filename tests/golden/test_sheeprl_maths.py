"""The pure functions of the `sheeprl` recipe give the numbers of sheeprl at 33b6366."""

import math

import torch
from torch import Tensor, nn

from dreamer_core.models.distributions import (
    SYMLOG_TOLERANCE,
    bernoulli_loss,
    log_probs,
    squared_error,
    symexp,
    symlog,
    symlog_squared_error,
)
from dreamer_core.models.returns import lambda_returns
from dreamer_core.models.rssm import Observed
from dreamer_core.models.twohot import SymlogTwoHot
from dreamer_core.models.world_model import Moment, WorldModel
from dreamer_core.rng import ModeSampler, Sampler
from dreamer_core.training.ratio import Ratio
from dreamer_core.types import ActionSpec, ObsSpec, Spaces, State
from tests.factories import tiny_config
from tests.golden.fixtures import load
from tests.golden.maths import NO_CAP, dense_two_hot, follow_returns, give_out
from tests.golden.parity import check_gradients, check_outputs, take_inputs
from tests.golden.sizes import SHEEPRL
from tests.golden.tolerances import EXACT, LOSSES, TWO_HOT_LOSSES


def test_symlog_and_symexp_agree() -> None:
    golden = load("sheeprl_symlog")
    inputs = take_inputs(golden)
    squashed = symlog(inputs["x"])
    check_outputs(golden, {"symlog": squashed, "symexp": symexp(squashed)})
    squashed.sum().backward()
    check_gradients(golden, {}, inputs)


def test_two_hot_weights_are_the_two_hot_encoder_s() -> None:
    golden = load("sheeprl_two_hot_encoder")
    found: dict[str, Tensor] = {}
    for count in (41, 255):
        bins = torch.linspace(-20, 20, count)
        encoded = dense_two_hot(golden.inputs["x"].squeeze(-1), bins)
        found |= {f"encoded_{count}": encoded, f"decoded_{count}": (encoded * bins).sum(-1)}
    check_outputs(golden, found)


def test_two_hot_means_and_losses_agree_up_to_both_ends_and_beyond() -> None:
    golden = load("sheeprl_two_hot_distribution")
    inputs, two_hot = take_inputs(golden), SymlogTwoHot(255)
    losses = two_hot.loss(inputs["logits"], inputs["value"].squeeze(-1))
    found = {
        "bins": two_hot.bins,
        "mean": two_hot.mean(inputs["logits"]),
        "log_prob": -losses,
        "flat_mean": two_hot.mean(torch.zeros(2, 255)),
    }
    check_outputs(golden, found, log_prob=TWO_HOT_LOSSES)
    (-losses).sum().backward()
    check_gradients(golden, {}, inputs)


def test_vectors_have_the_symlog_error_and_tiny_errors_count_as_none() -> None:
    golden = load("sheeprl_symlog_distribution")
    inputs = take_inputs(golden)
    log_prob = -symlog_squared_error(inputs["prediction"], inputs["value"], SYMLOG_TOLERANCE)
    check_outputs(golden, {"log_prob": log_prob, "mean": symexp(inputs["prediction"])})
    log_prob.sum().backward()
    check_gradients(golden, {}, inputs)


def test_images_have_the_squared_error() -> None:
    golden = load("sheeprl_mse_distribution")
    inputs = take_inputs(golden)
    log_prob = -squared_error(inputs["prediction"], inputs["value"], 3)
    check_outputs(golden, {"log_prob": log_prob})
    log_prob.sum().backward()
    check_gradients(golden, {}, inputs)


def test_an_episode_goes_on_only_where_that_is_likelier_than_not() -> None:
    golden = load("sheeprl_bernoulli")
    inputs = take_inputs(golden)
    log_prob = -bernoulli_loss(inputs["logits"], inputs["value"])
    # The learner decides by the sign of the logit; its discounts are held against whole train steps.
    check_outputs(golden, {"log_prob": log_prob, "mode": (inputs["logits"] > 0).float()})
    log_prob.sum().backward()
    check_gradients(golden, {}, inputs)


class Says(nn.Module):
    """Answers the same to every question."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, *_: object) -> object:
        return self.answer


class GivenWorld(WorldModel):
    """A world model that is told what it saw."""

    seen: Observed

    def observe(self, moment: Moment, sampler: Sampler) -> Observed:
        return self.seen


def test_all_six_losses_of_the_world_model_agree_from_the_same_predictions() -> None:
    golden = load("sheeprl_reconstruction_loss")
    inputs = take_inputs(golden)
    numbers = [f"world_model.{key}={value}" for key, value in golden.settings.items()]
    spaces = Spaces(
        obs={"rgb": ObsSpec(kind="image", shape=(1, 64, 64)), "state": ObsSpec(kind="vector", shape=(5,))},
        action=ActionSpec(kind="discrete", sizes=(3,)),
    )
    world = GivenWorld(tiny_config("sheeprl", "world_model.reward_model.bins=41", *numbers), spaces, SHEEPRL)
    world.decoder.add_module("image", Says({"rgb": inputs["images"]}))
    world.decoder.add_module("vector", Says({"state": inputs["vectors"]}))
    world.add_module("reward_head", Says(inputs["reward_logits"]))
    world.add_module("continue_head", Says(inputs["continue_logits"]))
    posterior, prior = (inputs[f"{key}_logits"].log_softmax(-1) for key in ("posteriors", "priors"))
    world.seen = Observed(State(torch.zeros(4, 3, 16), torch.zeros(4, 3, 4, 5)), posterior, prior)
    loss = world.loss(_explained(inputs), ModeSampler())
    found = {"loss": loss.total, "kl": loss.metrics["State/kl"]}
    names = ("state_loss", "reward_loss", "observation_loss", "continue_loss")
    check_outputs(golden, found | {name: loss.metrics[f"Loss/{name}"] for name in names}, LOSSES)
    loss.total.backward()
    check_gradients(golden, {}, inputs)


def test_lambda_values_agree_with_an_end_inside() -> None:
    golden = load("sheeprl_lambda_values")
    inputs = take_inputs(golden)
    values = lambda_returns(inputs["rewards"], inputs["values"], inputs["continues"], golden.settings["lmbda"])
    check_outputs(golden, {"lambda_values": values})
    values.sum().backward()
    check_gradients(golden, {}, inputs)


def test_the_return_range_follows_three_batches_of_returns() -> None:
    golden = load("sheeprl_moments")
    check_outputs(golden, follow_returns(golden))


def test_the_replay_ratio_gives_out_the_same_updates_even_where_it_forgot() -> None:
    golden = load("sheeprl_ratio")
    check_outputs(golden, give_out(golden), EXACT)


def test_the_burst_of_a_forgotten_ratio_is_avoided_by_saying_where_it_starts() -> None:
    golden = load("sheeprl_ratio")
    steps = golden.inputs["steps"].tolist()
    for rate, forgotten in zip(golden.settings["ratios"], golden.outputs["forgotten"], strict=True):
        ratio = Ratio(rate, 0, NO_CAP)
        ratio.start_from(steps[4])
        usual = math.ceil(rate * 4)
        assert max(ratio(step) for step in steps[5:]) <= usual
        assert rate < 0.1 or int(forgotten[5]) > usual  # the reference would have burst


def test_unimix_is_mixed_into_latents_and_actions_alike() -> None:
    golden = load("sheeprl_uniform_mix")
    inputs, known = take_inputs(golden), golden.settings
    latent = log_probs(inputs["latent"].unflatten(-1, (-1, known["classes"])), known["unimix"]).flatten(-2)
    found = {"latent": latent, "action": log_probs(inputs["action"], known["unimix"])}
    check_outputs(golden, found)
    torch.stack([0.5 * found[name].square().sum() for name in known["grad_of"]]).sum().backward()
    check_gradients(golden, {}, inputs)


def _explained(inputs: dict[str, Tensor]) -> Moment:
    """What the world model has to explain. Pixels go in as bytes do, between 0 and 255."""
    terminated = inputs["continues"].squeeze(-1) == 0
    return Moment(
        obs={"rgb": (inputs["target_rgb"] + 0.5) * 255, "state": inputs["target_state"]},
        previous_action=torch.zeros(0),
        reward=inputs["rewards"].squeeze(-1),
        is_first=torch.zeros_like(terminated),
        terminated=terminated,
        is_last=terminated,
        start=None,
    )
