"""Fixtures of the single modules of the `sheeprl` reference: GRU, RSSM steps, encoders, decoders, actors, init."""

import importlib
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from tests.golden.capture import record_fresh, record_module
from tests.golden.perturb import perturb
from tests.golden.recording import Recording, fixture
from tests.golden.sampling import modes_for_samples
from tests.golden.sheeprl_agent import build, fresh
from tests.golden.sheeprl_maths import stats
from tests.golden.tiny import ACTIONS, CLASSES, DETER, DISCRETE, HIDDEN, LATENT, PIXELS, STOCH, categories, leaf


def agent() -> Any:
    return importlib.import_module("sheeprl.algos.dreamer_v3.agent")


def utils() -> Any:
    return importlib.import_module("sheeprl.algos.dreamer_v3.utils")


@fixture
def sheeprl_gru_cell(record: Recording) -> None:
    """LayerNormGRUCell: one linear layer on cat(state, input), LayerNorm over its 3 * 16 outputs, then the gates."""
    models = importlib.import_module("sheeprl.models.models")
    cell = models.LayerNormGRUCell(
        HIDDEN, DETER, bias=False, layer_norm_cls=models.LayerNorm, layer_norm_kw={"eps": 1e-3}
    )
    perturb(cell)
    given = {"input": leaf(3, HIDDEN), "deter": leaf(3, DETER)}
    record_module(record, cell, given, lambda: {"deter": cell(given["input"], given["deter"])})


@fixture
def sheeprl_recurrent_model(record: Recording) -> None:
    """RecurrentModel: one layer on cat(stoch, action), then the GRU cell."""
    model = agent().RecurrentModel(STOCH * CLASSES + ACTIONS, DETER, HIDDEN)
    perturb(model)
    given = {"stoch_action": leaf(1, 3, STOCH * CLASSES + ACTIONS), "deter": leaf(1, 3, DETER)}
    record_module(record, model, given, lambda: {"deter": model(given["stoch_action"], given["deter"])})


@fixture
def sheeprl_initial_states(record: Recording) -> None:
    """get_initial_states: tanh of the learned state, and the mode of its prior."""
    rssm = build(DISCRETE).world_model.rssm

    def outputs() -> dict[str, Tensor]:
        deter, stoch = rssm.get_initial_states((1, 2))
        return {"deter": deter, "stoch": stoch}

    record_module(record, rssm, {}, outputs)


@fixture
def sheeprl_rssm_dynamic(record: Recording) -> None:
    """RSSM.dynamic, the five values it returns, with one row of three starting an episode."""
    rssm = build(DISCRETE).world_model.rssm
    given = {"stoch": categories(1, 3, STOCH).requires_grad_(), "deter": leaf(1, 3, DETER)}
    given |= {"action": leaf(1, 3, ACTIONS), "embedded": leaf(1, 3, 8)}
    is_first = torch.tensor([0.0, 1.0, 0.0]).reshape(1, 3, 1)
    record.inputs(is_first=is_first)

    def outputs() -> dict[str, Tensor]:
        values = rssm.dynamic(*given.values(), is_first)
        return dict(zip(("deter", "posterior", "prior", "posterior_logits", "prior_logits"), values, strict=True))

    record.settings.update(unimix=0.01, classes=CLASSES)
    record_module(record, rssm, given, outputs)


