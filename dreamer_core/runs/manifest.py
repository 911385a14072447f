"""What a run is, where it came from and how it went: one file, true from the first second, also after a failure."""

import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from dreamer_core.config.identity import family, fingerprint
from dreamer_core.config.parse import from_mapping, to_mapping
from dreamer_core.config.tree import Config
from dreamer_core.errors import ConfigError, UsageError
from dreamer_core.metrics.jsonsafe import loads
from dreamer_core.runs.atomic import write_json
from dreamer_core.runs.capture import Capture, File, capture, describe_file
from dreamer_core.runs.facts import Runtime, Source, find_runtime, find_source
from dreamer_core.runs.folder import RunFolder

SCHEMA_VERSION = 1
Kind = Literal["train", "eval", "bench", "viz", "import"]
Status = Literal["running", "succeeded", "failed", "stopped", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    env_steps: int = 0
    train_steps: int = 0


@dataclass(frozen=True, kw_only=True)
class Score:
    score: float | None  # null where it was NaN or infinite
    step: int  # environment steps


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    metric: str = "mean_return"
    latest: Score | None = None
    best: Score | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    stop_reason: str | None = None
    error: str | None = None  # the first one: those that follow are often only its echo


@dataclass(frozen=True, kw_only=True)
class Artifacts:
    """The checkpoints that stand out; the hash is that of their checkpoint.json."""

    best: File | None = None
    last: File | None = None


@dataclass(frozen=True, kw_only=True)
class Resumption:
    """The run went on after it had ended like this."""

    at: str
    env_steps: int
    status: Status
    error: str | None = None
    commit: str | None = None  # of the code it had run until then


@dataclass(frozen=True, kw_only=True)
class Manifest:
    schema_version: int = SCHEMA_VERSION
    run_id: str
    trace_id: str
    kind: Kind
    status: Status
    created: str  # times are UTC, ISO 8601
    started: str  # of this attempt; a resumed run starts again
    finished: str | None
    updated: str
    duration_s: float  # of this attempt
    preset: str
    recipe: str
    mode: str
    seed: int
    family: str
    fingerprint: str
    source: Source
    config: File
    runtime: Runtime
    capture: Capture = field(default_factory=Capture)
    progress: Progress = field(default_factory=Progress)
    evaluation: Evaluation = field(default_factory=Evaluation)
    outcome: Outcome = field(default_factory=Outcome)
    artifacts: Artifacts = field(default_factory=Artifacts)
    resumed_from: tuple[Resumption, ...] = ()


def start_manifest(folder: RunFolder, config: Config, kind: Kind, *, device: str | None = None) -> Manifest:
    """The first manifest of a run. `device`: the name of what it computes on."""
    now, source = _now(), find_source()
    manifest = Manifest(
        run_id=folder.run_id,
        trace_id=uuid.uuid4().hex,
        kind=kind,
        status="running",
        created=now,
        started=now,
        finished=None,
        updated=now,
        duration_s=0.0,
        preset=config.preset,
        recipe=config.algo.recipe,
        mode=config.mode,
        seed=config.seed,
        family=family(config),
        fingerprint=fingerprint(config),
        source=source,
        config=_config_file(folder),
        runtime=find_runtime(config.run.threads, device),
        capture=capture(folder.path, source),
    )
    return _write(folder, manifest)


def update(
    folder: RunFolder,
    *,
    status: Status | None = None,
    env_steps: int | None = None,
    train_steps: int | None = None,
    latest_eval: tuple[float, int] | None = None,
    best_eval: tuple[float, int] | None = None,
    stop_reason: str | None = None,
    error: str | None = None,
) -> Manifest:
    """Change what is given, keep the rest. Scores come as (score, environment steps)."""
    old, now = read(folder), _now()
    progress, evaluation, outcome = old.progress, old.evaluation, old.outcome
    is_final = status is not None and status != "running"
    return _write(
        folder,
        replace(
            old,
            status=status or old.status,
            updated=now,
            finished=now if is_final else old.finished,
            duration_s=_seconds(old.started, now),
            progress=Progress(
                env_steps=progress.env_steps if env_steps is None else env_steps,
                train_steps=progress.train_steps if train_steps is None else train_steps,
            ),
            evaluation=replace(
                evaluation,
                latest=_score(latest_eval) or evaluation.latest,
                best=_score(best_eval) or evaluation.best,
            ),
            outcome=Outcome(stop_reason=stop_reason or outcome.stop_reason, error=outcome.error or error),
            artifacts=_artifacts(folder),
        ),
    )


def mark_resumed(folder: RunFolder, config: Config, *, env_steps: int, device: str | None = None) -> Manifest:
    """The run goes on from a checkpoint at `env_steps`, by `config`, perhaps on another machine by other code.

    How it had ended moves to its history.
    """
    write_json(folder.config, to_mapping(config))
    old, now, source = read(folder), _now(), find_source()
    past = Resumption(at=now, env_steps=env_steps, status=old.status, error=old.outcome.error, commit=old.source.commit)
    return _write(
        folder,
        replace(
            old,
            status="running",
            started=now,
            finished=None,
            updated=now,
            duration_s=0.0,
            outcome=Outcome(),
            family=family(config),
            fingerprint=fingerprint(config),
            config=_config_file(folder),
            source=source,
            runtime=find_runtime(config.run.threads, device),
            capture=capture(folder.path, source),
            resumed_from=(*old.resumed_from, past),
        ),
    )


def read(folder: RunFolder) -> Manifest:
    try:
        tree = loads(folder.manifest.read_bytes())
        seen = tree.get("schema_version")
        if not isinstance(seen, int) or seen > SCHEMA_VERSION:
            raise UsageError(
                f"{folder.manifest} has schema version {seen}, this Dreamgate reads up to {SCHEMA_VERSION}: "
                "use the version that wrote it, or a newer one"
            )
        return from_mapping(Manifest, tree)
    except FileNotFoundError:
        raise UsageError(f"{folder.path} has no {folder.manifest.name}: it is not the folder of a run") from None
    except (ValueError, AttributeError, TypeError, ConfigError) as error:
        raise UsageError(f"{folder.manifest} is damaged: {error}") from error


def _write(folder: RunFolder, manifest: Manifest) -> Manifest:
    write_json(folder.manifest, to_mapping(manifest))
    return manifest


def _config_file(folder: RunFolder) -> File:
    return describe_file(folder.config, folder.config.read_bytes())


def _artifacts(folder: RunFolder) -> Artifacts:
    return Artifacts(best=_pointed(folder, "best"), last=_pointed(folder, "last"))


def _pointed(folder: RunFolder, name: str) -> File | None:
    pointer = folder.checkpoints / f"{name}.json"
    try:
        found: Mapping[str, Any] = json.loads(pointer.read_bytes())
        return File(path=str(Path(folder.checkpoints.name) / found["path"]), sha256=found["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _score(found: tuple[float, int] | None) -> Score | None:
    if found is None:
        return None
    score, step = found
    return Score(score=score if math.isfinite(score) else None, step=step)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _seconds(start: str, end: str) -> float:
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
