"""The artifacts of runs as rows: found, listed, put and deleted. Their bytes are in the store."""

from typing import NamedTuple

from sqlalchemy import delete as delete_rows
from sqlalchemy import exists, func
from sqlmodel import Session, col, select

from server.errors import NotFoundError
from server.files import names
from server.runs.rows import hold_run
from server.tables import Artifact, Attempt


class Put(NamedTuple):
    artifact: Artifact
    is_new: bool
    replaced: str | None  # the hash of what had the name before, where that was something else


def find(session: Session, run_id: str, name: str) -> Artifact:
    artifact = _get(session, run_id, name)
    if artifact is None:
        raise NotFoundError.of("artifact", name)
    return artifact


def listed(session: Session, run_id: str, prefix: str, after: str, limit: int) -> list[Artifact]:
    """By name, those that come after `after`."""
    # Not LIKE: SQLite's would not tell upper case from lower.
    begins = func.substr(Artifact.name, 1, len(prefix)) == prefix
    found = select(Artifact).where(Artifact.run_id == run_id, begins, Artifact.name > after)
    return list(session.exec(found.order_by(col(Artifact.name)).limit(limit)))


def put(session: Session, run_id: str, name: str, size: int, sha256: str, now: float) -> Put:
    """The row of bytes that this transaction keeps. The caller then drops what was replaced, in another one."""
    hold_run(session, run_id)
    old = _get(session, run_id, name)
    if old is not None and old.sha256 == sha256:
        return Put(old, is_new=False, replaced=None)
    replaced = old.sha256 if old else None
    artifact = old or Artifact(
        run_id=run_id, name=name, media_type=names.media_type(name), size=0, sha256="", created_at=now
    )
    artifact.sqlmodel_update({"size": size, "sha256": sha256, "created_at": now})
    session.add(artifact)
    session.flush()
    return Put(artifact, is_new=old is None, replaced=replaced)


def delete(session: Session, run_id: str, name: str) -> str:
    """The hash of what it held, for the caller to drop."""
    hold_run(session, run_id)
    artifact = find(session, run_id, name)
    session.delete(artifact)
    session.flush()
    return artifact.sha256


def delete_results(session: Session, run_id: str) -> list[str]:
    """What attempts at the run left, as `delete` does: while one is under way nobody else can add a file. What people
    added since stays."""
    hold_run(session, run_id)
    of_an_attempt = exists().where(
        col(Attempt.run_id) == run_id,
        col(Attempt.started_at) <= Artifact.created_at,
        col(Attempt.ended_at) >= Artifact.created_at,
    )
    gone = delete_rows(Artifact).where(col(Artifact.run_id) == run_id, of_an_attempt).returning(col(Artifact.sha256))
    return sorted(set(session.connection().execute(gone).scalars()))


def _get(session: Session, run_id: str, name: str) -> Artifact | None:
    return session.exec(select(Artifact).where(Artifact.run_id == run_id, Artifact.name == name)).one_or_none()
