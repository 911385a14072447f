"""Suites by name and version. A version never changes: other scenarios or thresholds are another version."""

from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from dreamer_core.errors import ConfigError
from dreamer_core.suites import Suite, suite_from_mapping, suite_to_mapping
from server import paging, tables
from server.absent import insert_if_absent
from server.errors import ConflictError, InvalidError, NotFoundError


def parse(name: str, tree: dict[str, Any]) -> Suite:
    """Refuses what is no suite, with the place."""
    try:
        suite = suite_from_mapping({"name": name, **tree})
    except ConfigError as error:
        raise InvalidError(str(error), where=".".join(filter(None, ("suite", error.key)))) from None
    if suite.name != name:
        raise InvalidError(
            f"The suite says that it is {suite.name!r}, the address {name!r}.", where="name", seen=suite.name
        )
    return suite


def apply(session: Session, suite: Suite, source: str, now: float) -> tables.Suite:
    """Keep it. The same version with the same body may come again."""
    row = tables.Suite(
        name=suite.name, version=suite.version, created_at=now, source=source, body=suite_to_mapping(suite)
    )
    if not insert_if_absent(session, row):
        known = session.get_one(tables.Suite, (suite.name, suite.version))
        if known.body != row.body:
            newest = session.exec(select(func.max(tables.Suite.version)).where(tables.Suite.name == suite.name)).one()
            raise ConflictError(
                f"Suite {suite.name} v{suite.version} is known with another body.",
                where="version",
                seen=suite.version,
                todo=f"Give it version {(newest or 0) + 1}.",
            )
    return session.get_one(tables.Suite, (suite.name, suite.version))


def get_row(session: Session, name: str, version: int | None = None) -> tables.Suite:
    """The newest version, or the one that is asked for."""
    query = select(tables.Suite).where(tables.Suite.name == name)
    if version is not None:
        query = query.where(tables.Suite.version == version)
    row = session.exec(query.order_by(col(tables.Suite.version).desc())).first()
    if row is None:
        missing = NotFoundError.of("suite", name if version is None else f"{name} v{version}")
        if version is None:
            missing.todo = (
                "Apply it first: `dreamgate suite apply FILE`, where FILE may be the name of a shipped suite."
            )
        raise missing
    return row


def page(session: Session, *, limit: int, cursor: str | None) -> tuple[list[tables.Suite], str | None]:
    """The newest version of every name, by name."""
    query = newest()
    if cursor is not None:
        (last,) = paging.decode(cursor, str)
        query = query.where(col(tables.Suite.name) > last)
    found = list(session.exec(query.order_by(col(tables.Suite.name)).limit(limit + 1)))
    more = len(found) > limit
    return found[:limit], paging.encode(found[limit - 1].name) if more else None


def newest() -> Any:
    """Selects the newest version of every suite."""
    versions = select(tables.Suite.name, func.max(tables.Suite.version).label("version"))
    picked = versions.group_by(col(tables.Suite.name)).subquery()
    mine = (picked.c.name == tables.Suite.name) & (picked.c.version == tables.Suite.version)
    return select(tables.Suite).join(picked, mine)
