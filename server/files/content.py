"""Content and the rows that name it must agree, though one is in files and the other in the database.

Both sides move in transactions that hold the content's lock: an upload puts the file in place and the row with it; a
removal looks for rows and deletes the file. So no row ever names a file that a removal takes away at the same moment.
The other way round, a server that dies between the two leaves a file that nobody names: wasted, but harmless.
"""

from sqlalchemy import func
from sqlmodel import Session, select

from server.files.store import Store
from server.tables import Artifact


def lock(session: Session, sha256: str) -> None:
    """Until the end of the transaction, and before it holds a run. On SQLite a write transaction is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(select(func.pg_advisory_xact_lock(int(sha256[:15], 16))))


def drop_if_unused(session: Session, store: Store, sha256: str) -> None:
    lock(session, sha256)
    if session.exec(select(Artifact.id).where(Artifact.sha256 == sha256).limit(1)).first() is None:
        store.remove(sha256)
