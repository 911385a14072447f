"""What a run came to in a metric: the lower median of its values over the last tenth of the run's steps."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, bindparam, text

from dreamer_core.gates.measure import lower_median
from server.metrics import names
from server.metrics.batch import STEPS
from server.metrics.layout import LAYOUT
from server.metrics.series_reader import Series, SeriesReader, View

SHARE = 0.1  # of the steps, from the end
MOST_VALUES = 500  # that are looked at: a metric that has more in the last tenth is judged by the newest of them

_FIND = text(
    "SELECT run_id, key_id, points, folded, last, last_word, last_step FROM metric_series"
    " WHERE run_id IN :runs AND key_id IN :keys"
).bindparams(bindparam("runs", expanding=True), bindparam("keys", expanding=True))


class Found(NamedTuple):
    """A series, as its summary says."""

    key: str
    series: Series
    last: float
    last_step: int


Table = dict[str, dict[str, Found]]  # by run and key


def find(connection: Connection, run_ids: Sequence[str], keys: Sequence[str]) -> Table:
    """Those that there are, and those of the steps."""
    ids = {key_id: name for name, key_id in names.find(connection, {*keys, STEPS}).items()}
    table: Table = {run_id: {} for run_id in run_ids}
    if not ids or not table:
        return table
    for row in connection.execute(_FIND, {"runs": list(table), "keys": list(ids)}):
        name = ids[row.key_id]
        last = row.last if row.last_word is None else float(row.last_word)
        table[row.run_id][name] = Found(name, Series(row.key_id, row.points, row.folded), last, row.last_step)
    return table


def finals(connection: Connection, run_id: str, found: Mapping[str, Found], keys: Sequence[str]) -> dict[str, float]:
    """Of the keys that the run has; NaN where one of the values is not finite."""
    steps = found.get(STEPS)
    if steps is None:
        return {}
    begin = (1 - SHARE) * steps.last_step
    wanted = {key: found[key] for key in keys if key in found}
    values = {key: each.last for key, each in wanted.items()}
    long = [each for each in wanted.values() if each.series.points > 1 and each.last_step >= begin]
    return values | _medians(connection, run_id, steps.series.key, long, begin)


def _medians(
    connection: Connection, run_id: str, steps_key: int, found: Sequence[Found], begin: float
) -> dict[str, float]:
    if not found:
        return {}
    reader = SeriesReader(connection, run_id, steps_key, LAYOUT)
    views = {each.series.key: View(0, max(0, each.series.points - MOST_VALUES), each.series.points) for each in found}
    read = reader.read({each.series.key: each.series for each in found}, views)
    medians = {}
    for each in found:
        points = read[each.series.key]
        inside = points.last[points.x_last[0] >= begin]
        medians[each.key] = lower_median(inside) if np.isfinite(inside).all() else float("nan")
    return medians
