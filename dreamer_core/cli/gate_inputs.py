"""The files that gates judge: run folders, metrics.jsonl, summaries, and the benchmarks of other tools."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dreamer_core.config.parse import dotted_items
from dreamer_core.errors import UsageError
from dreamer_core.gates.foreign import foreign_group
from dreamer_core.gates.group import TESTBED, Facts, RunNumbers, SeedGroup
from dreamer_core.gates.records import run_from_records, run_from_summary
from dreamer_core.runs import manifest as manifests
from dreamer_core.runs.folder import RunFolder

_METRICS = "metrics.jsonl"


def read_group(paths: Sequence[Path]) -> SeedGroup:
    """Each path is one run, or a folder of run folders. All of them together are one seed group."""
    groups = [read_one(path) for path in _runs_below(paths)]
    kinds = sorted({group.input_kind for group in groups})
    if len(kinds) > 1:
        raise UsageError(f"--input mixes records over time (.jsonl) and summaries (.json): give {' or '.join(kinds)}")
    return SeedGroup(
        runs=tuple(run for group in groups for run in group.runs),
        input_kind=groups[0].input_kind,
        directions={key: way for group in groups for key, way in group.directions.items()},
        speed_keys=frozenset().union(*(group.speed_keys for group in groups)),
    )


def read_one(path: Path) -> SeedGroup:
    if path.is_dir():
        return SeedGroup(runs=(_read_records(path / _METRICS),))
    if path.suffix == ".jsonl":
        return SeedGroup(runs=(_read_records(path),))
    tree = read_object(path)
    found = foreign_group(tree, str(path))
    return found or SeedGroup(runs=(run_from_summary(tree, name=str(path)),), input_kind="json")


def read_object(path: Path) -> dict[str, Any]:
    """One JSON object. Bare NaN and Infinity are understood, because other tools write them."""
    try:
        tree = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}") from None
    if not isinstance(tree, dict):
        raise UsageError(f"{path} must hold one JSON object, got {type(tree).__name__}")
    return tree


def read_text(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text: {error}") from None


def _runs_below(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir() and not (path / _METRICS).is_file():
            below = sorted(run.parent for run in path.glob(f"*/{_METRICS}"))
            if not below:
                raise UsageError(f"{path} holds no {_METRICS}, and no folder of it does: give a run folder or a file")
            found += below
        else:
            found.append(path)
    return found


def _read_records(path: Path) -> RunNumbers:
    records = _records(path)
    folder = RunFolder(path.absolute().parent)
    if path.name != _METRICS or not folder.manifest.is_file():
        return run_from_records(records, name=str(path))
    manifest = manifests.read(folder)
    return run_from_records(records, name=manifest.run_id, seed=manifest.seed, facts=_facts(folder, manifest))


def _records(path: Path) -> list[Mapping[str, Any]]:
    """Every whole line. The last one is left out if it is still being written."""
    lines = [line for line in read_text(path).split("\n") if line.strip()]
    records: list[Mapping[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            records.append(record)
        elif number < len(lines):
            raise UsageError(f"{path} is damaged: line {number} is not a JSON object: {line[:80]!r}")
    return records


def _facts(folder: RunFolder, manifest: manifests.Manifest) -> Facts:
    machine = {name: getattr(manifest.runtime, name) for name in TESTBED}
    config = dotted_items(read_object(folder.config)) if folder.config.is_file() else {}
    checkpoint = manifest.artifacts.best or manifest.artifacts.last
    return Facts(
        family=manifest.family,
        fingerprint=manifest.fingerprint,
        preset=manifest.preset,
        recipe=manifest.recipe,
        env=str(config.get("env.id", "")),
        mode=manifest.mode,
        commit=manifest.source.commit or "",
        dirty=manifest.source.dirty,
        status=manifest.status,
        error=manifest.outcome.error or "",
        checkpoint_sha256=checkpoint.sha256 if checkpoint else "",
        config=config,
        testbed={name: str(value) for name, value in machine.items() if value is not None},
    )
