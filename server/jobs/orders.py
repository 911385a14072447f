"""What may be asked of a worker: a job to submit, or one like an earlier one with changes."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from dreamer_core.config.checks import MAX_SEED
from server.configs.resolve import Layer, Words
from server.errors import InvalidError
from server.jsonvalues import JsonObject
from server.refusals import in_words, known_beside
from server.runs.words import Id, Metric, Name, Prose, Tags

JobKind = Literal["train", "eval", "bench", "viz"]
Queue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,59}$")]
Priority = Annotated[int, Field(ge=-100, le=100)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Seeds = Annotated[list[Seed], Field(min_length=1, max_length=1000)]
Gpus = Annotated[int, Field(ge=0, le=64)]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{7,40}$")]
Which = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$")]
_Mib = Annotated[int, Field(ge=1, le=2**31)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CheckpointIn(_Strict):
    run: Id = Field(description="the run that wrote it", examples=["k3x9c2m5q7dw"])
    which: Which = Field(default="best", description="best, last, or the name of one")


class Limits(_Strict):
    """A job that meets one of them saves its state, stops, and says which."""

    rss_mib: _Mib | None = Field(default=None, description="memory of all its processes")
    disk_mib: _Mib | None = Field(default=None, description="of its folder")
    gpu_mib: _Mib | None = None
    seconds: Annotated[int, Field(ge=1, le=10 * 365 * 86400)] | None = Field(default=None, description="of an attempt")


class JobOptions(_Strict):
    """What a new job and one after another run have in common."""

    experiment: Name = Field(
        default="default",
        description="its name; made if there is none; absent, an eval or viz goes to that of its checkpoint's run",
    )
    name: Name | None = Field(default=None, description="absent: after the preset, or after the run it looks at")
    seeds: Seeds | None = Field(default=None, description="one job for each; absent: one job with the config's seed")
    queue: Queue = Field(default="auto", description="auto: gpu where a live worker serves it, cpu otherwise")
    priority: Priority = Field(default=0, description="higher first")
    gpus: Gpus | None = Field(default=None, description="absent: 1 in the queue gpu, 0 in others")
    tags: Tags = []
    hypothesis: Prose = Field(default="", description="change X → expect Y; fixed once the run starts, as the next two")
    primary_metric: Metric | None = Field(default=None, description="what decides about the hypothesis")
    stop_rule: Prose = Field(default="", description="when it is over, whatever the numbers are by then")
    notes: Prose = ""
    commit: Commit | None = Field(default=None, description="the code to run; absent: what the worker has installed")
    checkpoint: CheckpointIn | None = Field(default=None, description="needed by eval, viz and mode=dreamer")
    arguments: JsonObject = Field(
        default={},
        description="eval: episodes, greedy, seed; bench: updates, warmup, laps; viz: context, horizon, seed",
    )
    needs: Annotated[list[Id], Field(max_length=100, description="runs that must succeed before it starts")] = []
    limits: Limits = Limits()
    max_lost: Annotated[int, Field(ge=0, le=100, description="how many lost workers it may cost")] = 3


class JobIn(JobOptions):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "train", "words": ["preset=cartpole", "algo.horizon=10"], "seeds": [0, 1, 2]},
                {
                    "kind": "eval",
                    "checkpoint": {"run": "k3x9c2m5q7dw", "which": "best"},
                    "arguments": {"episodes": 100},
                },
            ]
        }
    )

    kind: JobKind
    words: Words = []
    config: Layer | None = None


class CloneIn(JobOptions):
    """What is not said is as it was: `JobOptions`' defaults do not count here."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"changes": ["algo.horizon=20"], "seeds": [0, 1, 2]}]})

    changes: Words = []


class EvalArguments(_Strict):
    episodes: Annotated[int, Field(ge=1, le=100_000)] = 20
    greedy: bool = False
    seed: Seed | None = None


class BenchArguments(_Strict):
    updates: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    warmup: Annotated[int, Field(ge=0, le=1_000_000)] = 5
    laps: Annotated[int, Field(ge=1, le=10_000)] | None = None  # left to the code that runs: older commits know none


class VizArguments(_Strict):
    context: Annotated[int, Field(ge=1, le=100_000)] = 5
    horizon: Annotated[int, Field(ge=1, le=100_000)] = 45
    seed: Seed = 0


_ARGUMENTS: dict[str, type[_Strict]] = {
    "train": _Strict,
    "eval": EvalArguments,
    "bench": BenchArguments,
    "viz": VizArguments,
}


def check_arguments(kind: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Those of this kind of job, whole; the same defaults as on the command line."""
    try:
        return _ARGUMENTS[kind].model_validate(arguments).model_dump(exclude_none=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(["arguments", *map(str, first["loc"])])
        words = in_words(first, known_beside(_ARGUMENTS[kind], first["loc"]))
        raise InvalidError(f"{where}: {words}", where=where, seen=first.get("input")) from None
