"""The modules of the `nature` recipe give the outputs and gradients of sheeprl 0.8.4."""

import pytest
import torch
from torch import nn

from dreamer_core.models.actor import Actor
from dreamer_core.models.decoder import NatureImageDecoder, VectorDecoder
from dreamer_core.models.encoder import ImageEncoder, VectorEncoder
from dreamer_core.models.layers import BlockLinear, ChannelNorm, RMSNorm
from dreamer_core.models.rssm_nature import NatureRSSM
from dreamer_core.rng import ModeSampler
from dreamer_core.types import State
from tests.golden.fixtures import load
from tests.golden.parity import check_module, load_weights, take_inputs
from tests.golden.policies import describe
from tests.golden.sizes import (
    IMAGES,
    NATURE,
    SIZES,
    TWO_VECTORS,
    action_spec,
    actor_config,
    decoder_config,
    encoder_config,
    world_config,
)
from tests.golden.tiny import ACTIONS, CLASSES, EMBED, LATENT, STOCH
from tests.golden.tolerances import PIXEL_GRADIENTS, PIXELS


def make_rssm(dynamics_layers: int = 1) -> NatureRSSM:
    return NatureRSSM(world_config(dynamics_layers), NATURE, embed=EMBED, action=ACTIONS, unimix=0.01)


def test_a_block_linear_layer_keeps_its_groups_apart() -> None:
    golden = load("nature_block_linear")
    known = golden.settings
    layer, inputs = BlockLinear(known["in_features"], known["out_features"], known["blocks"]), take_inputs(golden)
    load_weights(golden, layer)
    check_module(golden, layer, inputs, {"y": layer(inputs["x"])})


def test_rms_norm_adds_epsilon_where_the_reference_does() -> None:
    golden = load("nature_rms_norm")
    norm, inputs = RMSNorm(6, eps=golden.settings["eps"]), take_inputs(golden)
    load_weights(golden, norm)
    check_module(golden, norm, inputs, {"y": norm(inputs["x"])})


def test_rms_norm_of_images_is_over_their_channels() -> None:
    golden = load("nature_rms_norm_channels")
    norm, inputs = ChannelNorm(RMSNorm(6, eps=golden.settings["eps"])), take_inputs(golden)
    load_weights(golden, norm)
    check_module(golden, norm, inputs, {"y": norm(inputs["x"])})


@pytest.mark.parametrize("name", ["nature_recurrent_model", "nature_recurrent_model_deep"])
def test_the_block_gru_steps_alike_also_for_actions_beyond_one(name: str) -> None:
    golden = load(name)
    rssm, inputs = make_rssm(golden.settings["dynamics_layers"]), take_inputs(golden)
    projections = [rssm.project_deter, rssm.project_stoch, rssm.project_action]
    cell = nn.ModuleList([*projections, rssm.hidden, rssm.gates])
    load_weights(golden, cell)
    embedding = rssm.embed_actions(inputs["actions"])
    deter = rssm.advance(State(inputs["deter"], inputs["stoch"].unflatten(-1, (STOCH, CLASSES))), embedding)
    check_module(golden, cell, inputs, {"action_embedding": embedding, "deter": deter})


def test_the_posterior_net_may_see_observations_ahead_of_the_state() -> None:
    golden = load("nature_representation_model")
    rssm, inputs = make_rssm(), take_inputs(golden)
    net = nn.ModuleList([rssm.posterior_in, rssm.posterior_net])
    load_weights(golden, net)
    projection = rssm.embed_observations(inputs["embedded"])
    logits = rssm.posterior_logits(inputs["deter"], projection)
    check_module(golden, net, inputs, {"projection": projection, "logits": logits})


def test_one_step_of_observing_agrees_where_an_episode_starts_and_where_not() -> None:
    golden = load("nature_rssm_dynamic")
    rssm, inputs = make_rssm(), take_inputs(golden)
    load_weights(golden, rssm)
    start = State(inputs["deter"][0], inputs["stoch"][0].unflatten(-1, (STOCH, CLASSES)))
    is_first = inputs["is_first"].squeeze(-1).bool()
    seen = rssm.observe(inputs["embedded"], inputs["actions"], is_first, start, ModeSampler())
    found = {"deter": seen.states.deter, "stoch": seen.states.stoch.flatten(-2)}
    found |= {"posterior_logits": seen.posterior, "prior_logits": seen.prior}
    check_module(golden, rssm, inputs, found)


def test_one_step_of_imagining_agrees() -> None:
    golden = load("nature_rssm_imagination")
    rssm, inputs = make_rssm(), take_inputs(golden)
    load_weights(golden, rssm)
    start = State(inputs["deter"][0], inputs["stoch"][0].unflatten(-1, (STOCH, CLASSES)))
    state = rssm.imagine_step(start, inputs["actions"][0], ModeSampler())
    check_module(golden, rssm, inputs, {"deter": state.deter[None], "stoch": state.stoch.flatten(-2)[None]})


def test_vectors_are_encoded_alike() -> None:
    golden = load("nature_mlp_encoder")
    encoder, inputs = VectorEncoder(encoder_config(3), NATURE, TWO_VECTORS), take_inputs(golden)
    load_weights(golden, encoder)
    check_module(golden, encoder, inputs, {"embedded": encoder(inputs)})


def test_vectors_are_decoded_alike() -> None:
    golden = load("nature_mlp_decoder")
    decoder, inputs = VectorDecoder(decoder_config(3), NATURE, TWO_VECTORS, LATENT), take_inputs(golden)
    load_weights(golden, decoder)
    check_module(golden, decoder, inputs, decoder(inputs["latent"]))


def test_images_are_encoded_alike() -> None:
    golden = load("nature_cnn_encoder")
    encoder, inputs = ImageEncoder(encoder_config(3), NATURE, IMAGES), take_inputs(golden)
    load_weights(golden, encoder)
    check_module(golden, encoder, inputs, {"embedded": encoder({"rgb": inputs["images"]})})


@pytest.mark.parametrize("name", ["nature_cnn_decoder", "nature_cnn_decoder_dense"])
def test_images_are_decoded_alike_from_blocks_and_from_one_layer(name: str) -> None:
    golden = load(name)
    config = decoder_config(3, golden.settings["block_space"])
    decoder, inputs = NatureImageDecoder(config, NATURE, IMAGES, SIZES), take_inputs(golden)
    load_weights(golden, decoder)
    check_module(golden, decoder, inputs, {"images": decoder(inputs["latent"])["rgb"]}, PIXELS, PIXEL_GRADIENTS)


ACTORS = ["nature_actor_discrete", "nature_actor_unimix", "nature_actor_multi_discrete", "nature_actor_continuous"]


@pytest.mark.parametrize("name", ACTORS)
def test_the_actor_s_policy_agrees_in_every_kind_of_action(name: str) -> None:
    golden = load(name)
    spec, config = action_spec(golden.settings), actor_config(golden.settings, 3)
    actor, inputs = Actor(config, NATURE, features=LATENT, action=spec), take_inputs(golden)
    load_weights(golden, actor)
    check_module(golden, actor, inputs, describe(actor, inputs["latent"], torch.as_tensor(inputs["actions"])))
