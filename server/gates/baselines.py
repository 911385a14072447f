"""Baselines: blessed from runs or brought in as files; never changed, only followed by a newer version or retired."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from dreamer_core import gates
from dreamer_core.errors import UsageError
from dreamer_core.gates import Blessing, Flag, SeedGroup
from dreamer_core.metrics.names import BASELINE_KEYS
from server import paging
from server.absent import insert_if_absent
from server.errors import ConflictError, InvalidError, NotFoundError
from server.gates import evidence
from server.ids import new_id
from server.jsonvalues import check
from server.metrics.batch import AXES
from server.tables import Baseline, BaselineRun, Run

LATEST = "latest"


def bless(
    session: Session, runs: Sequence[Run], keys: Sequence[str], blessing: Blessing, allowed: frozenset[Flag], now: float
) -> Baseline:
    """The first version of a name, or the next one."""
    group = evidence.group_of(session, runs)
    try:
        made = gates.capture(group, list(keys) or default_keys(group), blessing)
        gates.refuse_unless_allowed(made, allowed)
    except UsageError as error:
        raise ConflictError(str(error), where="runs") from None
    row = _add(session, made, now)
    session.add_all(BaselineRun(baseline_id=row.id, run_id=run.id) for run in runs)
    session.flush()
    return row


def bring_in(session: Session, text: str, *, name: str, who: str, why: str, now: float) -> Baseline:
    """A file that `dreamgate baseline capture` or the older tool wrote, as the first or next version of a name."""
    try:
        found = gates.baseline_from_json(text, "content")
        check([found.who, found.why, _family(found)])
    except (UsageError, ValueError) as error:
        raise InvalidError(str(error), where="content") from None
    made = replace(found, name=name, version=1, who=(who or found.who)[:120], why=why or found.why)
    return _add(session, made, now)


def default_keys(group: SeedGroup) -> list[str]:
    """Of a summary all but when it was; of a training the usual metrics and its evaluations."""
    if group.input_kind == "json":
        return [key for key in group.keys if key not in AXES]
    return [*BASELINE_KEYS, *sorted(key for key in group.keys if key.startswith("eval/"))]


def get(session: Session, name: str, version: str = LATEST) -> Baseline:
    """`latest` is the newest that is not retired."""
    query = select(Baseline).where(Baseline.name == name)
    if version == LATEST:
        query = query.where(col(Baseline.retired_at).is_(None)).order_by(col(Baseline.version).desc())
    elif version.isdecimal() and len(version) < 9:
        query = query.where(Baseline.version == int(version))
    else:
        raise InvalidError("A version is a number, or latest.", where="version", seen=version)
    row = session.exec(query).first()
    if row is None:
        raise NotFoundError.of("baseline", name if version == LATEST else f"{name}@{version}")
    return row


def named(session: Session, reference: str) -> Baseline:
    """`name` or `name@version`."""
    name, _, version = reference.partition("@")
    return get(session, name, version or LATEST)


def read(row: Baseline) -> gates.Baseline:
    """As the core knows it, curves and all."""
    return gates.baseline_from_json(row.body, f"baseline {row.name}@{row.version}")


def versions(session: Session, name: str) -> list[Baseline]:
    """The newest first."""
    found = list(session.exec(select(Baseline).where(Baseline.name == name).order_by(col(Baseline.version).desc())))
    if not found:
        raise NotFoundError.of("baseline", name)
    return found


def page(
    session: Session, *, q: str | None, retired: bool, limit: int, cursor: str | None
) -> tuple[list[Baseline], str | None]:
    """The newest version of every name, by name. `retired`: of those names whose every version is retired."""
    alive = col(Baseline.retired_at).is_(None)
    counts = func.count(col(Baseline.version)).filter(alive)
    newest = func.max(Baseline.version) if retired else func.max(Baseline.version).filter(alive)
    names = select(Baseline.name, newest.label("version")).group_by(col(Baseline.name))
    picked = names.having(counts == 0 if retired else counts > 0).subquery()
    query = select(Baseline).join(picked, (picked.c.name == Baseline.name) & (picked.c.version == Baseline.version))
    if q:
        query = query.where(col(Baseline.name).icontains(q, autoescape=True))
    if cursor is not None:
        (last,) = paging.decode(cursor, str)
        query = query.where(col(Baseline.name) > last)
    found = list(session.exec(query.order_by(col(Baseline.name)).limit(limit + 1)))
    more = len(found) > limit
    return found[:limit], paging.encode(found[limit - 1].name) if more else None


def retire(session: Session, name: str, version: str, why: str, now: float) -> Baseline:
    """No verdict asks it any more, unless it is named with its version."""
    row = get(session, name, version)
    if row.retired_at is None:
        row.retired_at, row.retired_why = now, why
        session.add(row)
    return row


def restore(session: Session, name: str, version: str) -> Baseline:
    row = get(session, name, version)
    row.retired_at = row.retired_why = None
    session.add(row)
    return row


def runs_of(session: Session, ids: Sequence[str]) -> dict[str, list[str]]:
    """The runs of this server that baselines were made from."""
    found: dict[str, list[str]] = {baseline_id: [] for baseline_id in ids}
    query = select(BaselineRun).where(col(BaselineRun.baseline_id).in_(ids)).order_by(col(BaselineRun.run_id))
    for row in session.exec(query):
        found[row.baseline_id].append(row.run_id)
    return found


def blessed_from(session: Session, run_id: str) -> list[Baseline]:
    """The baselines that a run is in."""
    query = select(Baseline).join(BaselineRun).where(BaselineRun.run_id == run_id)
    return list(session.exec(query.order_by(col(Baseline.created_at).desc())))


def _add(session: Session, made: gates.Baseline, now: float) -> Baseline:
    before = session.exec(
        select(Baseline).where(Baseline.name == made.name).order_by(col(Baseline.version).desc())
    ).first()
    if before is not None:
        try:
            made = gates.replace_baseline(read(before), made)
        except UsageError as error:
            raise ConflictError(str(error), where="name", seen=made.name) from None
    row = _row(made, now)
    if not insert_if_absent(session, row):
        raise ConflictError(f"Somebody else made {made.title} just now.", where="name", todo="Look at it, try again.")
    return session.get_one(Baseline, row.id)


def _row(made: gates.Baseline, now: float) -> Baseline:
    columns: dict[str, Any] = {name: getattr(made, name) for name in ("name", "version", "who", "why")}
    return Baseline(
        id=new_id(),
        created_at=now,
        family=_family(made),
        flags=sorted(made.flags),
        seeds=len(made.runs),
        body=gates.to_json(made),
        **columns,
    )


def _family(made: gates.Baseline) -> str | None:
    """None where no run says it, or runs of several families are mixed."""
    families = {run.facts.family for run in made.runs if run.facts.family}
    return families.pop()[:12] if len(families) == 1 else None