@fixture
def sheeprl_observe(record: Recording) -> None:
    """Six steps of RSSM.dynamic from zeros as train() does them: is_first forced at row 0, actions shifted by one row
    with zeros first (in.actions are the unshifted ones), with resets inside."""
    rssm = build(DISCRETE).world_model.rssm
    given = {"embedded": leaf(6, 3, 8), "actions": leaf(6, 3, ACTIONS)}
    is_first = torch.zeros(6, 3, 1)
    is_first[3, 1] = is_first[5, 2] = 1
    record.inputs(is_first=is_first)

    def outputs() -> dict[str, Tensor]:
        forced = torch.cat([torch.ones_like(is_first[:1]), is_first[1:]])
        previous = torch.cat([torch.zeros_like(given["actions"][:1]), given["actions"][:-1]])
        deter, stoch = torch.zeros(1, 3, DETER), torch.zeros(1, 3, STOCH, CLASSES)
        steps = []
        for t in range(6):
            row = slice(t, t + 1)
            values = rssm.dynamic(stoch, deter, previous[row], given["embedded"][row], forced[row])
            deter, stoch = values[:2]
            steps.append((deter, stoch, values[3], values[4]))
        names = ("deter", "posterior", "posterior_logits", "prior_logits")
        return {name: torch.cat(part) for name, part in zip(names, zip(*steps, strict=True), strict=True)}

    record.settings.update(unimix=0.01, classes=CLASSES)
    record_module(record, rssm, given, outputs)


@fixture
def sheeprl_rssm_imagination(record: Recording) -> None:
    """One prior step: the mode of the prior, and the recurrent state."""
    rssm = build(DISCRETE).world_model.rssm
    given = {"stoch": categories(1, 3, STOCH).flatten(-2).requires_grad_(), "deter": leaf(1, 3, DETER)}
    given["action"] = leaf(1, 3, ACTIONS)

    def outputs() -> dict[str, Tensor]:
        prior, deter = rssm.imagination(*given.values())
        return {"prior": prior, "deter": deter}

    record.settings.update(unimix=0.01, classes=CLASSES)
    record_module(record, rssm, given, outputs)


@fixture
def sheeprl_mlp_encoder(record: Recording) -> None:
    """Vector encoder of two keys: symlog of each, concatenated."""
    encoder = agent().MLPEncoder(["a", "b"], [5, 2], mlp_layers=2, dense_units=HIDDEN)
    perturb(encoder)
    given = {"a": leaf(4, 3, 5, scale=20.0), "b": leaf(4, 3, 2)}
    record_module(record, encoder, given, lambda: {"embedded": encoder(given)})


@fixture
def sheeprl_mlp_decoder(record: Recording) -> None:
    """Vector decoder of two keys; it predicts the symlog."""
    decoder = agent().MLPDecoder(["a", "b"], [5, 2], LATENT, mlp_layers=2, dense_units=HIDDEN)
    perturb(decoder)
    latent = leaf(4, 3, LATENT)
    record_module(record, decoder, {"latent": latent}, lambda: decoder(latent))


@fixture
def sheeprl_cnn_encoder(record: Recording) -> None:
    """Image encoder on uint8 images, fed x / 255 - 0.5: convolution of stride 2, LayerNorm over channels, SiLU."""
    encoder = agent().CNNEncoder(["rgb"], [3], (64, 64), channels_multiplier=2)
    perturb(encoder)
    images = torch.randint(256, (2, 1, 3, 64, 64), dtype=torch.uint8)
    record.inputs(images=images)
    record.settings.update(channels_multiplier=2)
    record_module(record, encoder, {}, lambda: {"embedded": encoder({"rgb": images.float() / 255 - 0.5})})


@fixture
def sheeprl_cnn_decoder(record: Recording) -> None:
    """Image decoder: linear layer, then transposed convolutions; around 0, no sigmoid."""
    decoder = agent().CNNDecoder(["rgb"], [3], 2, LATENT, 8 * 2 * 16, (64, 64))
    perturb(decoder)
    latent = leaf(1, 1, LATENT)
    record.settings.update(channels_multiplier=2)
    record_module(record, decoder, {"latent": latent}, lambda: {"images": decoder(latent)["rgb"]})


@fixture
def sheeprl_actor_discrete(record: Recording) -> None:
    """Discrete actor with 1 % unimix: log-probabilities of every action, entropy, mode, log_prob of given actions."""
    _actor(record, [ACTIONS], continuous=False)


