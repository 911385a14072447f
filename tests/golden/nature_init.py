"""Fixtures of fresh weights of the `nature` reference: their spread, and which of them start at zero."""

import torch

from tests.golden.capture import record_fresh
from tests.golden.nature_agent import fresh
from tests.golden.nature_modules import agent
from tests.golden.recording import Recording, fixture
from tests.golden.tiny import PIXELS


@fixture
def nature_init(record: Recording) -> None:
    """Statistics of fresh weights, of layers of 512 units: std and largest magnitude of each kind of layer, to hold
    against settings.std (theory) and settings.bound (two standard deviations of the untruncated normal)."""
    ref = agent()
    layers = {
        "linear": (ref.Linear(512, 256), 512, 1.0),
        "conv": (ref.Conv2d(16, 64, 5), 16 * 25, 1.0),
        "block_linear": (ref.BlockLinear(512, 512, 8), 512, 1.0),
        "policy_head": (ref.Linear(512, 256, outscale=0.01), 512, 0.01),
        "zero_head": (ref.Linear(512, 255, outscale=0.0), 512, 0.0),
    }
    stats = [(layer.weight.std(), layer.weight.abs().max()) for layer, _, _ in layers.values()]
    stds, largest = (torch.stack(part) for part in zip(*stats, strict=True))
    record.settings.update(
        layers=list(layers),
        std=[scale / fan_in**0.5 for _, fan_in, scale in layers.values()],
        bound=[2 * scale / ref.TRUNCATED_NORMAL_STD / fan_in**0.5 for _, fan_in, scale in layers.values()],
    )
    record.outputs(std=stds, largest=largest)


@fixture
def nature_init_agent(record: Recording) -> None:
    """Which weights of a fresh agent (images and vectors) are all zero or all one, as lists of names in settings; and
    out.largest, the largest magnitude of every weight in the order of settings.names."""
    record_fresh(record, fresh(PIXELS).modules)
