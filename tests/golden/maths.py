"""Small mathematics that our code has inside something larger, brought into the form of the fixtures."""

import torch
from torch import Tensor

from dreamer_core.config.model import MomentsConfig, PercentileConfig
from dreamer_core.models.moments import Moments
from dreamer_core.models.twohot import two_hot_weights
from dreamer_core.training.ratio import Ratio
from tests.golden.fixtures import Fixture

NO_CAP = 1_000_000


def dense_two_hot(targets: Tensor, bins: Tensor) -> Tensor:
    """The encoding (..., bins) that our loss never builds."""
    below, above, weight_above = (part[..., None] for part in two_hot_weights(targets, bins))
    dense = torch.zeros(*targets.shape, len(bins))
    return dense.scatter_add(-1, below, 1 - weight_above).scatter_add(-1, above, weight_above)


def follow_returns(golden: Fixture) -> dict[str, Tensor]:
    """The range of returns after each batch of them."""
    known = golden.settings
    percentile = PercentileConfig(low=known["low"], high=known["high"])
    moments = Moments(MomentsConfig(decay=known["decay"], max=known["max"], percentile=percentile))
    calls = [(*moments.update(batch), moments.low.clone(), moments.high.clone()) for batch in golden.inputs["returns"]]
    names = ("offset", "invscale", "low", "high")
    return {name: torch.stack(part) for name, part in zip(names, zip(*calls, strict=True), strict=True)}


def give_out(golden: Fixture) -> dict[str, Tensor]:
    """Updates per call at each replay ratio: straight on, resumed, resumed without its state, with pretraining."""
    steps: list[int] = golden.inputs["steps"].tolist()
    rows: dict[str, list[list[int]]] = {name: [] for name in golden.outputs}
    for rate in golden.settings["ratios"]:
        whole, first, second, third = (Ratio(rate, 0, NO_CAP) for _ in range(4))
        pretrained = Ratio(rate, 2, NO_CAP)
        before = [first(step) for step in steps[:5]]
        second.restore(first.state())
        found = {
            "straight": [whole(step) for step in steps],
            "resumed": before + [second(step) for step in steps[5:]],
            "forgotten": before + [third(step) for step in steps[5:]],
            "pretrained": [pretrained(step) for step in steps],
        }
        for name, row in rows.items():
            row.append(found[name])
    return {name: torch.tensor(table) for name, table in rows.items()}
