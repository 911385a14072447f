"""Fixtures of the pure functions of the `sheeprl` reference: squashing, two-hot, distributions, losses, returns."""

import importlib
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Independent

from tests.golden.capture import LoneProcess
from tests.golden.recording import Recording, fixture
from tests.golden.tiny import CLASSES, STOCH, leaf

# Zero, one, between bins, tiny, huge, and beyond both ends of the bins (symexp(20) is 4.85e8).
VALUES = (0.0, 1.0, -1.0, 0.3, -0.07, 12.5, -340.0, 1e-6, 4.2e8, -4.8e8, 1e9, -1e10)


def utils() -> Any:
    return importlib.import_module("sheeprl.utils.utils")


def distribution(name: str) -> Any:
    return getattr(importlib.import_module("sheeprl.utils.distribution"), name)


@fixture
def sheeprl_symlog(record: Recording) -> None:
    """symlog, and symexp back from it."""
    x = torch.tensor(VALUES).requires_grad_()
    squashed = utils().symlog(x)
    squashed.sum().backward()
    record.inputs(x=x)
    record.outputs(symlog=squashed, symexp=utils().symexp(squashed))
    record.input_grads(x=x)


@fixture
def sheeprl_two_hot_encoder(record: Recording) -> None:
    """two_hot_encoder and two_hot_decoder on a linear support of -20..20: 41 buckets (one per integer) and 255."""
    x = torch.tensor([0.0, 1.0, -1.0, 0.3, -19.99, 7.5, 20.0, -20.0, 33.0, -1e4])[:, None]
    record.settings.update(support_range=20)
    record.inputs(x=x)
    for buckets in (41, 255):
        encoded = utils().two_hot_encoder(x, 20, buckets)
        record.outputs(**{f"encoded_{buckets}": encoded, f"decoded_{buckets}": utils().two_hot_decoder(encoded, 20)})


@fixture
def sheeprl_two_hot_distribution(record: Recording) -> None:
    """TwoHotEncodingDistribution: the exact bins (symlog space), mean and log_prob of raw values; the last three rows
    of in.value are symexp of a bin. `flat_mean` is the mean of all-zero logits."""
    make = distribution("TwoHotEncodingDistribution")
    bins = make(torch.zeros(1, 255), dims=1).bins
    value = torch.cat([torch.tensor(VALUES), utils().symexp(bins[[3, 127, 200]])])[:, None]
    logits = leaf(len(value), 255, scale=2.0)
    two_hot = make(logits, dims=1)
    log_prob = two_hot.log_prob(value)
    log_prob.sum().backward()
    record.inputs(logits=logits, value=value)
    record.outputs(bins=bins, mean=two_hot.mean, log_prob=log_prob, flat_mean=make(torch.zeros(2, 255), dims=1).mean)
    record.input_grads(logits=logits)


@fixture
def sheeprl_symlog_distribution(record: Recording) -> None:
    """SymlogDistribution over the last dimension: log_prob and mean; one error is below its tolerance and becomes 0."""
    prediction, value = leaf(4, 3, 5), 50 * torch.randn(4, 3, 5)
    with torch.no_grad():
        prediction[0, 0, 0] = utils().symlog(value[0, 0, 0]) + 5e-5
    dist = distribution("SymlogDistribution")(prediction, dims=1)
    log_prob = dist.log_prob(value)
    log_prob.sum().backward()
    record.inputs(prediction=prediction, value=value)
    record.outputs(log_prob=log_prob, mean=dist.mean)
    record.input_grads(prediction=prediction)


@fixture
def sheeprl_mse_distribution(record: Recording) -> None:
    """MSEDistribution over the last three dimensions (images)."""
    prediction, value = leaf(4, 3, 2, 4, 4), torch.rand(4, 3, 2, 4, 4) - 0.5
    log_prob = distribution("MSEDistribution")(prediction, dims=3).log_prob(value)
    log_prob.sum().backward()
    record.inputs(prediction=prediction, value=value)
    record.outputs(log_prob=log_prob)
    record.input_grads(prediction=prediction)


@fixture
def sheeprl_bernoulli(record: Recording) -> None:
    """BernoulliSafeMode: log_prob of 0 and 1, and the mode, which is 0 at exactly one half."""
    logits = torch.tensor([0.0, 1e-3, -1e-3, 2.0, -3.0, 30.0])[:, None].requires_grad_()
    value = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0, 1.0])[:, None]
    dist = Independent(distribution("BernoulliSafeMode")(logits=logits, validate_args=False), 1)
    log_prob = dist.log_prob(value)
    log_prob.sum().backward()
    record.inputs(logits=logits, value=value)
    record.outputs(log_prob=log_prob, mode=dist.mode)
    record.input_grads(logits=logits)


