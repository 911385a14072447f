"""The log of an experiment, put together from what runs, metrics, gates and people left behind."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from server.clock import iso
from server.log import against, columns
from server.log.finals import Table, Values, Wanted, finals, find
from server.log.group import GroupRows, logged, primaries_of
from server.log.memory import Memory
from server.log.out import Changed, LoggedVerdict, LogOut
from server.log.state import state_of
from server.metrics import names
from server.metrics.batch import AXES
from server.runs import annotations, experiments
from server.runs.out import ExperimentRef
from server.runs.rows import LEAN
from server.tables import Baseline, Event, Experiment, GateResult, GateResultRun, Run, RunKind

MOST_GROUPS = 200
_MOST_RUNS = 2000
_MOST_VERDICTS = 20


def read_log(session: Session, memory: Memory, experiment_id: str, most_groups: int = MOST_GROUPS) -> LogOut:
    """The newest groups, in the order in which they began. Nobody may change it: others are given the same one."""
    experiment = experiments.get(session, experiment_id)
    name, state = f"{experiment_id} {most_groups}", state_of(session, experiment)
    known = memory.logs.recall({name: state}).get(name)
    if known is None:
        known = _read(session, memory, experiment, most_groups)
        memory.logs.keep({name: state}, {name: known})
    return known


def _read(session: Session, memory: Memory, experiment: Experiment, most_groups: int) -> LogOut:
    groups, left_out = _groups(session, experiment.id, most_groups)
    ids = [run.id for runs in groups for run in runs]
    table = _table(session, groups, ids)
    keys = [_keys(runs, table) for runs in groups]
    wanted = {run.id: _wanted(run, shown) for runs, shown in zip(groups, keys, strict=True) for run in runs}
    values = finals(session, memory.finals, table, wanted)
    changed = against.changed(session, memory.configs, groups)
    verdicts, remarks = _verdicts(session, ids), _remarks(session, ids)
    return LogOut(
        experiment=ExperimentRef(id=experiment.id, name=experiment.name),
        question=experiment.question,
        created_at=iso(experiment.created_at),
        groups=[
            logged(_rows(runs, shown, values, what, verdicts, remarks))
            for runs, shown, what in zip(groups, keys, changed, strict=True)
        ],
        left_out=left_out,
    )


def _groups(session: Session, experiment_id: str, most: int) -> tuple[list[list[Run]], int]:
    """Runs by seed group, each the oldest first; and how many groups are left out."""
    places = select(Run.seed_group, Run.id).where(Run.experiment_id == experiment_id, col(Run.deleted_at).is_(None))
    members: defaultdict[str, list[str]] = defaultdict(list)
    began = func.coalesce(Run.started_at, Run.created_at)  # an evaluation is put into the queue with its training
    for group, run_id in session.exec(places.order_by(began, col(Run.created_at), col(Run.id))):
        members[group].append(run_id)
    kept: list[list[str]] = []
    count = 0
    for ids in reversed(members.values()):
        count += len(ids)
        if len(kept) == most or (kept and count > _MOST_RUNS):
            break
        kept.append(ids[-_MOST_RUNS:])
    wanted = [run_id for ids in kept for run_id in ids]
    runs = {run.id: run for run in session.exec(select(Run).where(col(Run.id).in_(wanted)).options(*LEAN))}
    return [[runs[run_id] for run_id in ids] for ids in reversed(kept)], len(members) - len(kept)


def _keys(runs: Sequence[Run], table: Table) -> list[str]:
    has = {key for run in runs for key in table[run.id]} - set(AXES)
    return columns.chosen(primaries_of(runs), has)


def _wanted(run: Run, keys: Sequence[str]) -> Wanted:
    """The laps of a benchmark are all alike; of a training only its end counts."""
    return Wanted(keys, 1.0) if run.kind == RunKind.BENCH else Wanted(keys)


def _rows(
    runs: Sequence[Run],
    keys: Sequence[str],
    values: Mapping[str, Values],
    changed: Changed,
    verdicts: Mapping[str, Sequence[LoggedVerdict]],
    remarks: Mapping[str, Sequence[Event]],
) -> GroupRows:
    found = {verdict.id: verdict for run in runs for verdict in verdicts.get(run.id, ())}
    newest = sorted(found.values(), key=lambda verdict: (verdict.created_at, verdict.id), reverse=True)
    return GroupRows(
        runs=runs,
        changed=changed,
        keys=keys,
        values=values,
        verdicts=newest[:_MOST_VERDICTS],
        annotations=[event for run in runs for event in remarks.get(run.id, ())],
    )


def _table(session: Session, groups: Sequence[Sequence[Run]], ids: Sequence[str]) -> Table:
    """Which of the metrics that may be shown each run has."""
    connection = session.connection()
    wanted = {*columns.KEY_METRICS, *(key for runs in groups for key in primaries_of(runs))}
    table = find(connection, ids, sorted(wanted))
    foreign = [runs for runs in groups if not any(set(table[run.id]) - set(AXES) for run in runs)]
    own = names.by_run(connection, [runs[-1].id for runs in foreign])
    more = {key for keys in own.values() for key in columns.of_a_foreigner(keys - set(AXES))}
    return table | find(connection, [run.id for runs in foreign for run in runs], sorted(more)) if more else table


def _verdicts(session: Session, ids: Sequence[str]) -> dict[str, list[LoggedVerdict]]:
    """Of results that no rerun took the place of, by run."""
    query = (
        select(GateResultRun.run_id, GateResult, Baseline.name, Baseline.version)
        .join(GateResult, col(GateResult.id) == GateResultRun.result_id)
        .join(Baseline, col(Baseline.id) == GateResult.baseline_id, isouter=True)
        .where(col(GateResultRun.run_id).in_(ids), col(GateResult.is_final))
        .options(defer(col(GateResult.body)))  # type: ignore[arg-type]
    )
    found: defaultdict[str, list[LoggedVerdict]] = defaultdict(list)
    for run_id, row, name, version in session.exec(query):
        said = {each: getattr(row, each) for each in ("id", "gate", "gate_version", "verdict", "reason")}
        baseline = f"{name}@{version}" if name else None
        found[run_id].append(LoggedVerdict(**said, baseline=baseline, created_at=iso(row.created_at)))
    return found


def _remarks(session: Session, ids: Sequence[str]) -> dict[str, list[Event]]:
    found: defaultdict[str, list[Event]] = defaultdict(list)
    for event in annotations.of_runs(session, ids):
        found[event.run_id].append(event)
    return found
