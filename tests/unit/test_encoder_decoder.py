"""What goes into the encoders and comes out of the decoders, for every kind of observation in both recipes."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from dreamer_core.config.tree import Recipe
from dreamer_core.errors import ConfigError
from dreamer_core.models.agent import Agent
from dreamer_core.models.encoder import to_unit
from dreamer_core.models.images import count_stages
from dreamer_core.rng import make_generator, randn
from dreamer_core.types import ObsSpec
from tests.factories import PACKED2, PIXELS, RECIPES, VECTOR, random_obs, tiny_agent

SMALL_IMAGE = ObsSpec(kind="image", shape=(1, 32, 32))
recipes = pytest.mark.parametrize("recipe", RECIPES)


def decoded(agent: Agent, *lead: int) -> dict[str, torch.Tensor]:
    features = randn((*lead, agent.world_model.feature_size), make_generator(0))
    return dict(agent.world_model.decoder(features))


@recipes
@pytest.mark.parametrize("obs", [VECTOR, PIXELS, PACKED2, VECTOR | PIXELS], ids=["vector", "pixels", "packed2", "both"])
def test_an_observation_becomes_an_embedding_and_a_prediction_in_its_shape(
    recipe: Recipe, obs: Mapping[str, ObsSpec]
) -> None:
    agent = tiny_agent(recipe, obs=obs)
    encoder = agent.world_model.encoder
    embedding = encoder(random_obs(obs, (3, 2), make_generator(1)))
    assert embedding.shape == (3, 2, encoder.size)
    assert torch.isfinite(embedding).all()
    predictions = decoded(agent, 3, 2)
    assert set(predictions) == set(obs)
    for key, spec in obs.items():
        *rest, width = spec.shape
        assert predictions[key].shape == (3, 2, *rest, 4 * width if spec.kind == "packed2" else width)


def test_the_embedding_of_an_image_is_its_last_map() -> None:
    # debug: multiplier 2. nature 2 * 4 channels; sheeprl 2 * 2**stages / 2. 64x64 -> 4x4; 72x80 -> 9x10.
    assert tiny_agent("nature", obs=PIXELS).world_model.encoder.size == 8 * 4 * 4
    assert tiny_agent("sheeprl", obs=PIXELS).world_model.encoder.size == 16 * 4 * 4
    assert tiny_agent("nature", obs=PACKED2).world_model.encoder.size == 8 * 9 * 10
    assert tiny_agent("sheeprl", obs=PACKED2).world_model.encoder.size == 8 * 9 * 10
    assert tiny_agent("nature", obs=VECTOR | PIXELS).world_model.encoder.size == 8 * 4 * 4 + 8


@pytest.mark.parametrize(
    ("size", "limit", "stages"),
    [((64, 64), None, 4), ((72, 80), None, 3), ((128, 128), None, 5), ((128, 128), 4, 4), ((8, 64), None, 1)],
)
def test_images_are_halved_while_both_sides_allow_it(size: tuple[int, int], limit: int | None, stages: int) -> None:
    assert count_stages(*size, limit) == stages


@pytest.mark.parametrize("size", [(63, 64), (64, 7), (4, 4)])
def test_an_image_that_cannot_be_halved_is_an_error(size: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match=rf"images of {size[0]}x{size[1]} cannot be halved even once"):
        count_stages(*size)


@recipes
def test_images_of_different_sizes_are_an_error(recipe: Recipe) -> None:
    with pytest.raises(ConfigError, match=r"images must share one size, got \[\(32, 32\), \(64, 64\)\] for \['rgb', '"):
        tiny_agent(recipe, obs=PIXELS | {"close": SMALL_IMAGE})


@recipes
def test_images_of_one_size_are_stacked_in_their_channels_and_split_again(recipe: Recipe) -> None:
    obs = {"left": SMALL_IMAGE, "right": ObsSpec(kind="image", shape=(3, 32, 32))}
    agent = tiny_agent(recipe, obs=obs)
    assert {key: value.shape for key, value in decoded(agent, 2, 1).items()} == {
        "left": (2, 1, 1, 32, 32),
        "right": (2, 1, 3, 32, 32),
    }


def test_checkpoints_name_the_layers_of_images_as_they_always_did() -> None:
    decoder = tiny_agent("nature", obs=PIXELS).world_model.decoder.image
    encoder = tiny_agent("nature", obs=PIXELS).world_model.encoder.image
    assert decoder is not None
    assert encoder is not None
    names = {name for name in decoder.state_dict() if "project" not in name}
    layers = {f"net.{place}.{part}" for place in (1, 5, 9, 13) for part in ("weight", "bias")}
    assert names == layers | {f"net.{place}.norm.weight" for place in (2, 6, 10)}
    layers = {f"net.{place}.{part}" for place in (0, 4, 8, 12) for part in ("weight", "bias")}
    assert set(encoder.state_dict()) == layers | {f"net.{place}.norm.weight" for place in (2, 6, 10, 14)}


def test_a_projection_that_does_not_divide_into_blocks_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"block_space: must divide 8 channels and 16, got 3"):
        tiny_agent("nature", "world_model.observation_model.block_space=3", obs=PIXELS)
    assert decoded(tiny_agent("nature", "world_model.observation_model.block_space=0", obs=PIXELS), 1, 1)


def test_pixels_lie_between_zero_and_one_and_packed_shades_are_thirds() -> None:
    white, black = torch.full((1, 1, 1), 255, dtype=torch.uint8), torch.zeros(1, 1, 1, dtype=torch.uint8)
    image, packed = ObsSpec(kind="image", shape=(1, 1, 1)), ObsSpec(kind="packed2", shape=(1, 1, 1))
    assert (to_unit(white, image).item(), to_unit(black, image).item()) == (1.0, 0.0)
    shades = to_unit(torch.tensor([[[0b11_10_01_00]]], dtype=torch.uint8), packed)
    torch.testing.assert_close(shades, torch.tensor([[[0, 1 / 3, 2 / 3, 1]]]))


@recipes
def test_vectors_go_in_through_symlog_unless_told_otherwise(recipe: Recipe) -> None:
    big = {"state": torch.full((1, 1, 5), 1e6)}
    squashed, plain = tiny_agent(recipe), tiny_agent(recipe, "world_model.encoder.symlog_inputs=false")
    small = {"state": torch.full((1, 1, 5), 13.8155)}  # symlog of 1e6
    torch.testing.assert_close(
        squashed.world_model.encoder(big), plain.world_model.encoder(small), rtol=1e-4, atol=1e-4
    )


@recipes
def test_with_a_one_beside_them_the_size_of_vectors_gets_past_the_first_norm(recipe: Recipe) -> None:
    """Without it, and with biases that start at zero, only their direction does."""
    words = ("world_model.encoder.symlog_inputs=false",)
    plain, with_one = tiny_agent(recipe, *words), tiny_agent(recipe, *words, "world_model.encoder.append_one=true")
    vector = torch.randn((1, 1, 5), generator=make_generator(0))
    near, far = {"state": 100 * vector}, {"state": 200 * vector}
    torch.testing.assert_close(plain.world_model.encoder(near), plain.world_model.encoder(far), rtol=1e-3, atol=1e-3)
    near, far = {"state": vector}, {"state": 2 * vector}
    assert (with_one.world_model.encoder(near) - with_one.world_model.encoder(far)).abs().max() > 0.05


@recipes
def test_a_gain_makes_vectors_larger_for_encoder_and_decoder_alike(recipe: Recipe) -> None:
    plain, amplified = tiny_agent(recipe).world_model, tiny_agent(recipe, "world_model.vector_gain=10").world_model
    obs = random_obs(VECTOR, (3, 2), make_generator(1))
    larger = {key: 10 * value for key, value in obs.items()}
    torch.testing.assert_close(amplified.encoder(obs), plain.encoder(larger))
    features = randn((3, 2, plain.feature_size), make_generator(0))
    predictions = plain.decoder(features)
    torch.testing.assert_close(amplified.decoder.loss(predictions, obs), plain.decoder.loss(predictions, larger))
    torch.testing.assert_close(
        10 * amplified.decoder.reconstruct(features)["state"], plain.decoder.reconstruct(features)["state"]
    )


@recipes
@pytest.mark.parametrize("obs", [VECTOR, PIXELS, PACKED2], ids=["vector", "pixels", "packed2"])
def test_the_loss_is_the_squared_distance_of_the_reconstruction(recipe: Recipe, obs: Mapping[str, ObsSpec]) -> None:
    agent = tiny_agent(recipe, obs=obs)
    decoder = agent.world_model.decoder
    features = randn((3, 2, agent.world_model.feature_size), make_generator(0))
    seen = random_obs(obs, (3, 2), make_generator(1))
    loss = decoder.loss(decoder(features), seen)
    assert loss.shape == (3, 2)
    (key, spec), raw = next(iter(obs.items())), decoder(features)
    if spec.kind == "vector":
        value = seen[key]
        target = value.sign() * (1 + value.abs()).log()
    else:
        target = to_unit(seen[key], spec) - (0.0 if recipe == "nature" else 0.5)
    expected = (raw[key] - target).square().flatten(2).sum(-1)
    torch.testing.assert_close(loss, expected)


@recipes
def test_a_reconstruction_is_in_the_space_of_the_observation(recipe: Recipe) -> None:
    agent = tiny_agent(recipe, obs=VECTOR | PIXELS)
    features = 5 * randn((2, 1, agent.world_model.feature_size), make_generator(0))
    shown, raw = agent.world_model.decoder.reconstruct(features), agent.world_model.decoder(features)
    assert shown["rgb"].min() >= 0
    assert shown["rgb"].max() <= 1
    torch.testing.assert_close(shown["state"], raw["state"].sign() * torch.expm1(raw["state"].abs()))


def test_keys_choose_what_is_encoded_and_decoded() -> None:
    obs = VECTOR | {"secret": ObsSpec(kind="vector", shape=(2,))}
    keys = ("algo.mlp_keys.encoder=[state, secret]", "algo.mlp_keys.decoder=[state]")
    agent = tiny_agent("nature", *keys, obs=obs)
    assert set(decoded(agent, 1, 1)) == {"state"}
    first = agent.world_model.encoder.vector
    assert first is not None
    assert first.keys == ("state", "secret")


@pytest.mark.parametrize("key", ["mlp_keys", "cnn_keys"])
def test_a_key_that_the_environment_lacks_is_an_error(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"algo\.{key}\.encoder: the environment has no 'velocity', only \['"):
        tiny_agent("nature", f"algo.{key}.encoder=[velocity]", obs=VECTOR | PIXELS)


@recipes
def test_every_convolution_meets_images_laid_out_pixel_by_pixel(recipe: Recipe) -> None:
    """One that does not takes twice as long on a CPU, and nothing else tells."""
    agent, met = tiny_agent(recipe, obs=PIXELS), list[bool]()

    def look(_: nn.Module, images: tuple[Tensor]) -> None:
        met.append(images[0].is_contiguous(memory_format=torch.channels_last))

    for module in agent.world_model.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.register_forward_pre_hook(look)
    agent.world_model.encoder(random_obs(PIXELS, (3, 2), make_generator(1)))
    decoded(agent, 3, 2)
    assert met == [True] * 8
