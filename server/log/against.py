"""What a seed group changed, and against what: its parent, what most groups have, or its own preset."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from server.log.changes import Flat, changes, common, flat
from server.log.memory import Remembered
from server.log.out import Against, Change, Changed
from server.pages import config_table
from server.runs import manifests
from server.tables import Run, RunKind

_MOST_CHANGES = 40
_LOOK_AT_A_RUN = (RunKind.EVAL, RunKind.VIZ)  # and take its config


def changed(session: Session, memory: Remembered[Flat], groups: Sequence[Sequence[Run]]) -> list[Changed]:
    firsts, parents = [runs[0] for runs in groups], [_parent(runs) for runs in groups]
    configs = _configs(session, memory, {run.id for run in firsts} | {parent for parent in parents if parent})
    usual = common([configs[run.id] for run in firsts if run.kind not in _LOOK_AT_A_RUN])
    return [
        _against(run, configs[run.id], usual, parent, configs.get(parent or ""))
        for run, parent in zip(firsts, parents, strict=True)
    ]


def _against(run: Run, own: Flat, usual: Flat, parent: str | None, before: Flat | None) -> Changed:
    if run.kind in _LOOK_AT_A_RUN:
        return _of("nothing", run, own, [], parent)
    if before is not None:
        return _of("parent", run, own, changes(before, own), parent)
    if not own.keys() & usual.keys():  # another trainer's words for everything
        return _of("nothing", run, own, [])
    if found := changes(usual, own):
        return _of("common", run, own, found)
    if not config_table.is_known(run.preset):
        return _of("nothing", run, own, [])
    settings = config_table.differences({key: own[key] for key in own if key != "commit"}, run.preset)
    return _of("preset", run, own, [Change(key=each.key, before=each.preset, after=each.value) for each in settings])


def _of(against: Against, run: Run, own: Flat, found: Sequence[Change], parent: str | None = None) -> Changed:
    return Changed(
        against=against,
        run_id=parent,
        preset=run.preset,
        commit=own.get("commit"),
        changes=list(found[:_MOST_CHANGES]),
        left_out=max(0, len(found) - _MOST_CHANGES),
    )


def _parent(runs: Sequence[Run]) -> str | None:
    """The first that is none of the group: more seeds are cloned from the group itself."""
    own = {run.id for run in runs}
    return next((run.parent_id for run in runs if run.parent_id and run.parent_id not in own), None)


def _configs(session: Session, memory: Remembered[Flat], ids: set[str]) -> dict[str, Flat]:
    """They are long: they are read again only where their rows have changed."""
    rows = session.exec(select(Run.id, Run.version).where(col(Run.id).in_(ids)))
    versions = {run_id: version for run_id, version in rows}  # noqa: C416 - a row is no pair to mypy
    known = memory.recall(versions)
    if versions.keys() <= known.keys():
        return known
    query = select(Run.id, Run.config, Run.commit, Run.manifest).where(col(Run.id).in_(versions.keys() - known.keys()))
    new = {run_id: flat(config, _commit(commit, manifest)) for run_id, config, commit, manifest in session.exec(query)}
    memory.keep(versions, new)
    return known | new


def _commit(asked: str | None, manifest: Mapping[str, Any] | None) -> str | None:
    """What really ran, where the run says so."""
    found = manifests.source_commit(manifest) or asked
    dirty = " with changes" if manifests.is_dirty(manifest) else ""
    return f"{found[:10]}{dirty}" if found else None
