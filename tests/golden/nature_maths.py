"""Fixtures of the pure functions of the `nature` reference: bins, losses, returns, scales, the optimizer."""

import importlib
from typing import Any

import torch
from torch import Tensor, nn

from tests.golden.capture import LoneProcess
from tests.golden.recording import Recording, fixture

# Zero, one, exactly on a bin, between bins, tiny, huge, and beyond both ends.
VALUES = (0.0, 1.0, -1.0, 0.3, -0.07, 12.5, -340.0, 1e-6, 4.2e8, -4.8e8, 1e9, -1e10)


def reference(name: str) -> Any:
    return importlib.import_module(f"sheeprl.algos.dreamer_v3_5.{name}")


@fixture
def nature_symexp_bins(record: Recording) -> None:
    """The bins of the two-hot distributions, for odd and even counts."""
    for count in (255, 41, 40):
        record.outputs(**{f"bins_{count}": reference("loss").symexp_bins(count)})


@fixture
def nature_two_hot(record: Recording) -> None:
    """TwoHot: bins, mean, encoding and loss of raw targets; the last three rows of targets are exactly on a bin.
    `flat_mean` is the mean of all-zero logits, exactly 0."""
    loss = reference("loss")
    bins = loss.symexp_bins(255)
    targets = torch.cat([torch.tensor(VALUES), bins[[3, 127, 200]]])
    logits = (2 * torch.randn(len(targets), 255)).requires_grad_()
    two_hot = loss.TwoHot(logits)
    record.inputs(logits=logits, targets=targets)
    losses = two_hot.loss(targets)
    losses.sum().backward()
    record.outputs(bins=bins, mean=two_hot.mean, encoded=two_hot.encode(targets), loss=losses)
    record.outputs(flat_mean=loss.TwoHot(torch.zeros(2, 255)).mean)
    record.input_grads(logits=logits)


@fixture
def nature_binary_loss(record: Recording) -> None:
    """Negative log-likelihood of hard and soft targets, at moderate and extreme logits."""
    logits = torch.tensor([0.0, 1.5, -2.0, 30.0, -30.0, 0.2, 90.0, -0.7]).requires_grad_()
    target = torch.tensor([1.0, 0.0, 1 - 1 / 333, 1.0, 1.0, 0.3, 0.0, 0.5])
    loss = reference("loss").binary_loss(logits, target)
    loss.sum().backward()
    record.inputs(logits=logits, target=target)
    record.outputs(loss=loss)
    record.input_grads(logits=logits)


@fixture
def nature_squared_errors(record: Recording) -> None:
    """symlog_mse over the last dimension (vectors) and mse over the last three (images)."""
    loss = reference("loss")
    vector = torch.randn(4, 3, 5).requires_grad_()
    image = torch.rand(4, 3, 2, 4, 4).requires_grad_()
    vector_target, image_target = 50 * torch.randn(4, 3, 5), torch.rand(4, 3, 2, 4, 4)
    vector_loss, image_loss = loss.symlog_mse(vector, vector_target, 1), loss.mse(image, image_target, 3)
    (vector_loss.sum() + image_loss.sum()).backward()
    record.inputs(vector=vector, vector_target=vector_target, image=image, image_target=image_target)
    record.outputs(vector_loss=vector_loss, image_loss=image_loss)
    record.input_grads(vector=vector, image=image)


@fixture
def nature_lambda_return(record: Recording) -> None:
    """lambda_return with episode ends (`last`) that do and do not terminate, and with soft terminals as imagined."""
    lambda_return = reference("loss").lambda_return
    last, terminal = torch.zeros(6, 4), torch.zeros(6, 4)
    last[2, 1] = last[3, 2] = last[5, 3] = 1
    terminal[2, 1] = terminal[5, 3] = 1
    soft = torch.rand(6, 4) * 0.2
    rewards, bootstrap = torch.randn(6, 4), 5 * torch.randn(6, 4)
    record.settings.update(discount=1 - 1 / 333, lmbda=0.95)
    record.inputs(last=last, terminal=terminal, soft_terminal=soft, rewards=rewards, bootstrap=bootstrap)
    record.outputs(
        replayed=lambda_return(last, terminal, rewards, bootstrap, 1 - 1 / 333, 0.95),
        imagined=lambda_return(torch.zeros(6, 4), soft, rewards, bootstrap, 1.0, 0.95),
    )


