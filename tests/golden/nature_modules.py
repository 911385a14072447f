"""Fixtures of the single modules of the `nature` reference: layers, RSSM parts, encoders, decoders, actors."""

import importlib
from typing import Any

import torch
from torch import Tensor, nn

from tests.golden.capture import record_module
from tests.golden.perturb import perturb
from tests.golden.recording import Recording, fixture
from tests.golden.sampling import Margin, Samplers, modes_for_samples
from tests.golden.tiny import ACTIONS, BLOCKS, CLASSES, DETER, EMBED, HIDDEN, LATENT, STOCH, categories, leaf


def agent() -> Any:
    return importlib.import_module("sheeprl.algos.dreamer_v3_5.agent")


def mode_of_rssm() -> Samplers:
    """The reference's own sampler of latents, as the mode with the same straight-through gradient."""

    def make(margin: Margin) -> Any:
        def draw(logits: Tensor) -> Tensor:
            probs = logits.softmax(-1)
            sample: Tensor = margin.mode(probs) + probs - probs.detach()
            return sample.flatten(-2)

        return staticmethod(draw)

    return {"sample": (agent().RSSM, make)}


@fixture
def nature_block_linear(record: Recording) -> None:
    """Block-diagonal linear layer: weight (blocks, in / blocks, out / blocks), contiguous groups."""
    layer, x = agent().BlockLinear(8, 12, 4), leaf(3, 8)
    perturb(layer)
    record.settings.update(in_features=8, out_features=12, blocks=4)
    _record(record, layer, {"x": x}, lambda: {"y": layer(x)})


@fixture
def nature_rms_norm(record: Recording) -> None:
    """RMSNorm over the last dimension, with a tiny row where eps matters."""
    norm, x = agent().RMSNorm(6), leaf(4, 6)
    with torch.no_grad():
        x[0] *= 1e-2
    perturb(norm)
    record.settings.update(eps=1e-4)
    _record(record, norm, {"x": x}, lambda: {"y": norm(x)})


@fixture
def nature_rms_norm_channels(record: Recording) -> None:
    """RMSNorm over the channels of images (N, C, H, W)."""
    norm, x = agent().RMSNorm(6, channels_first=True), leaf(2, 6, 3, 3)
    perturb(norm)
    record.settings.update(eps=1e-4)
    _record(record, norm, {"x": x}, lambda: {"y": norm(x)})


@fixture
def nature_recurrent_model(record: Recording) -> None:
    """One step of the block GRU; some actions exceed 1 and are divided by their magnitude (no gradient through it)."""
    _recurrent(record, layers=1)


@fixture
def nature_recurrent_model_deep(record: Recording) -> None:
    """The same with two block-diagonal layers before the gates."""
    _recurrent(record, layers=2)


def _recurrent(record: Recording, layers: int) -> None:
    model = agent().RecurrentModel(DETER, STOCH * CLASSES, ACTIONS, HIDDEN, blocks=BLOCKS, dynamics_layers=layers)
    perturb(model)
    given = {"deter": leaf(3, DETER), "stoch": leaf(3, STOCH * CLASSES), "actions": leaf(3, ACTIONS, scale=2.0)}
    record.settings.update(blocks=BLOCKS, dynamics_layers=layers, hidden_size=HIDDEN)

    def outputs() -> dict[str, Tensor]:
        embedding = model(actions=given["actions"])
        return {"action_embedding": embedding, "deter": model(given["deter"], given["stoch"], embedding)}

    _record(record, model, given, outputs)


@fixture
def nature_representation_model(record: Recording) -> None:
    """The posterior's network: logits before unimix from the recurrent state and the embedded observation."""
    model = agent().RepresentationModel(DETER, EMBED, HIDDEN, STOCH * CLASSES, layers=1)
    perturb(model)
    given = {"deter": leaf(3, DETER), "embedded": leaf(3, EMBED)}

    def outputs() -> dict[str, Tensor]:
        projection = model(observations=given["embedded"])
        return {"projection": projection, "logits": model(given["deter"], projection)}

    _record(record, model, given, outputs)


