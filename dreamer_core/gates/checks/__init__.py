"""The checks that a gate can be made of, by the word that stands for each in a gate's file."""

from dreamer_core.gates.check import Check
from dreamer_core.gates.checks.bounds import Ceiling, Floor
from dreamer_core.gates.checks.change_point import ChangePoint
from dreamer_core.gates.checks.entropy_gap import EntropyGap
from dreamer_core.gates.checks.finite import Finite
from dreamer_core.gates.checks.hold import Hold
from dreamer_core.gates.checks.improves import Improves
from dreamer_core.gates.checks.parity import Parity
from dreamer_core.gates.checks.replay_ratio import ReplayRatio
from dreamer_core.gates.checks.seeds_bootstrap import SeedsBootstrap
from dreamer_core.gates.checks.threshold_median import ThresholdMedian
from dreamer_core.gates.checks.throughput import Throughput
from dreamer_core.gates.checks.time_to_threshold import TimeToThreshold

CHECKS: dict[str, type[Check]] = {
    check.kind: check
    for check in (
        ThresholdMedian,
        Finite,
        EntropyGap,
        Improves,
        ReplayRatio,
        Floor,
        Ceiling,
        Hold,
        TimeToThreshold,
        SeedsBootstrap,
        Throughput,
        ChangePoint,
        Parity,
    )
}

__all__ = [
    "CHECKS",
    "Ceiling",
    "ChangePoint",
    "EntropyGap",
    "Finite",
    "Floor",
    "Hold",
    "Improves",
    "Parity",
    "ReplayRatio",
    "SeedsBootstrap",
    "ThresholdMedian",
    "Throughput",
    "TimeToThreshold",
]
