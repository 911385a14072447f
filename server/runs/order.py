"""In which order a list of runs comes, and how its next page is found: by column, or by a metric through its index.

Rows with the value come first, in its order and then by id; rows without it follow, by id. A cursor holds the value and
the id of the last row, so a page begins where the one before ended, whatever was added or deleted in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, tuple_
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from server import paging
from server.errors import InvalidError
from server.runs.rows import LEAN
from server.tables import MetricKey, MetricSeries, Run

_NUMBER: tuple[type, ...] = (int, float)
_COLUMNS: dict[str, tuple[type, ...]] = {
    "created_at": _NUMBER,
    "name": (str,),
    "state": (str,),
    "seed": _NUMBER,
    "env_steps": _NUMBER,
    "started_at": _NUMBER,
    "ended_at": _NUMBER,
}
_OPTIONAL = ("seed", "started_at", "ended_at")
_SUMMARIES = ("last", "min", "max")


@dataclass(frozen=True, kw_only=True)
class _Order:
    value: Mapped[Any]
    kinds: tuple[type, ...]
    descending: bool
    has_value: ColumnElement[bool] | None = None  # None: every run has
    lacks_value: ColumnElement[bool] | None = None
    key_id: int | None = None  # of the metric


def page(
    session: Session, conditions: Sequence[ColumnElement[bool]], *, sort: str, limit: int, cursor: str | None
) -> tuple[list[Run], str | None]:
    """One page of the runs that fulfil the conditions, and the cursor of the next one."""
    order = _parse(session, sort)
    after = None if cursor is None else _decode(cursor, sort, order)
    found: list[tuple[Run, Any]] = []
    if after is None or after[0] is not None:
        found += _with_value(session, conditions, order, after, limit + 1)
    if order.lacks_value is not None and len(found) <= limit:
        last = after[1] if after is not None and after[0] is None else ""
        found += _without_value(session, [*conditions, order.lacks_value], last, limit + 1 - len(found))
    runs = [run for run, _ in found[:limit]]
    if len(found) <= limit:
        return runs, None
    run, value = found[limit - 1]
    return runs, paging.encode(sort, value, run.id)


def _parse(session: Session, sort: str) -> _Order:
    descending, name = sort.startswith("-"), sort.removeprefix("-")
    if name.startswith("metric:"):
        return _metric_order(session, name.removeprefix("metric:"), descending=descending)
    if name not in _COLUMNS:
        raise InvalidError(
            "Runs are not sorted by that.", where="sort", seen=sort, todo=f"Take {', '.join(_COLUMNS)} or metric:KEY."
        )
    column = col(getattr(Run, name))
    optional = name in _OPTIONAL
    return _Order(
        value=column,
        kinds=_COLUMNS[name],
        descending=descending,
        has_value=column.is_not(None) if optional else None,
        lacks_value=column.is_(None) if optional else None,
    )


def _metric_order(session: Session, name: str, *, descending: bool) -> _Order:
    key, _, summary = name.rpartition(":")
    if summary not in _SUMMARIES:
        key, summary = name, "last"
    key_id = session.exec(select(MetricKey.id).where(col(MetricKey.name) == key)).first() or 0
    column = col(getattr(MetricSeries, summary))
    of_run = (col(MetricSeries.run_id) == Run.id, col(MetricSeries.key_id) == key_id, column.is_not(None))
    return _Order(
        value=column,
        kinds=_NUMBER,
        descending=descending,
        has_value=column.is_not(None),
        lacks_value=~exists().where(*of_run),
        key_id=key_id,
    )


def _with_value(
    session: Session,
    conditions: Sequence[ColumnElement[bool]],
    order: _Order,
    after: tuple[Any, str] | None,
    limit: int,
) -> list[tuple[Run, Any]]:
    query = select(Run, order.value).options(*LEAN).where(*conditions)
    last_id = col(Run.id)
    if order.key_id is not None:
        # The order of the index (key, value, run): walked from its end or its beginning, never sorted.
        last_id = col(MetricSeries.run_id)
        query = query.join(MetricSeries, last_id == Run.id).where(col(MetricSeries.key_id) == order.key_id)
    if order.has_value is not None:
        query = query.where(order.has_value)
    if after is not None:
        place, here = tuple_(order.value, last_id), tuple_(*after)
        query = query.where(place < here if order.descending else place > here)
    by = (order.value.desc(), last_id.desc()) if order.descending else (order.value, last_id)
    return [(run, value) for run, value in session.exec(query.order_by(*by).limit(limit))]


def _without_value(
    session: Session, conditions: Sequence[ColumnElement[bool]], last_id: str, limit: int
) -> list[tuple[Run, Any]]:
    query = select(Run).options(*LEAN).where(*conditions, col(Run.id) > last_id)
    return [(run, None) for run in session.exec(query.order_by(col(Run.id)).limit(limit))]


def _decode(cursor: str, sort: str, order: _Order) -> tuple[Any, str]:
    """The value and the id of the last row, None and the id where it had no value."""
    kinds = order.kinds if order.lacks_value is None else (*order.kinds, type(None))
    of_sort, value, run_id = paging.decode(cursor, str, kinds, str)
    if of_sort != sort:
        raise InvalidError(
            "This cursor belongs to a list in another order.", where="cursor", seen=of_sort, todo="Begin without one."
        )
    return value, run_id
