"""A run's page, and the parts of it that are rendered anew when something changes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import func
from sqlmodel import Session, col, select

from server.errors import NotFoundError
from server.files import artifacts, logs
from server.gates import baselines, results
from server.gates.gate_routes import results_out
from server.house import HouseDep
from server.jobs.out import job_out
from server.live.out import event_out
from server.metrics import latest
from server.pages import board, config_table, judged, more_seeds, seed_groups
from server.rendering import respond
from server.runs import manifests
from server.runs.out import RunOut, run_out
from server.runs.rows import get_run
from server.tables import Event, Run, RunKind, RunState

router = APIRouter(include_in_schema=False)

_MOST_EVENTS = 200
_MOST_ARTIFACTS = 200
_MOST_RESULTS = 10
_SEEDS_NAMED = 4  # of those that would run next, at least


@router.get("/runs/{run_id}")
def show_run(request: Request, house: HouseDep, run_id: str) -> Response:
    now = house.clock()
    with house.database.reading() as session:
        run = run_out(session, get_run(session, run_id))
        context = _head(session, run, now)
        for part in _PARTS.values():
            context |= part(session, run)
    return respond(request, context, page="runs/show.html", fragment="runs/_header.html", resource=run)


@router.get("/runs/{run_id}/parts/{name}")
def show_part(request: Request, house: HouseDep, run_id: str, name: str) -> Response:
    if name not in _PARTS:
        raise NotFoundError.of("part", name)
    with house.database.reading() as session:
        run = run_out(session, get_run(session, run_id))
        context = _head(session, run, house.clock()) | _PARTS[name](session, run)
    return respond(request, context, page=f"runs/_{name}.html")


def _head(session: Session, run: RunOut, now: float) -> dict[str, Any]:
    seeds = _seeds(session, run) if run.seed is not None else []
    row = session.get_one(Run, run.id)
    return {
        "run": run,
        "is_final": run.state.is_final,
        "job": job_out(session, row) if run.is_job else None,
        "seeds": seeds,
        "n": seed_groups.count_seeds(seeds),
        "here": _count_here(session, row),
        "is_dirty": manifests.is_dirty(row.manifest),
        "machine": manifests.machine(row.manifest),
        "took_s": _took_s(run.started_at, run.ended_at, now),
        "kinds_with_seeds": more_seeds.KINDS,
        "more_seeds": (amount := _more_seeds(session, run.id)),
        "next_seeds": more_seeds.next_seeds(session, row, max(amount, _SEEDS_NAMED)),
        "commands": _commands(run),
        "now": now,
    }


def _seeds(session: Session, run: RunOut) -> list[seed_groups.SeedLink]:
    """Itself and the others of its group, but for those that were cancelled: they are no seeds of anything."""
    found = seed_groups.siblings(session, run.seed_group)
    return [link for link in found if link.id == run.id or link.state != RunState.CANCELLED]


def _count_here(session: Session, run: Run) -> int:
    """Those that a change of the whole group reaches."""
    same = (Run.seed_group == run.seed_group, Run.experiment_id == run.experiment_id, col(Run.deleted_at).is_(None))
    return session.exec(select(func.count()).select_from(Run).where(*same)).one()


def _more_seeds(session: Session, run_id: str) -> int:
    """As many as the newest verdict wants, where it could not decide."""
    found, _ = results.page(session, run=run_id, limit=1, cursor=None)
    return judged.more_seeds(found[0].body["results"] if found else ())


def _board(session: Session, run: RunOut) -> dict[str, Any]:
    found = [board.ShownMetric(**summary) for summary in latest.key_summaries(session, run.id)]
    has_log = (run.is_job and not run.state.is_final) or logs.size_of(session, run.id) > 0
    return {"board": board.arrange(found, primary=run.primary_metric, expected=_expected(run)), "has_log": has_log}


def _events(session: Session, run: RunOut) -> dict[str, Any]:
    """The newest first."""
    found = select(Event).where(Event.run_id == run.id).order_by(col(Event.id).desc()).limit(_MOST_EVENTS)
    return {"events": [event_out(event) for event in session.exec(found)]}


def _config(session: Session, run: RunOut) -> dict[str, Any]:
    return {"settings": config_table.compare(run.config or {}, run.preset)}


def _gates(session: Session, run: RunOut) -> dict[str, Any]:
    """The baselines that it is in, and what was said of it lately."""
    found, _ = results.page(session, run=run.id, limit=_MOST_RESULTS, cursor=None)
    shown = results_out(session, found)
    return {"blessed": baselines.blessed_from(session, run.id), "shown": shown, "of_baseline": False}


def _artifacts(session: Session, run: RunOut) -> dict[str, Any]:
    return {"artifacts": artifacts.listed(session, run.id, prefix="", after="", limit=_MOST_ARTIFACTS)}


def _attempts(session: Session, run: RunOut) -> dict[str, Any]:
    return {"took_s_of": _took_s}


_PARTS: Mapping[str, Callable[[Session, RunOut], dict[str, Any]]] = {
    "board": _board,
    "gates": _gates,
    "events": _events,
    "config": _config,
    "artifacts": _artifacts,
    "attempts": _attempts,
}


def _expected(run: RunOut) -> tuple[str, ...]:
    """What a training of ours will write, before it has."""
    ours = run.kind == RunKind.TRAIN and run.is_job and not run.state.is_final
    return (*board.HERO, *board.MAIN) if ours and run.mode == "train" else ()


def _commands(run: RunOut) -> list[str]:
    live = [] if run.state.is_final else [f"wait {run.id}", f"logs {run.id} --follow"]
    return [*live, f"curves {run.id}", f"export {run.id} --output {run.id}.parquet"]


def _took_s(start: str | None, end: str | None, now: float) -> float | None:
    """Seconds from the start to the end, or until now; None before the start."""
    if start is None:
        return None
    last = now if end is None else datetime.fromisoformat(end).timestamp()
    return last - datetime.fromisoformat(start).timestamp()
