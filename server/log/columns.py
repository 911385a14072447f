"""Which metrics a result table shows, and each of them over the seeds."""

from collections.abc import Collection, Mapping, Sequence
from statistics import median

import numpy as np

from dreamer_core.gates.decide import MIN_SEEDS
from dreamer_core.gates.resample import statistic_of
from dreamer_core.metrics.names import METRICS
from server.log.out import Column, Summary
from server.metrics.series import number_or_none

# Of a training, an evaluation and a bench: what tells how it went, and whether it was healthy.
KEY_METRICS = (
    "eval/mean_return",
    "Rewards/rew_avg",
    "mean_return",
    "success_rate",
    "bench/updates_per_s",
    "Loss/world_model_loss",
    "State/kl",
    "action_entropy",
    "sps",
)
_MOST = 5
_MOST_FOREIGN = 3  # of a trainer that has none of these


def chosen(primaries: Sequence[str], has: Collection[str]) -> list[str]:
    """Primary metrics whether there is a number or not, then what else there is."""
    others = [key for key in KEY_METRICS if key in has] or of_a_foreigner(has)
    return list(dict.fromkeys([*primaries, *others]))[: max(_MOST, len(primaries))]


def of_a_foreigner(has: Collection[str]) -> list[str]:
    """Of a trainer that names its metrics otherwise."""
    return sorted(has)[:_MOST_FOREIGN]


def column(key: str, values: Sequence[float], *, is_primary: bool) -> Column:
    """`values`: one for each seed that has one."""
    known = METRICS.get(key)
    return Column(
        key=key,
        direction=known.direction if known else "info",
        unit=known.unit if known else "",
        is_primary=is_primary,
        summary=summarize(values),
    )


def summarize(values: Sequence[float]) -> Summary:
    finite = [value for value in values if np.isfinite(value)]
    return Summary(
        n=len(finite),
        not_finite=len(values) - len(finite),
        median=number_or_none(median(finite)) if finite else None,
        iqm=_iqm(finite) if len(finite) >= MIN_SEEDS else None,
        min=min(finite, default=None),
        max=max(finite, default=None),
    )


def _iqm(values: Sequence[float]) -> float | None:
    """None where even their sum is too large for a float."""
    with np.errstate(over="ignore"):
        return number_or_none(statistic_of([np.array(values)], "iqm"))


def newest_of_each_seed(seeds: Mapping[str, int | None]) -> set[str]:
    """Which runs count; `seeds` by run, the oldest first. Runs that do not say their seed all count."""
    newest = {seed: run_id for run_id, seed in seeds.items() if seed is not None}
    return {run_id for run_id, seed in seeds.items() if seed is None or newest[seed] == run_id}