def make_rssm() -> nn.Module:
    ref = agent()
    rssm: nn.Module = ref.RSSM(
        ref.RecurrentModel(DETER, STOCH * CLASSES, ACTIONS, HIDDEN, blocks=BLOCKS),
        ref.RepresentationModel(DETER, EMBED, HIDDEN, STOCH * CLASSES, layers=1),
        nn.Sequential(*ref.mlp(DETER, HIDDEN, 2), ref.Linear(HIDDEN, STOCH * CLASSES)),
        discrete=CLASSES,
        unimix=0.01,
    )
    perturb(rssm)
    return rssm


@fixture
def nature_rssm_dynamic(record: Recording) -> None:
    """One posterior step, one row of which starts an episode: recurrent state, posterior mode, log-probabilities,
    and the prior's log-probabilities of the new recurrent state."""
    rssm: Any = make_rssm()
    given = {"stoch": categories(1, 3, STOCH).flatten(-2).requires_grad_(), "deter": leaf(1, 3, DETER)}
    given |= {"actions": leaf(1, 3, ACTIONS), "embedded": leaf(1, 3, EMBED)}
    is_first = torch.tensor([0.0, 1.0, 0.0]).reshape(1, 3, 1)
    record.inputs(is_first=is_first)

    def outputs() -> dict[str, Tensor]:
        embedding = rssm.embed_actions(given["actions"] * (1 - is_first))
        projection = rssm.project_observations(given["embedded"])
        deter, stoch, logits = rssm.dynamic(given["stoch"], given["deter"], embedding, projection, is_first)
        return {"deter": deter, "stoch": stoch, "posterior_logits": logits, "prior_logits": rssm.prior_logits(deter)}

    record.settings.update(unimix=0.01, classes=CLASSES, blocks=BLOCKS)
    _record(record, rssm, given, outputs)


@fixture
def nature_rssm_imagination(record: Recording) -> None:
    """One prior step: recurrent state and the mode of its prior."""
    rssm: Any = make_rssm()
    given = {"stoch": categories(1, 3, STOCH).flatten(-2).requires_grad_(), "deter": leaf(1, 3, DETER)}
    given["actions"] = leaf(1, 3, ACTIONS)

    def outputs() -> dict[str, Tensor]:
        stoch, deter = rssm.imagination(given["stoch"], given["deter"], given["actions"])
        return {"stoch": stoch, "deter": deter}

    record.settings.update(unimix=0.01, classes=CLASSES, blocks=BLOCKS)
    _record(record, rssm, given, outputs)


@fixture
def nature_mlp_encoder(record: Recording) -> None:
    """Vector encoder of two keys: symlog of each, concatenated."""
    encoder = agent().MLPEncoder(["a", "b"], [5, 2], mlp_layers=3, dense_units=HIDDEN)
    perturb(encoder)
    given = {"a": leaf(4, 3, 5, scale=20.0), "b": leaf(4, 3, 2)}
    _record(record, encoder, given, lambda: {"embedded": encoder(given)})


@fixture
def nature_mlp_decoder(record: Recording) -> None:
    """Vector decoder of two keys; it predicts the symlog."""
    decoder = agent().MLPDecoder(["a", "b"], [5, 2], LATENT, mlp_layers=3, dense_units=HIDDEN)
    perturb(decoder)
    latent = leaf(4, 3, LATENT)
    _record(record, decoder, {"latent": latent}, lambda: decoder(latent))


