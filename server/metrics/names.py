"""Names of keys and their ids, which all runs share. A name is stored once and never goes away."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from sqlalchemy import Connection, bindparam, text

from server.metrics.columns import Ints
from server.metrics.parse import is_key

_FIND = text("SELECT name, id FROM metric_key WHERE name IN :names").bindparams(bindparam("names", expanding=True))
_OF_RUN = text(
    "SELECT k.id, k.name FROM metric_key AS k JOIN metric_series AS s ON s.key_id = k.id WHERE s.run_id = :run_id"
)
_OF_RUNS = text(
    "SELECT name FROM metric_key WHERE id IN (SELECT key_id FROM metric_series WHERE run_id IN :runs)"
).bindparams(bindparam("runs", expanding=True))
_BY_RUN = text(
    "SELECT s.run_id, k.name FROM metric_key AS k JOIN metric_series AS s ON s.key_id = k.id WHERE s.run_id IN :runs"
).bindparams(bindparam("runs", expanding=True))
_ADD = text("INSERT INTO metric_key (name) VALUES (:name) ON CONFLICT (name) DO NOTHING")


def find(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The ids of those that are known."""
    wanted = [name for name in set(names) if is_key(name)]  # what is no key might not even be a text for Postgres
    if not wanted:
        return {}
    return {row.name: row.id for row in connection.execute(_FIND, {"names": wanted})}


def intern(connection: Connection, names: Sequence[str]) -> Ints:
    """The id of each, made where there is none."""
    ids = find(connection, names)
    # Sorted, so that two writers who add the same keys wait for each other in one order: no deadlock.
    new = sorted(set(names) - ids.keys())
    if new:
        connection.execute(_ADD, [{"name": name} for name in new])
        ids |= find(connection, new)
    return np.array([ids[name] for name in names], np.int64)


def of_run(connection: Connection, run_id: str) -> dict[int, str]:
    """All keys that a run has, by id; the steps are one of them."""
    return {row.id: row.name for row in connection.execute(_OF_RUN, {"run_id": run_id})}


def of_runs(connection: Connection, run_ids: Collection[str]) -> set[str]:
    """All keys that any of them has; the steps are one of them."""
    if not run_ids:
        return set()
    return set(connection.execute(_OF_RUNS, {"runs": list(run_ids)}).scalars())


def by_run(connection: Connection, run_ids: Collection[str]) -> dict[str, set[str]]:
    """The same, of each of them."""
    found: dict[str, set[str]] = {run_id: set() for run_id in run_ids}
    for row in connection.execute(_BY_RUN, {"runs": list(found)}) if found else ():
        found[row.run_id].add(row.name)
    return found
