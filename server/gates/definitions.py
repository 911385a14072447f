"""Gates by name and version. A version never changes: other checks are another version."""

from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from dreamer_core.errors import ConfigError
from dreamer_core.gates import Gate, gate_from_mapping, gate_to_mapping
from dreamer_core.gates.checks import ThresholdMedian
from server import paging, tables
from server.absent import insert_if_absent
from server.errors import ConflictError, InvalidError, NotFoundError
from server.suites import applied

# Known everywhere without being written down: every metric of the baseline within its threshold.
COMPARE = Gate(name="compare", checks=(ThresholdMedian(),))


def parse(body: Any, where: str = "gate") -> Gate:
    """Refuses what is no gate, with the place."""
    try:
        return gate_from_mapping(body)
    except ConfigError as error:
        raise InvalidError(str(error), where=".".join(filter(None, (where, error.key)))) from None


def apply(session: Session, gate: Gate, source: str, now: float) -> tables.Gate:
    """Keep it. The same version with the same checks may come again."""
    if gate.name == COMPARE.name:
        raise ConflictError("The gate compare is built in.", where="name", seen=gate.name, todo="Take another name.")
    row = tables.Gate(name=gate.name, version=gate.version, created_at=now, source=source, body=gate_to_mapping(gate))
    if not insert_if_absent(session, row):
        known = session.get_one(tables.Gate, (gate.name, gate.version))
        if known.body != row.body:
            raise ConflictError(
                f"Gate {gate.name} v{gate.version} is known with other checks.",
                where="version",
                seen=gate.version,
                todo=f"Give it version {_newest(session, gate.name) + 1}.",
            )
    return session.get_one(tables.Gate, (gate.name, gate.version))


def get(session: Session, name: str, version: int | None = None) -> Gate:
    """The newest version, or the one that is asked for."""
    if name == COMPARE.name and version in (None, COMPARE.version):
        return COMPARE
    return gate_from_mapping(get_row(session, name, version).body)


def get_row(session: Session, name: str, version: int | None = None) -> tables.Gate:
    query = select(tables.Gate).where(tables.Gate.name == name)
    if version is not None:
        query = query.where(tables.Gate.version == version)
    row = session.exec(query.order_by(col(tables.Gate.version).desc())).first()
    if row is None:
        missing = NotFoundError.of("gate", name if version is None else f"{name} v{version}")
        if suite := _suite_with(session, name):
            missing.todo = (
                f"Suite {suite} has a gate of that name, which judges the suite's own runs: apply it by itself."
            )
        elif version is None:
            missing.todo = "Apply its file first: `dreamgate gate apply FILE`."
        raise missing
    return row


def _suite_with(session: Session, gate: str) -> str | None:
    having = (suite.name for suite in session.exec(applied.newest()) if gate in _gates_of(suite.body))
    return next(having, None)


def _gates_of(body: dict[str, Any]) -> list[str]:
    """A suite may do with the gates that there are."""
    return [one["name"] for one in body.get("gates", ())]


def page(session: Session, *, limit: int, cursor: str | None) -> tuple[list[tables.Gate], str | None]:
    """The newest version of every name, by name."""
    newest = select(tables.Gate.name, func.max(tables.Gate.version).label("version")).group_by(col(tables.Gate.name))
    picked = newest.subquery()
    mine = (picked.c.name == tables.Gate.name) & (picked.c.version == tables.Gate.version)
    query = select(tables.Gate).join(picked, mine)
    if cursor is not None:
        (last,) = paging.decode(cursor, str)
        query = query.where(col(tables.Gate.name) > last)
    found = list(session.exec(query.order_by(col(tables.Gate.name)).limit(limit + 1)))
    more = len(found) > limit
    return found[:limit], paging.encode(found[limit - 1].name) if more else None


def _newest(session: Session, name: str) -> int:
    return session.exec(select(func.max(tables.Gate.version)).where(tables.Gate.name == name)).one() or 0