@fixture
def nature_cnn_encoder(record: Recording) -> None:
    """Image encoder on uint8 images, fed x / 255 - 0.5: convolution, max-pool, norm, activation."""
    encoder = agent().CNNEncoder(["rgb"], [3], (64, 64), channels_multiplier=2)
    perturb(encoder)
    images = torch.randint(256, (2, 1, 3, 64, 64), dtype=torch.uint8)
    record.inputs(images=images)
    record.settings.update(channels_multiplier=2, stages=[2, 3, 4, 4], kernel_size=5)
    _record(record, encoder, {}, lambda: {"embedded": encoder({"rgb": images.float() / 255 - 0.5})})


@fixture
def nature_cnn_decoder(record: Recording) -> None:
    """Image decoder in [0, 1] whose first maps come from block_space groups of the recurrent state."""
    _cnn_decoder(record, block_space=4)


@fixture
def nature_cnn_decoder_dense(record: Recording) -> None:
    """Image decoder with block_space 0: one linear layer from the whole latent state."""
    _cnn_decoder(record, block_space=0)


def _cnn_decoder(record: Recording, block_space: int) -> None:
    stoch = STOCH * CLASSES
    decoder = agent().CNNDecoder(["rgb"], [3], 2, stoch, DETER, (64, 64), block_space=block_space, dense_units=HIDDEN)
    perturb(decoder)
    latent = leaf(1, 1, LATENT)
    record.settings.update(channels_multiplier=2, stages=[2, 3, 4, 4], kernel_size=5, block_space=block_space)
    _record(record, decoder, {"latent": latent}, lambda: {"images": decoder(latent)["rgb"]})


@fixture
def nature_actor_discrete(record: Recording) -> None:
    """Discrete actor without unimix, as the official code: log-probabilities of every action, entropy, mode, and the
    log-probability of the given actions."""
    _actor(record, [ACTIONS], continuous=False, unimix=0.0)


@fixture
def nature_actor_unimix(record: Recording) -> None:
    """Discrete actor with 1 % of uniform mixed in, as in the paper."""
    _actor(record, [ACTIONS], continuous=False, unimix=0.01)


@fixture
def nature_actor_multi_discrete(record: Recording) -> None:
    """Two discrete heads of 3 and 2 actions; log_prob and entropy are per head, in the last dimension."""
    _actor(record, [3, 2], continuous=False, unimix=0.01)


@fixture
def nature_actor_continuous(record: Recording) -> None:
    """Bounded normal: mean tanh, std in [0.1, 1]; given actions reach beyond 1."""
    _actor(record, [2], continuous=True, unimix=0.0)


def _actor(record: Recording, sizes: list[int], *, continuous: bool, unimix: float) -> None:
    actor = agent().Actor(LATENT, sizes, continuous, dense_units=HIDDEN, mlp_layers=3, unimix=unimix)
    perturb(actor, scale=0.3)
    latent = leaf(4, 3, LATENT)
    given = [torch.randn(4, 3, 2)] if continuous else [categories(4, 3, classes=size) for size in sizes]
    record.settings.update(sizes=sizes, continuous=continuous, unimix=unimix, min_std=0.1, max_std=1.0)
    record.inputs(actions=torch.cat(given, -1))

    def outputs() -> dict[str, Tensor]:
        heads = actor.distributions(latent)
        log_probs = [head.log_prob(action) for head, action in zip(heads, given, strict=True)]
        out = {"log_prob": torch.stack(log_probs, -1), "entropy": torch.stack([h.entropy() for h in heads], -1)}
        if continuous:
            return out | {"mean": heads[0].base_dist.loc, "std": heads[0].base_dist.scale}
        return out | {f"log_probs_{i}": head.logits for i, head in enumerate(heads)}

    with modes_for_samples() as margin:
        mode = torch.cat(actor(latent, greedy=True)[0], -1)
    _record(record, actor, {"latent": latent}, outputs)
    record.outputs(mode=mode)
    record.settings["smallest_mode_margin"] = margin.smallest


def _record(record: Recording, module: nn.Module, given: dict[str, Tensor], outputs: Any) -> None:
    record_module(record, module, given, outputs, mode_of_rssm())
