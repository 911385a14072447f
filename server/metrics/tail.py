"""The records that came last, as they came: cheap to add to, read whole."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, text

from server.metrics.batch import Batch, decode, encode, joined
from server.metrics.layout import Layout

_LAST = text("SELECT first, records, body FROM metric_tail WHERE run_id = :run_id ORDER BY first DESC LIMIT 1")
_ADD = text("INSERT INTO metric_tail (run_id, first, records, body) VALUES (:run_id, :first, :records, :body)")
_CHANGE = text("UPDATE metric_tail SET records = :records, body = :body WHERE run_id = :run_id AND first = :first")
_READ = text(
    "SELECT first, body FROM metric_tail WHERE run_id = :run_id AND first + records > :begin AND first < :end"
    " ORDER BY first"
)
_READ_WHOLE = text("SELECT run_id, body FROM metric_tail WHERE run_id IN :runs ORDER BY run_id, first").bindparams(
    bindparam("runs", expanding=True)
)
_CLEAR = text("DELETE FROM metric_tail WHERE run_id = :run_id")
_NEVER = 2**62  # no run has a record of this number


def add(connection: Connection, run_id: str, first: int, batch: Batch, layout: Layout) -> None:
    """A short batch joins the row before it, if that is short too: a thousand rows of one record are slow to read."""
    if batch.records < layout.tail_row:
        last = connection.execute(_LAST, {"run_id": run_id}).one_or_none()
        if last is not None and last.records < layout.tail_row:
            whole = joined([decode(last.body), batch])
            _write(connection, run_id, last.first, whole, add=False)
            return
    _write(connection, run_id, first, batch, add=True)


def read(connection: Connection, run_id: str, begin: int = 0, end: int = _NEVER) -> Batch | None:
    """The records of [begin, end) that are here, which are its last ones."""
    rows = connection.execute(_READ, {"run_id": run_id, "begin": begin, "end": end}).all()
    if not rows:
        return None
    first = rows[0].first
    batch = joined([decode(row.body) for row in rows])
    if first + batch.records > end:
        batch = batch.before(end - first)
    return batch.after(begin - first) if begin > first else batch


def read_whole(connection: Connection, run_ids: Sequence[str]) -> dict[str, Batch]:
    """Everything that is here of some runs; without those that have nothing here."""
    if not run_ids:
        return {}
    bodies: defaultdict[str, list[bytes]] = defaultdict(list)
    for row in connection.execute(_READ_WHOLE, {"runs": list(run_ids)}):
        bodies[row.run_id].append(row.body)
    return {run_id: joined([decode(body) for body in found]) for run_id, found in bodies.items()}


def replace(connection: Connection, run_id: str, first: int, batch: Batch | None) -> None:
    """This is the whole tail now."""
    connection.execute(_CLEAR, {"run_id": run_id})
    if batch is not None and batch.records:
        _write(connection, run_id, first, batch, add=True)


def _write(connection: Connection, run_id: str, first: int, batch: Batch, *, add: bool) -> None:
    row = {"run_id": run_id, "first": first, "records": batch.records, "body": encode(batch)}
    connection.execute(_ADD if add else _CHANGE, row)
