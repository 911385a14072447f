"""A check as a sentence: what a gate asks, for whoever does not know its settings by heart."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dreamer_core.gates import gate_from_mapping
from dreamer_core.gates.check import Check
from dreamer_core.gates.checks import (
    Ceiling,
    ChangePoint,
    EntropyGap,
    Finite,
    Floor,
    Hold,
    Improves,
    Parity,
    ReplayRatio,
    SeedsBootstrap,
    ThresholdMedian,
    Throughput,
    TimeToThreshold,
)
from dreamer_core.gates.series import Window
from server.pages.formats import number

_MEASURES = {
    "window": "score in the baseline's window",
    "auc": "area under the curve",
    "steps_to": "steps to the level",
}


def sentences(checks: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The name of each check, and what it asks."""
    gate = gate_from_mapping({"name": "shown", "checks": [dict(check) for check in checks]})
    return [(check.name or check.kind, sentence(check)) for check in gate.checks]


def sentence(check: Check) -> str:
    said = _WORDS[type(check)](check)
    if check.skip:
        return f"{said} Not judged: {check.skip}."
    return said if check.required else f"{said} It only warns."


def _threshold_median(check: ThresholdMedian) -> str:
    keys = _keys(check.keys) if check.keys else "Every metric of the baseline"
    by = "its threshold" if check.threshold_pct is None else _percent(check.threshold_pct)
    way = "differs from" if check.two_sided else "is worse than"
    return f"{keys}: the median {way} the baseline's by no more than {by}{_last(check.window)}."


def _finite(check: Finite) -> str:
    return f"{_keys(check.keys)}: no NaN and no infinity, in {check.window}."


def _entropy_gap(check: EntropyGap) -> str:
    return (
        f"{check.post} and {check.prior} stay within {number(check.max_gap)} of each other after the first "
        f"{_percent(check.warm_up)} of the records, and not both below {number(check.dead_below)} nat."
    )


def _improves(check: Improves) -> str:
    where = "" if check.first_updates is None else f" within the first {check.first_updates:,} updates"
    return f"{check.key} gets better by {_percent(check.min_drop)}{where}, with a trend (p {number(check.p)})."


def _replay_ratio(check: ReplayRatio) -> str:
    target = "what the run was configured for" if check.target is None else number(check.target)
    return f"Updates per step are {target}, within {_percent(check.tolerance)}."


def _bound(check: Floor | Ceiling) -> str:
    asked = "at least" if check.sign > 0 else "at most"
    if check.strict:
        asked = "above" if check.sign > 0 else "below"
    who = "of every run" if check.across == "every" else "of the middle run"
    return f"{check.key}: the {check.of} {who} is {asked} {number(check.value)}, over {check.window}."


def _hold(check: Hold) -> str:
    by = "" if check.by_env_steps is None else f" by env step {number(check.by_env_steps)}"
    long = "" if check.for_env_steps is None else f" for {number(check.for_env_steps)} steps"
    which = "no evaluation" if check.quantile == 0 else f"all but {_percent(check.quantile)} of the evaluations do not"
    fall = "falls" if check.quantile == 0 else "fall"
    return (
        f"{check.key} reaches {number(check.level)}{by}; after that {which} {fall} short of {number(check.keep)}{long}."
    )


def _time_to_threshold(check: TimeToThreshold) -> str:
    if check.by_env_steps is not None:
        share = "Every run" if check.min_solved == 1 else f"{_percent(check.min_solved)} of the runs"
        reach = "reaches" if check.min_solved == 1 else "reach"
        return f"{share} {reach} {check.key} {number(check.level)} by env step {number(check.by_env_steps)}."
    return (
        f"{check.key} reaches {number(check.level)} no more than {_percent(check.margin_pct)} later than the "
        f"baseline's seeds do ({_percent(1 - check.alpha)} sure)."
    )


def _seeds_bootstrap(check: SeedsBootstrap) -> str:
    margin = _percent(check.margin_pct) if check.margin_pct else number(check.margin_abs)
    return (
        f"{_keys(check.keys)}, seeds against the baseline's seeds: the {_MEASURES[check.measure]} is surely "
        f"({_percent(1 - check.alpha)}) not worse by more than {margin}."
    )


def _throughput(check: Throughput) -> str:
    return (
        f"{_keys(check.keys)}: paired laps on the baseline's testbed are surely not slower by more than "
        f"{_percent(check.hard)}; beyond {_percent(check.soft)} it warns."
    )


def _change_point(check: ChangePoint) -> str:
    return f"{_keys(check.keys)}: over its history, no change of level in the last {check.recent} values."


def _parity(check: Parity) -> str:
    return f"Every comparison with {check.reference or 'the reference'} is within its tolerance."


_WORDS: Mapping[type[Check], Callable[[Any], str]] = {
    ThresholdMedian: _threshold_median,
    Finite: _finite,
    EntropyGap: _entropy_gap,
    Improves: _improves,
    ReplayRatio: _replay_ratio,
    Floor: _bound,
    Ceiling: _bound,
    Hold: _hold,
    TimeToThreshold: _time_to_threshold,
    SeedsBootstrap: _seeds_bootstrap,
    Throughput: _throughput,
    ChangePoint: _change_point,
    Parity: _parity,
}


def _keys(keys: Sequence[str]) -> str:
    return ", ".join(keys)


def _percent(share: float) -> str:
    return f"{number(share * 100)} %"


def _last(window: Window) -> str:
    return "" if window.last is None else f", over the last {window.last} records"
