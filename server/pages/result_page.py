"""One verdict, explained: every check with its number beside its limit, and the curves that it was read from."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session, col, select

from dreamer_core.gates import Verdict
from dreamer_core.metrics.jsonsafe import dumps
from server.gates import baselines, results
from server.gates.gate_routes import ResultDetail, result_detail
from server.house import HouseDep
from server.jsonvalues import Text
from server.pages import judged, more_seeds
from server.rendering import respond
from server.runs.out import RunOut, runs_out
from server.runs.rows import LEAN
from server.tables import Baseline, Run

router = APIRouter(include_in_schema=False)

MOST_CURVES = 40


@router.get("/gate-results/{result_id}")
def show_result(
    request: Request, house: HouseDep, result_id: str, key: Annotated[Text, Query(max_length=120)] = ""
) -> Response:
    with house.database.reading() as session:
        result = result_detail(session, results.get(session, result_id))
        context = _context(session, result, key)
    context |= {"now": house.clock()}
    return respond(request, context, page="gates/result.html", resource=result)


def _context(session: Session, result: ResultDetail, key: str) -> dict[str, Any]:
    runs = _runs(session, result.runs)
    keys = judged.keys_to_draw(result.results)
    shown = key if key in keys else next(iter(keys), "")
    limits = judged.limits(result.results, shown)
    return {
        "result": result,
        "rows": judged.judged(result.results),
        "runs": runs,
        "keys": keys,
        "key": shown,
        "limits": dumps([vars(limit) for limit in limits]),
        "limit_words": [f"{limit.label} {limit.y:g}" for limit in limits],
        "band": _band_address(session, result, shown),
        "lines": [(run.id, _name(run)) for run in runs[:MOST_CURVES]],
        "most_curves": MOST_CURVES,
        "again": _again(runs),
        "more_seeds": judged.more_seeds(result.results),
        "is_undecided": result.verdict == Verdict.INCONCLUSIVE,
    }


def _runs(session: Session, ids: Sequence[str]) -> list[RunOut]:
    """By seed."""
    found = runs_out(session, session.exec(select(Run).where(col(Run.id).in_(ids)).options(*LEAN)).all())
    return sorted(found, key=lambda run: (run.seed is None, run.seed or 0, run.id))


def _name(run: RunOut) -> str:
    return run.id if run.seed is None else f"seed {run.seed}"


def _band_address(session: Session, result: ResultDetail, key: str) -> str:
    """Where the baseline's curve of this metric is; empty if there is none."""
    if result.baseline is None or not key:
        return ""
    stats = baselines.read(session.get_one(Baseline, result.baseline.id)).metrics.get(key)
    has_curve = stats is not None and bool(stats.curves)
    return f"/baselines/{result.baseline.name}/{result.baseline.version}/curve" if has_curve else ""


def _again(runs: Sequence[RunOut]) -> RunOut | None:
    """The run whose group could have more seeds; none where the runs are of several groups."""
    groups = {run.seed_group for run in runs}
    fit = [run for run in runs if run.is_job and run.kind in more_seeds.KINDS and run.deleted_at is None]
    return fit[0] if len(groups) == 1 and fit else None
