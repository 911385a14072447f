"""All records of a run, a block at a time: each is a short read of its own, however slowly the client takes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from server.database import Database
from server.errors import ConflictError
from server.metrics import names
from server.metrics.batch import STEPS, Batch
from server.metrics.read import read_batch, stream_state

_VALUES_AT_ONCE = 250_000
_MOST_RECORDS, _FEWEST_RECORDS = 16_384, 256


@dataclass(frozen=True)
class Export:
    """What is exported is decided when it begins: records that come later are not in it."""

    run_id: str
    names: dict[int, str]  # by id, in the order of the columns
    records: int
    rewinds: int

    @property
    def block(self) -> int:
        return max(_FEWEST_RECORDS, min(_MOST_RECORDS, _VALUES_AT_ONCE // (len(self.names) + 1)))


def begin(session: Session, run_id: str, only: Sequence[str] | None) -> Export:
    """All keys of the run, or those of `only` that it has."""
    records, rewinds = stream_state(session, run_id)
    found = names.of_run(session.connection(), run_id)
    columns = sorted(name for name in found.values() if name != STEPS and (only is None or name in only))
    by_name = {name: key for key, name in found.items()}
    return Export(run_id, {by_name[name]: name for name in columns}, records, rewinds)


def blocks(database: Database, export: Export) -> Iterator[Batch]:
    for first in range(0, export.records, export.block):
        with database.reading() as session:
            if stream_state(session, export.run_id)[1] != export.rewinds:
                raise ConflictError(f"Run {export.run_id} took records back while it was exported.")
            end = min(first + export.block, export.records)
            batch = read_batch(session.connection(), export.run_id, first, end, list(export.names))
        assert batch is not None, f"run {export.run_id} has no records from {first} on, but {export.records} in all"
        yield batch
