"""Which metrics a run's page shows, and where: the one that matters most, six on how learning goes, groups of the rest.

The order is the one in which somebody who trains asks: is it better? does the world model learn? the actor? how fast?
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dreamer_core.metrics.names import METRICS, Metric

HERO = ("eval/mean_return", "Rewards/rew_avg")
_OF_A_BENCH = "bench/updates_per_s"
MAIN = (
    "Rewards/rew_avg",
    "Loss/world_model_loss",
    "State/kl",
    "Loss/value_loss",
    "action_entropy",
    "sps",
)
# Where two keys of MAIN are missing (a foreign trainer, a mode without actor), the first keys of these groups stand in.
_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Evaluation", ("eval/",)),
    ("Episodes", ("Rewards/", "Game/", "episodes")),
    ("World model", ("Loss/world", "Loss/observation", "Loss/reward", "Loss/state", "Loss/continue", "State/")),
    ("Actor and critic", ("Loss/", "action_", "value_", "return_", "adv_", "ret_")),
    ("Gradients", ("Grads/",)),
    ("Speed", ("sps", "train_sps", "actor_ms", "learner_ms", "total_ms", "overlap_eff", "updates", "actor_updates")),
    ("Replay", ("replay_", "update_backlog", "committed_t", "commit_stride", "ready_", "min_ready_", "seq_len")),
    ("Schedule and surprise", ("train.", "wm.", "ac.")),
)
# What the others are drawn over, and not a curve of their own.
_AXES = {"env_steps", "train_steps", "opt_steps", "wall_time_s", "schema_version"}
_UNKNOWN = Metric("", "info")


@dataclass(frozen=True, kw_only=True)
class ShownMetric:
    """A key's summary and what its name means. Without points it is expected, and not here yet."""

    key: str
    points: int = 0
    last: float | str | None = None
    last_step: int | None = None
    min: float | None = None
    max: float | None = None
    non_finite: int = 0
    first_non_finite: int | None = None

    @property
    def meaning(self) -> str:
        return METRICS.get(self.key, _UNKNOWN).meaning

    @property
    def direction(self) -> str:
        return METRICS.get(self.key, _UNKNOWN).direction

    @property
    def unit(self) -> str:
        return METRICS.get(self.key, _UNKNOWN).unit


@dataclass(frozen=True, kw_only=True)
class MetricGroup:
    title: str
    metrics: list[ShownMetric]


@dataclass(frozen=True, kw_only=True)
class Board:
    hero: ShownMetric | None
    main: list[ShownMetric]
    groups: list[MetricGroup]

    @property
    def keys(self) -> list[str]:
        first = [self.hero] if self.hero else []
        return [metric.key for metric in [*first, *self.main, *(m for group in self.groups for m in group.metrics)]]


def arrange(found: Iterable[ShownMetric], *, primary: str | None, expected: Sequence[str]) -> Board:
    """`expected` keys get their place before their first point, so that nothing jumps when it comes."""
    known = {metric.key: metric for metric in found if metric.key not in _AXES}
    here = {**{key: ShownMetric(key=key) for key in expected if key not in known}, **known}
    if primary:
        here.setdefault(primary, ShownMetric(key=primary))
    ordered = _in_order(here)
    hero = next((here[key] for key in (primary, *HERO, _OF_A_BENCH, *ordered) if key in here), None)
    wanted = [key for key in (*MAIN, *ordered) if key in here and (hero is None or key != hero.key)]
    main = list(dict.fromkeys(wanted))[: len(MAIN)]
    shown = {*main, hero.key if hero else ""}
    rest = [key for key in ordered if key not in shown and here[key].points]
    return Board(hero=hero, main=[here[key] for key in main], groups=_grouped(rest, here))


def _in_order(keys: Iterable[str]) -> list[str]:
    titles = [title for title, _ in _GROUPS]

    def rank(key: str) -> tuple[int, str]:
        title = _title(key)
        return (titles.index(title) if title in titles else len(titles), key)

    return sorted(keys, key=rank)


def _grouped(keys: Sequence[str], here: Mapping[str, ShownMetric]) -> list[MetricGroup]:
    groups: dict[str, list[ShownMetric]] = {}
    for key in keys:
        groups.setdefault(_title(key), []).append(here[key])
    return [MetricGroup(title=title, metrics=metrics) for title, metrics in groups.items()]


def _title(key: str) -> str:
    """A group of ours, else the key's own prefix, as other trainers name theirs."""
    for title, beginnings in _GROUPS:
        if key in METRICS and key.startswith(beginnings):
            return title
    has_prefix = "/" in key or "." in key
    return (key.rpartition("/")[0] or key.partition(".")[0]) if has_prefix else "Other"
