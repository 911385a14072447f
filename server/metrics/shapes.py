"""What the routes of metrics take and give, as the API's documentation shows it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dreamer_core.metrics.jsonsafe import Word
from server.metrics.parse import MAX_KEY, MAX_KEYS, MAX_RECORDS

Number = float | Word

_RUN = "q7v3xk92mzpd"

# The body of an append is read by server.metrics.parse, quicker than by a model: this is only its description.
_VALUE: dict[str, Any] = {
    "type": ["number", "boolean", "string", "null"],
    "description": "a string: NaN, Infinity, -Infinity",
}
_OFFSET = {"type": "integer", "minimum": 0, "maximum": 2**53, "description": "number of the first record, from 0"}
_STEP = {"type": "integer", "minimum": 0, "maximum": 2**53}
_SECONDS = {"type": ["number", "null"], "minimum": 0}
_RECORD = {
    "type": "object",
    "required": ["env_steps"],
    "properties": {
        "env_steps": _STEP,
        "train_steps": {**_STEP, "type": ["integer", "null"]},
        "wall_time_s": _SECONDS,
    },
    "additionalProperties": _VALUE,
    "maxProperties": MAX_KEYS,
    "propertyNames": {"minLength": 1, "maxLength": MAX_KEY},
}
_COLUMNS = {
    "type": "object",
    "required": ["env_steps"],
    "properties": {"env_steps": {"type": "array", "items": _STEP, "maxItems": MAX_RECORDS}},
    "additionalProperties": {"type": "array", "items": _VALUE, "maxItems": MAX_RECORDS},
    "maxProperties": MAX_KEYS,
    "description": "all of equal length; null: this record has no such point",
}
APPEND_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [
                    {
                        "type": "object",
                        "required": ["offset", "records"],
                        "additionalProperties": False,
                        "properties": {
                            "offset": _OFFSET,
                            "records": {"type": "array", "items": _RECORD, "maxItems": MAX_RECORDS},
                        },
                    },
                    {
                        "type": "object",
                        "required": ["offset", "columns"],
                        "additionalProperties": False,
                        "properties": {"offset": _OFFSET, "columns": _COLUMNS},
                    },
                ]
            },
            "examples": {
                "records": {
                    "value": {
                        "offset": 120,
                        "records": [
                            {"env_steps": 9600, "train_steps": 600, "wall_time_s": 81.5, "train/loss/model": 0.31},
                            {"env_steps": 9680, "train_steps": 605, "wall_time_s": 82.1, "train/loss/model": "NaN"},
                        ],
                    }
                },
                "columns": {
                    "value": {
                        "offset": 120,
                        "columns": {"env_steps": [9600, 9680], "episode/return": [None, 212.0], "loss": [0.31, 0.3]},
                    }
                },
            },
        }
    },
}


class Appended(BaseModel):
    records: int = Field(description="how many the run has now", examples=[122])


class RecordList(BaseModel):
    first: int = Field(alias="from", description="number of the first of these")
    records: list[dict[str, Number]] = Field(
        description="as they were sent; perhaps fewer than were asked for, but never none where there are some",
        examples=[[{"env_steps": 9600, "train_steps": 600, "wall_time_s": 81.5, "train/loss/model": "NaN"}]],
    )
    total: int = Field(description="how many the run has")


class KeySummary(BaseModel):
    key: str = Field(examples=["train/loss/model"])
    points: int = Field(examples=[122])
    last: Number = Field(examples=[0.31])
    last_step: int = Field(description="env_steps of the last point", examples=[9680])
    min: float | None = Field(description="of the finite values; null if there is none", examples=[0.3])
    max: float | None = Field(examples=[4.7])
    non_finite: int = Field(description="how many are NaN or infinite", examples=[1])
    first_non_finite: int | None = Field(description="env_steps of the first of those", examples=[9680])


class KeyList(BaseModel):
    items: list[KeySummary]


class CurveOut(BaseModel):
    """One entry per bucket in each list. A bucket of one point has that point's value as last, min and max."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "run": _RUN,
                    "key": "train/loss/model",
                    "points": 192,
                    "x": [6400, 12800, 14000],
                    "last": [0.92, "NaN", 0.31],
                    "min": [0.9, 0.5, 0.3],
                    "max": [4.7, 17.5, 0.6],
                    "count": [80, 80, 32],
                    "non_finite": [0, 1, 0],
                }
            ]
        }
    )

    run: str
    key: str
    points: int = Field(description="in the range that was asked for, and in the buckets at its ends")
    x: list[float] = Field(description="where each bucket ends; exact")
    last: list[Number] = Field(description="to seven digits, like min and max: exports are exact")
    min: list[float | None] = Field(description="of the finite values; null if there is none")
    max: list[float | None]
    count: list[int] = Field(description="points of each bucket")
    non_finite: list[int] = Field(description="of them, how many are NaN or infinite")


class MissingCurve(BaseModel):
    run: str
    key: str


class CurveList(BaseModel):
    x: str
    curves: list[CurveOut]
    missing: list[MissingCurve] = Field(description="what has no points")


Axis = Literal["env_steps", "train_steps", "wall_time_s"]
Bound = Annotated[float | None, Field(allow_inf_nan=False, description="in units of `x`")]
MostBuckets = Annotated[
    int, Field(ge=10, le=5000, description="the most buckets of a curve; it has at least half as many")
]


class CurvesIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"runs": [_RUN], "keys": ["episode/return"], "points": 500}]}
    )

    runs: list[Annotated[str, Field(max_length=12)]] = Field(min_length=1, max_length=100)
    keys: list[Annotated[str, Field(max_length=MAX_KEY)]] = Field(min_length=1, max_length=50)
    points: MostBuckets = 1000
    from_step: Bound = None
    to_step: Bound = None
    x: Axis = "env_steps"