@fixture
def sheeprl_actor_multi_discrete(record: Recording) -> None:
    """Two discrete heads of 3 and 2 actions; log_prob and entropy are per head, in the last dimension."""
    _actor(record, [3, 2], continuous=False)


@fixture
def sheeprl_actor_continuous(record: Recording) -> None:
    """Scaled normal. max_std is 1 as build_agent leaves it. out.action is mean + std * in.noise after action_clip,
    with its gradient; some of it is clipped. out.mode is the clipped mean."""
    _actor(record, [2], continuous=True)


def _actor(record: Recording, sizes: list[int], *, continuous: bool) -> None:
    spread = {"init_std": 2.0, "min_std": 0.1}
    actor = agent().Actor(LATENT, sizes, continuous, {"type": "auto"}, dense_units=HIDDEN, mlp_layers=2, **spread)
    perturb(actor, scale=0.3)
    latent, noise = leaf(4, 3, LATENT), 2 * torch.randn(4, 3, 2)
    given = [torch.randn(4, 3, 2)] if continuous else [categories(4, 3, classes=size) for size in sizes]
    record.settings.update(sizes=sizes, continuous=continuous, unimix=0.01, action_clip=1.0, max_std=1.0, **spread)
    record.inputs(actions=torch.cat(given, -1))

    def outputs() -> dict[str, Tensor]:
        heads = actor(latent)[1]
        log_probs = [head.log_prob(action) for head, action in zip(heads, given, strict=True)]
        out = {"log_prob": torch.stack(log_probs, -1), "entropy": torch.stack([h.entropy() for h in heads], -1)}
        if not continuous:
            return out | {f"log_probs_{i}": head.logits for i, head in enumerate(heads)}
        with patch.object(Normal, "rsample", lambda self, shape=(): self.loc + self.scale * noise):
            action = actor(latent)[0][0]
        return out | {"mean": heads[0].base_dist.loc, "std": heads[0].base_dist.scale, "action": action}

    with modes_for_samples() as margin:
        mode = torch.cat(actor(latent)[0], -1)
    record_module(record, actor, {"latent": latent}, outputs)
    record.outputs(mode=mode)
    record.settings["smallest_mode_margin"] = margin.smallest
    if continuous:
        record.inputs(noise=noise)


@fixture
def sheeprl_init(record: Recording) -> None:
    """Statistics of init_weights on layers of a known size (std and largest magnitude, to hold against settings.std,
    the std that is asked for before truncation; `conv*` are hardly truncated: +-2, not +-2 std) and the bound of
    uniform_init_weights(1.0), which leaves transposed convolutions alone."""
    layers: dict[str, Any] = {"linear": nn.Linear(512, 256), "conv": nn.Conv2d(16, 64, 4)}
    layers["conv_transposed"] = nn.ConvTranspose2d(64, 16, 4)
    for layer in layers.values():
        layer.apply(utils().init_weights)
    layers["uniform_linear"] = nn.Linear(512, 256)
    before = layers["conv_transposed"].weight.clone()
    for name in ("conv_transposed", "uniform_linear"):
        layers[name].apply(utils().uniform_init_weights(1.0))
    if not torch.equal(before, layers["conv_transposed"].weight):
        raise ValueError("uniform_init_weights moved a transposed convolution; the note above is wrong")
    std, largest = stats(*(layer.weight for layer in layers.values()))
    asked = [(2 / fans) ** 0.5 / 0.87962566103423978 for fans in (512 + 256, 16 * (16 + 64), 16 * (16 + 64))]
    record.settings.update(layers=list(layers), std=asked, uniform_bound=(3 * 2 / (512 + 256)) ** 0.5)
    record.outputs(std=std, largest=largest)


@fixture
def sheeprl_init_agent(record: Recording) -> None:
    """Which weights of a fresh agent (images and vectors) are all zero or all one, as lists of names in settings; and
    out.largest, the largest magnitude of every weight in the order of settings.names."""
    record_fresh(record, fresh(PIXELS).modules)
