"""The modules of the `sheeprl` recipe give the outputs and gradients of sheeprl at 33b6366."""

import pytest
import torch
from torch import nn

from dreamer_core.config.model import WorldModelConfig
from dreamer_core.models.actor import Actor
from dreamer_core.models.decoder import SheeprlImageDecoder, VectorDecoder
from dreamer_core.models.distributions import sample_one_hot
from dreamer_core.models.encoder import ImageEncoder, VectorEncoder
from dreamer_core.models.rssm import gated_update
from dreamer_core.models.rssm_sheeprl import SheeprlRSSM
from dreamer_core.rng import ModeSampler
from dreamer_core.types import State
from tests.golden.fixtures import load
from tests.golden.parity import check_module, load_weights, take_inputs
from tests.golden.policies import describe
from tests.golden.samplers import RecordedNoise
from tests.golden.sizes import (
    IMAGES,
    SHEEPRL,
    SIZES,
    TWO_VECTORS,
    action_spec,
    actor_config,
    decoder_config,
    encoder_config,
    world_config,
)
from tests.golden.tiny import ACTIONS, CLASSES, EMBED, LATENT, STOCH
from tests.golden.tolerances import PIXEL_GRADIENTS, PIXELS, UNROLLS
from tests.golden.translate import config_from

WIDTH = 8  # of the layers, and of the embedding, of whole agents


def make_rssm(config: WorldModelConfig, embed: int) -> SheeprlRSSM:
    return SheeprlRSSM(config, SHEEPRL, embed=embed, action=ACTIONS, unimix=0.01)


def whole_agents_rssm() -> SheeprlRSSM:
    return make_rssm(config_from(load("sheeprl_train_discrete").settings, "sheeprl").world_model, WIDTH)


def test_the_gru_cell_normalizes_its_gates_alike() -> None:
    golden = load("sheeprl_gru_cell")
    rssm, inputs = make_rssm(world_config(), EMBED), take_inputs(golden)
    cell = nn.ModuleList([rssm.gates, rssm.gates_norm])
    load_weights(golden, cell)
    gates = rssm.gates_norm(rssm.gates(torch.cat([inputs["deter"], inputs["input"]], -1)))
    check_module(golden, cell, inputs, {"deter": gated_update(inputs["deter"], *gates.chunk(3, -1))})


def test_the_recurrent_model_steps_alike() -> None:
    golden = load("sheeprl_recurrent_model")
    rssm, inputs = make_rssm(world_config(), EMBED), take_inputs(golden)
    model = nn.ModuleList([rssm.mix_in, rssm.mix_norm, rssm.gates, rssm.gates_norm])
    load_weights(golden, model)
    stoch, action = inputs["stoch_action"].split([STOCH * CLASSES, ACTIONS], -1)
    state = State(inputs["deter"], stoch.unflatten(-1, (STOCH, CLASSES)))
    check_module(golden, model, inputs, {"deter": rssm.advance(state, rssm.embed_actions(action))})


def test_an_episode_starts_from_the_learned_state_and_its_likeliest_latent() -> None:
    golden = load("sheeprl_initial_states")
    rssm = whole_agents_rssm()
    load_weights(golden, rssm)
    state = rssm.initial(2)
    check_module(golden, rssm, {}, {"deter": state.deter, "stoch": state.stoch})


def test_one_step_of_observing_agrees_in_all_five_values() -> None:
    golden = load("sheeprl_rssm_dynamic")
    rssm, inputs = whole_agents_rssm(), take_inputs(golden)
    load_weights(golden, rssm)
    start, is_first = State(inputs["deter"][0], inputs["stoch"][0]), inputs["is_first"].squeeze(-1).bool()
    seen = rssm.observe(inputs["embedded"], inputs["action"], is_first, start, ModeSampler())
    found = {"deter": seen.states.deter, "posterior": seen.states.stoch, "posterior_logits": seen.posterior}
    found |= {"prior": sample_one_hot(seen.prior, ModeSampler()), "prior_logits": seen.prior}
    check_module(golden, rssm, inputs, found)


def test_six_steps_of_observing_agree_with_episodes_that_start_inside() -> None:
    golden = load("sheeprl_observe")
    rssm, inputs = whole_agents_rssm(), take_inputs(golden)
    load_weights(golden, rssm)
    actions = inputs["actions"]
    previous = torch.cat([torch.zeros_like(actions[:1]), actions[:-1]])
    is_first = inputs["is_first"].squeeze(-1).bool()
    is_first[0] = True
    seen = rssm.observe(inputs["embedded"], previous, is_first, None, ModeSampler())
    found = {"deter": seen.states.deter, "posterior": seen.states.stoch}
    found |= {"posterior_logits": seen.posterior, "prior_logits": seen.prior}
    check_module(golden, rssm, inputs, found, UNROLLS)


def test_one_step_of_imagining_agrees() -> None:
    golden = load("sheeprl_rssm_imagination")
    rssm, inputs = whole_agents_rssm(), take_inputs(golden)
    load_weights(golden, rssm)
    start = State(inputs["deter"][0], inputs["stoch"][0].unflatten(-1, (STOCH, CLASSES)))
    state = rssm.imagine_step(start, inputs["action"][0], ModeSampler())
    check_module(golden, rssm, inputs, {"deter": state.deter, "prior": state.stoch})


def test_vectors_are_encoded_alike() -> None:
    golden = load("sheeprl_mlp_encoder")
    encoder, inputs = VectorEncoder(encoder_config(2), SHEEPRL, TWO_VECTORS), take_inputs(golden)
    load_weights(golden, encoder)
    check_module(golden, encoder, inputs, {"embedded": encoder(inputs)})


def test_vectors_are_decoded_alike() -> None:
    golden = load("sheeprl_mlp_decoder")
    decoder, inputs = VectorDecoder(decoder_config(2), SHEEPRL, TWO_VECTORS, LATENT), take_inputs(golden)
    load_weights(golden, decoder)
    check_module(golden, decoder, inputs, decoder(inputs["latent"]))


def test_images_are_encoded_alike() -> None:
    golden = load("sheeprl_cnn_encoder")
    encoder, inputs = ImageEncoder(encoder_config(2), SHEEPRL, IMAGES), take_inputs(golden)
    load_weights(golden, encoder)
    check_module(golden, encoder, inputs, {"embedded": encoder({"rgb": inputs["images"]})})


def test_images_are_decoded_alike() -> None:
    golden = load("sheeprl_cnn_decoder")
    decoder, inputs = SheeprlImageDecoder(decoder_config(2), SHEEPRL, IMAGES, SIZES), take_inputs(golden)
    load_weights(golden, decoder)
    check_module(golden, decoder, inputs, {"images": decoder(inputs["latent"])["rgb"]}, PIXELS, PIXEL_GRADIENTS)


@pytest.mark.parametrize("name", ["sheeprl_actor_discrete", "sheeprl_actor_multi_discrete", "sheeprl_actor_continuous"])
def test_the_actor_s_policy_agrees_in_every_kind_of_action(name: str) -> None:
    golden = load(name)
    spec, config = action_spec(golden.settings), actor_config(golden.settings, 2)
    actor, inputs = Actor(config, SHEEPRL, features=LATENT, action=spec), take_inputs(golden)
    load_weights(golden, actor)
    # With the reference's noise, so that clipping actions, and the gradient through it, are compared too.
    sampler = RecordedNoise(inputs["noise"]) if spec.is_continuous else None
    check_module(golden, actor, inputs, describe(actor, inputs["latent"], inputs["actions"], sampler))
