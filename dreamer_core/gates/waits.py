"""From curves to waiting times: when each run first reached a level, or how long it went without."""

from collections.abc import Sequence

import numpy as np

from dreamer_core.gates.measure import first_reach
from dreamer_core.gates.series import Series
from dreamer_core.gates.survival import Waits


def waits_of(curves: Sequence[Series], level: float, *, higher: bool) -> Waits:
    """Every curve has at least one value, and says its steps."""
    firsts = [first_reach(curve, level, higher=higher) for curve in curves]
    times = [curve.steps[-1 if at is None else at] for curve, at in zip(curves, firsts, strict=True)]
    return Waits(times=np.array(times), reached=np.array([at is not None for at in firsts]))


def common_horizon(before: Waits, after: Waits) -> float:
    """As far as both sides were watched: a run that stops early may not make its own side look quick."""
    return float(min(_watched(before), _watched(after)))


def _watched(waits: Waits) -> float:
    """The last step at which any run was still waiting; without end if all of them arrived."""
    still = waits.times[~waits.reached]
    return float(still.max()) if len(still) else float(np.inf)