@fixture
def sheeprl_reconstruction_loss(record: Recording) -> None:
    """reconstruction_loss: its six scalars, in its order, and its gradients. Some KLs are below one free nat."""
    agent = importlib.import_module("sheeprl.algos.dreamer_v3.loss")
    given = {"priors_logits": leaf(4, 3, STOCH, CLASSES), "posteriors_logits": leaf(4, 3, STOCH, CLASSES)}
    given |= {"images": leaf(4, 3, 1, 4, 4), "vectors": leaf(4, 3, 5), "reward_logits": leaf(4, 3, 41)}
    given["continue_logits"] = leaf(4, 3, 1)
    targets = {"rgb": torch.rand(4, 3, 1, 4, 4) - 0.5, "state": 5 * torch.randn(4, 3, 5)}
    rewards, continues = 3 * torch.randn(4, 3, 1), (torch.rand(4, 3, 1) > 0.3).float()
    po = {"rgb": distribution("MSEDistribution")(given["images"], dims=3)}
    po["state"] = distribution("SymlogDistribution")(given["vectors"], dims=1)
    losses = agent.reconstruction_loss(
        po,
        targets,
        distribution("TwoHotEncodingDistribution")(given["reward_logits"], dims=1),
        rewards,
        given["priors_logits"],
        given["posteriors_logits"],
        kl_dynamic=0.5,
        kl_representation=0.1,
        kl_free_nats=2.0,
        kl_regularizer=0.9,
        pc=Independent(distribution("BernoulliSafeMode")(logits=given["continue_logits"]), 1),
        continue_targets=continues,
        continue_scale_factor=1.3,
    )
    losses[0].backward()
    record.settings.update(kl_dynamic=0.5, kl_representation=0.1, kl_free_nats=2.0, kl_regularizer=0.9)
    record.settings.update(continue_scale_factor=1.3)
    record.inputs(**given, **{f"target_{k}": v for k, v in targets.items()}, rewards=rewards, continues=continues)
    names = ("loss", "kl", "state_loss", "reward_loss", "observation_loss", "continue_loss")
    record.outputs(**dict(zip(names, losses, strict=True)))
    record.input_grads(**given)


@fixture
def sheeprl_lambda_values(record: Recording) -> None:
    """compute_lambda_values with an end (continue 0) inside; continues already hold the discount."""
    compute = importlib.import_module("sheeprl.algos.dreamer_v3.utils").compute_lambda_values
    rewards, values = leaf(5, 4, 1), leaf(5, 4, 1, scale=3.0)
    continues = torch.full((5, 4, 1), 1 - 1 / 333)
    continues[2, 1] = continues[4, 3] = 0
    out = compute(rewards, values, continues, lmbda=0.95)
    out.sum().backward()
    record.settings.update(lmbda=0.95)
    record.inputs(rewards=rewards, values=values, continues=continues)
    record.outputs(lambda_values=out)
    record.input_grads(rewards=rewards, values=values)


@fixture
def sheeprl_moments(record: Recording) -> None:
    """Three updates of the running return range; outputs are stacked over the calls."""
    moments = importlib.import_module("sheeprl.algos.dreamer_v3.utils").Moments(0.99, 1.0, 0.05, 0.95)
    returns = torch.stack([scale * torch.randn(3, 12, 1) + 1 for scale in (1.0, 80.0, 5.0)])
    calls = [(*moments(batch, LoneProcess()), moments.low.clone(), moments.high.clone()) for batch in returns]
    offset, invscale, low, high = (torch.stack(part) for part in zip(*calls, strict=True))
    record.settings.update(decay=0.99, max=1.0, low=0.05, high=0.95)
    record.inputs(returns=returns)
    record.outputs(offset=offset, invscale=invscale, low=low, high=high)


@fixture
def sheeprl_ratio(record: Recording) -> None:
    """Gradient steps for policy steps 4, 8, ... at four replay ratios (rows). `resumed`: saved after the 5th call and
    loaded into a new Ratio that goes on. `forgotten`: the new Ratio is not loaded, and bursts. `pretrained`: with 2
    pretrain steps."""
    steps, ratio = list(range(4, 44, 4)), utils().Ratio
    rows: dict[str, list[list[int]]] = {"straight": [], "resumed": [], "forgotten": [], "pretrained": []}
    for rate in (0.0625, 0.3, 1.0, 2.5):
        whole, first, second, third = ratio(rate), ratio(rate), ratio(0.0), ratio(rate)
        pretrained = ratio(rate, pretrain_steps=2)
        rows["straight"].append([whole(step) for step in steps])
        before = [first(step) for step in steps[:5]]
        second.load_state_dict(first.state_dict())
        rows["resumed"].append(before + [second(step) for step in steps[5:]])
        rows["forgotten"].append(before + [third(step) for step in steps[5:]])
        rows["pretrained"].append([pretrained(step) for step in steps])
    record.settings.update(ratios=[0.0625, 0.3, 1.0, 2.5])
    record.inputs(steps=torch.tensor(steps))
    record.outputs(**{name: torch.tensor(table) for name, table in rows.items()})


@fixture
def sheeprl_uniform_mix(record: Recording) -> None:
    """One percent of uniform mixed into the logits of latents (flat in, flat out) and of actions."""
    agent = importlib.import_module("sheeprl.algos.dreamer_v3.agent")
    latent, action = leaf(4, 3, STOCH * CLASSES, scale=4.0), leaf(4, 3, 3, scale=4.0)
    rssm, actor = _with_unimix(agent.RSSM, unimix=0.01, discrete=CLASSES), _with_unimix(agent.Actor, _unimix=0.01)
    record.settings.update(unimix=0.01, classes=CLASSES)
    record.inputs(latent=latent, action=action)
    mixed = {"latent": agent.RSSM._uniform_mix(rssm, latent), "action": agent.Actor._uniform_mix(actor, action)}
    record.energy_grads(mixed, {"latent": latent, "action": action})


def _with_unimix(kind: type[Any], **attributes: Any) -> Any:
    """An object on which the method can run that needs nothing else of its class."""
    bare: Any = object.__new__(kind)
    torch.nn.Module.__init__(bare)
    for name, value in attributes.items():
        setattr(bare, name, value)
    return bare


def stats(*weights: Tensor) -> tuple[Tensor, Tensor]:
    """Standard deviation and largest magnitude of each."""
    return torch.stack([w.std() for w in weights]), torch.stack([w.abs().max() for w in weights])