@fixture
def nature_moments(record: Recording) -> None:
    """Three updates of the running return range; outputs are stacked over the calls."""
    moments = reference("utils").Moments(0.99, 1.0, 0.05, 0.95)
    returns = torch.stack([scale * torch.randn(3, 12) + 1 for scale in (1.0, 80.0, 5.0)])
    calls = [(*moments(batch, LoneProcess()), moments.low.clone(), moments.high.clone()) for batch in returns]
    offset, invscale, low, high = (torch.stack(part) for part in zip(*calls, strict=True))
    record.settings.update(decay=0.99, max=1.0, low=0.05, high=0.95)
    record.inputs(returns=returns)
    record.outputs(offset=offset, invscale=invscale, low=low, high=high)


@fixture
def nature_laprop(record: Recording) -> None:
    """Twenty steps of LaProp with adaptive clipping and a warm-up of 5 steps (the first has learning rate 0).
    in.grad.* and out.* are stacked over the steps; `zero` starts at zero, below the clipping's floor."""
    _laprop(record, lr=1e-2, betas=(0.9, 0.999), eps=1e-20, agc=0.3, agc_pmin=1e-3, warmup=5, weight_decay=0.0)


@fixture
def nature_laprop_no_agc(record: Recording) -> None:
    """The same twenty steps without adaptive clipping and without warm-up."""
    _laprop(record, lr=1e-2, betas=(0.9, 0.999), eps=1e-20, agc=0.0, agc_pmin=1e-3, warmup=0, weight_decay=0.0)


def _laprop(record: Recording, **settings: Any) -> None:
    weights = {"matrix": torch.randn(6, 5), "vector": torch.randn(5), "zero": torch.zeros(3)}
    params = {name: nn.Parameter(value.clone()) for name, value in weights.items()}
    grads = {
        name: torch.randn(20, *value.shape) * torch.logspace(-2, 2, 20)[:, None]
        for name, value in (("vector", weights["vector"]), ("zero", weights["zero"]))
    }
    grads["matrix"] = torch.randn(20, 6, 5) * torch.logspace(2, -2, 20)[:, None, None]
    optimizer = reference("optim").LaProp(params.values(), **settings)
    steps: dict[str, list[Tensor]] = {name: [] for name in params}
    for step in range(20):
        for name, param in params.items():
            param.grad = grads[name][step].clone()
        optimizer.step()
        for name, param in params.items():
            steps[name].append(param.detach().clone())
    record.settings.update({key: list(v) if isinstance(v, tuple) else v for key, v in settings.items()})
    record.inputs(**weights, **{f"grad.{name}": value for name, value in grads.items()})
    record.outputs(**{name: torch.stack(values) for name, values in steps.items()})


@fixture
def nature_ratio(record: Recording) -> None:
    """Gradient steps for policy steps 4, 8, ... at four replay ratios (rows). `resumed`: saved after the 5th call and
    loaded into a new Ratio that goes on; the same numbers as if it had never stopped."""
    steps = list(range(4, 44, 4))
    ratio = importlib.import_module("sheeprl.utils.utils").Ratio
    straight, resumed = [], []
    for rate in (0.03125, 0.3, 1.0, 2.5):
        whole, first, second = ratio(rate), ratio(rate), ratio(0.0)
        straight.append([whole(step) for step in steps])
        before = [first(step) for step in steps[:5]]
        second.load_state_dict(first.state_dict())
        resumed.append(before + [second(step) for step in steps[5:]])
    record.settings.update(ratios=[0.03125, 0.3, 1.0, 2.5])
    record.inputs(steps=torch.tensor(steps))
    record.outputs(straight=torch.tensor(straight), resumed=torch.tensor(resumed))


@fixture
def nature_update_target_critic(record: Recording) -> None:
    """One move of the slow critic: (1 - tau) * slow + tau * critic."""
    critic, target = nn.Linear(4, 3), nn.Linear(4, 3)
    record.settings.update(tau=0.02)
    record.params(critic=critic, target_critic=target)
    reference("dreamer_v3_5").update_target_critic(critic, target, 0.02)
    record.after(target_critic=target)
