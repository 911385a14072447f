"""A comparison as the API answers it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dreamer_core.gates.baseline import Band
from dreamer_core.gates.series import Floats
from dreamer_core.metrics.jsonsafe import word
from server.compare.bands import Shapes, at_equal_steps
from server.compare.comparison import Comparison
from server.compare.sides import Kind, Side
from server.compare.values import Value, Word
from server.metrics.series import number_or_none
from server.metrics.shapes import Number
from server.tables import Baseline

_EXAMPLE: dict[str, Any] = {
    "baseline": {"name": "cartpole", "version": 3, "seeds": 4, "flags": []},
    "window": "env steps 3000..4000",
    "threshold_pct": 0.15,
    "metrics": [{"key": "eval/mean_return", "direction": "higher", "baseline": 480.0}],
    "sides": [
        {
            "kind": "group",
            "id": "b6d81b360a56",
            "name": "horizon 10",
            "runs": ["q7v3xk92mzpd", "k3x9c2m5q7dw"],
            "seeds": 2,
            "is_running": False,
            "family": {"same": True, "differs": ""},
            "testbed": {"same": None, "differs": ""},
            "values": {
                "eval/mean_return": {
                    "median": 240.0,
                    "low": 230.0,
                    "high": 260.0,
                    "relative": -0.5,
                    "word": "worse",
                    "now_share": None,
                    "now_step": None,
                    "why": "",
                }
            },
        }
    ],
    "bands": [
        {
            "key": "eval/mean_return",
            "steps": [1000, 2000],
            "baseline": {"low": [117.5, 235.0], "middle": [120.0, 240.0], "high": [125.0, 250.0]},
            "sides": [{"low": [57.5, None], "middle": [60.0, None], "high": [65.0, None]}],
        }
    ],
}


class BesideOut(BaseModel):
    name: str
    version: int
    seeds: int
    flags: list[str] = Field(description="what is wrong with the baseline itself")


class ComparableOut(BaseModel):
    same: bool | None = Field(description="as the baseline's; null where it is not known")
    differs: str = Field(description="which field does, and how; empty where none does")


class ComparedMetric(BaseModel):
    key: str
    direction: Literal["lower", "higher", "info"] = Field(description="which is better")
    baseline: Number | None = Field(description="its median; null where it has none")


class ValueOut(BaseModel):
    """Of one side in one metric."""

    median: Number | None = Field(description="over runs, of each run's median over the window; null: `why` says why")
    low: Number | None = Field(description="the lowest run; null of a single run")
    high: Number | None
    relative: Number | None = Field(description="to the baseline, as a share: -0.5 is half of it")
    word: Word = Field(description="close: within the baseline's threshold; changed: neither way is better")
    now_share: float | None = Field(
        description="of a running side: its share of what the baseline's middle seed had at `now_step`"
    )
    now_step: float | None = Field(description="where it is, in env_steps")
    why: str = Field(description="why it is not comparable, or why there is no number")


class SideOut(BaseModel):
    kind: Kind
    id: str = Field(description="of the run, or the hash of the seed group")
    name: str
    runs: list[str] = Field(description="by seed")
    seeds: int = Field(description="how many; two runs of one seed count once")
    is_running: bool
    family: ComparableOut = Field(description="numbers of another family are not compared")
    testbed: ComparableOut = Field(description="speed on another testbed is not compared")
    values: dict[str, ValueOut]


class LineOut(BaseModel):
    """One entry for each of the steps; null where the side has nothing there."""

    low: list[float | None]
    middle: list[float | None]
    high: list[float | None]


class BandsOut(BaseModel):
    key: str
    steps: list[float]
    baseline: LineOut | None
    sides: list[LineOut | None] = Field(description="in the order of `sides`; null where there is nothing to draw")


class ComparisonOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    baseline: BesideOut | None
    window: str = Field(description="where the values come from: that of the baseline, else the last 25 records")
    threshold_pct: float | None = Field(description="the baseline's, a share: within it, a value is close")
    metrics: list[ComparedMetric]
    sides: list[SideOut] = Field(description="seed groups, then runs, in the order in which they were asked for")
    bands: list[BandsOut] = Field(description="one for each metric; none with points=0")


def comparison_out(found: Comparison, drawn: Mapping[str, Shapes], points: int) -> ComparisonOut:
    medians = found.medians
    return ComparisonOut(
        baseline=None if found.row is None else _beside(found.row),
        window=str(found.window),
        threshold_pct=None if found.baseline is None else found.baseline.threshold_pct,
        metrics=[
            ComparedMetric(key=key, direction=found.direction(key), baseline=_number(medians.get(key)))
            for key in found.keys
        ],
        sides=[_side(side, values) for side, values in found.sides],
        bands=[_bands(key, [shapes.baseline, *shapes.sides], points) for key, shapes in drawn.items()],
    )


def _beside(row: Baseline) -> BesideOut:
    return BesideOut(name=row.name, version=row.version, seeds=row.seeds, flags=row.flags)


def _side(side: Side, values: Mapping[str, Value]) -> SideOut:
    same = None if side.different_testbed is None else not side.different_testbed
    return SideOut(
        kind=side.kind,
        id=side.id,
        name=side.label,
        runs=[run.id for run in side.runs],
        seeds=side.seeds,
        is_running=side.is_running,
        family=ComparableOut(same=_same_family(side), differs=side.different_family),
        testbed=ComparableOut(same=same, differs=side.different_testbed or ""),
        values={key: _value(value) for key, value in values.items()},
    )


def _same_family(side: Side) -> bool | None:
    if side.different_family:
        return False
    return True if side.knows_family else None


def _value(value: Value) -> ValueOut:
    numbers = {name: _number(getattr(value, name)) for name in ("median", "low", "high", "relative")}
    return ValueOut(word=value.word, now_share=value.now_share, now_step=value.now_step, why=value.why, **numbers)


def _bands(key: str, shapes: Sequence[Band | None], points: int) -> BandsOut:
    steps, (before, *sides) = at_equal_steps(shapes, points)
    return BandsOut(key=key, steps=steps.tolist(), baseline=_line(before), sides=[_line(side) for side in sides])


def _line(band: Band | None) -> LineOut | None:
    if band is None:
        return None
    return LineOut(low=_floats(band.low), middle=_floats(band.middle), high=_floats(band.high))


def _floats(column: Floats) -> list[float | None]:
    return [number_or_none(value) for value in column.tolist()]


def _number(value: float | None) -> Any:
    return None if value is None else word(value) or value
