"""The newest gate results of each of many things, in one query: of baselines, or of gates."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from dreamer_core.gates import Verdict
from server.tables import GateResult


class Said(NamedTuple):
    id: str
    verdict: Verdict
    created_at: float


def newest(session: Session, column: Any, values: Sequence[str], each: int) -> dict[str, list[Said]]:
    """By the value of `column`, the newest first."""
    order = (col(GateResult.created_at).desc(), col(GateResult.id).desc())
    place = func.row_number().over(partition_by=col(column), order_by=order).label("place")
    told = (col(GateResult.id), col(GateResult.verdict), col(GateResult.created_at))
    ranked = select(col(column).label("about"), *told, place).where(col(column).in_(values)).subquery()
    query = select(ranked.c.about, ranked.c.id, ranked.c.verdict, ranked.c.created_at).where(ranked.c.place <= each)
    found: dict[str, list[Said]] = {value: [] for value in values}
    for about, *said in session.connection().execute(query.order_by(ranked.c.place)):
        found[about].append(Said(*said))
    return found
