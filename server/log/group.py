"""One seed group of the log: its rows made into values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dreamer_core.metrics.jsonsafe import word
from server.clock import iso
from server.log.columns import column, newest_of_each_seed
from server.log.out import Annotation, Changed, LoggedGroup, LoggedRun, LoggedVerdict, Said, Value
from server.tables import Event, Run

_LONGEST_ERROR = 200


@dataclass(frozen=True, kw_only=True)
class GroupRows:
    """What is known of a group. `runs`: the oldest first."""

    runs: Sequence[Run]
    changed: Changed
    keys: Sequence[str]  # of its result table
    values: Mapping[str, Mapping[str, float]]  # by run and metric
    verdicts: Sequence[LoggedVerdict]
    annotations: Sequence[Event]


def primaries_of(runs: Sequence[Run]) -> list[str]:
    """The one that was said first is the group's; others are shown beside it."""
    return list(dict.fromkeys(run.primary_metric for run in runs if run.primary_metric))


def logged(rows: GroupRows) -> LoggedGroup:
    first, primaries = rows.runs[0], primaries_of(rows.runs)
    primary = primaries[0] if primaries else None
    counting = newest_of_each_seed({run.id: run.seed for run in rows.runs})
    counted = [rows.values.get(run_id, {}) for run_id in counting]
    return LoggedGroup(
        seed_group=first.seed_group,
        name=first.name,
        kind=first.kind,
        preset=first.preset,
        env=first.env,
        began_at=iso(first.created_at if first.started_at is None else first.started_at),
        changed=rows.changed,
        primary_metric=primary,
        **{name: said(rows.runs, name) for name in ("hypothesis", "stop_rule", "conclusion", "notes")},
        columns=[
            column(key, [found[key] for found in counted if key in found], is_primary=key == primary)
            for key in rows.keys
        ],
        runs=[_run(run, rows.values.get(run.id, {}), counts=run.id in counting) for run in _by_seed(rows.runs)],
        verdicts=list(rows.verdicts),
        annotations=[_annotation(event, rows.runs) for event in rows.annotations],
    )


def said(runs: Sequence[Run], column: str) -> list[Said]:
    """Each text once, with the seeds that say it where not all do."""
    who: dict[str, list[int | None]] = {}
    for run in runs:
        if text := getattr(run, column).strip():
            who.setdefault(text, []).append(run.seed)
    return [Said(text=text, seeds=None if len(seeds) == len(runs) else seeds) for text, seeds in who.items()]


def _by_seed(runs: Sequence[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: (run.seed is None, run.seed or 0, run.created_at, run.id))


def _run(run: Run, values: Mapping[str, float], *, counts: bool) -> LoggedRun:
    error = (run.error or "").strip().splitlines()
    return LoggedRun(
        id=run.id,
        seed=run.seed,
        state=run.state,
        error=error[0][:_LONGEST_ERROR] if error else None,
        counts=counts,
        env_steps=run.env_steps,
        train_steps=run.train_steps,
        created_at=iso(run.created_at),
        values={key: _value(value) for key, value in values.items()},
    )


def _value(value: float) -> Value:
    return word(value) or value


def _annotation(event: Event, runs: Sequence[Run]) -> Annotation:
    seed = next((run.seed for run in runs if run.id == event.run_id), None)
    return Annotation(
        run_id=event.run_id, seed=seed, env_steps=event.env_steps, at=iso(event.at), text=event.message.strip()
    )
