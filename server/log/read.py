"""The log of an experiment, put together from what runs, metrics, gates and people left behind."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from server.clock import iso
from server.log import against, columns
from server.log.finals import Table, finals, find
from server.log.group import GroupRows, logged, primaries_of
from server.log.out import Changed, LoggedVerdict, LogOut
from server.metrics import names
from server.metrics.batch import AXES
from server.runs import annotations, experiments
from server.runs.out import ExperimentRef
from server.runs.rows import LEAN
from server.tables import Baseline, Event, GateResult, GateResultRun, Run

MOST_GROUPS = 200
_MOST_RUNS = 2000
_MOST_VERDICTS = 20


def read_log(session: Session, experiment_id: str, most_groups: int = MOST_GROUPS) -> LogOut:
    """The newest groups, in the order in which they began."""
    experiment = experiments.get(session, experiment_id)
    groups, left_out = _groups(session, experiment_id, most_groups)
    ids = [run.id for runs in groups for run in runs]
    table = _table(session, groups, ids)
    changed = against.changed(session, groups)
    verdicts, remarks = _verdicts(session, ids), _remarks(session, ids)
    return LogOut(
        experiment=ExperimentRef(id=experiment.id, name=experiment.name),
        question=experiment.question,
        created_at=iso(experiment.created_at),
        groups=[
            logged(_rows(session, runs, table, what, verdicts, remarks))
            for runs, what in zip(groups, changed, strict=True)
        ],
        left_out=left_out,
    )


def _groups(session: Session, experiment_id: str, most: int) -> tuple[list[list[Run]], int]:
    """Runs by seed group, each the oldest first; and how many groups are left out."""
    places = select(Run.seed_group, Run.id).where(Run.experiment_id == experiment_id, col(Run.deleted_at).is_(None))
    members: defaultdict[str, list[str]] = defaultdict(list)
    for group, run_id in session.exec(places.order_by(col(Run.created_at), col(Run.id))):
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


def _rows(
    session: Session,
    runs: Sequence[Run],
    table: Table,
    changed: Changed,
    verdicts: Mapping[str, Sequence[LoggedVerdict]],
    remarks: Mapping[str, Sequence[Event]],
) -> GroupRows:
    has = {key for run in runs for key in table[run.id]} - set(AXES)
    keys = columns.chosen(primaries_of(runs), has)
    found = {verdict.id: verdict for run in runs for verdict in verdicts.get(run.id, ())}
    newest = sorted(found.values(), key=lambda verdict: (verdict.created_at, verdict.id), reverse=True)
    return GroupRows(
        runs=runs,
        changed=changed,
        keys=keys,
        values={run.id: finals(session.connection(), run.id, table[run.id], keys) for run in runs},
        verdicts=newest[:_MOST_VERDICTS],
        annotations=[event for run in runs for event in remarks.get(run.id, ())],
    )


def _table(session: Session, groups: Sequence[Sequence[Run]], ids: Sequence[str]) -> Table:
    """Which of the metrics that may be shown each run has."""
    connection = session.connection()
    wanted = {*columns.KEY_METRICS, *(key for runs in groups for key in primaries_of(runs))}
    table = find(connection, ids, sorted(wanted))
    for runs in groups:
        if not any(set(table[run.id]) - set(AXES) for run in runs):
            own = set(names.of_run(connection, runs[-1].id).values()) - set(AXES)
            table |= find(connection, [run.id for run in runs], sorted(own))
    return table


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
