"""What a run came to in a metric: the lower median of its values over the last tenth of the run's steps."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, bindparam, text
from sqlmodel import Session

from dreamer_core.gates.measure import lower_median
from server.log.memory import Remembered
from server.metrics import names, tail
from server.metrics.batch import STEPS, Batch
from server.metrics.layout import LAYOUT
from server.metrics.read import stream_states
from server.metrics.series_reader import Series, SeriesReader, View

SHARE = 0.1  # of the steps, from the end
MOST_VALUES = 500  # that are looked at: a metric that has more in the last tenth is judged by the newest of them
_AT_ONCE = 32  # runs whose tails are in memory together, some 100 KB to 8 MB each

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


class Wanted(NamedTuple):
    """Of one run: which metrics, over which share of its steps, from the end."""

    keys: Sequence[str]
    share: float = SHARE

    def of(self, found: Mapping[str, Found]) -> "Wanted":
        """Of the metrics that there are."""
        return Wanted([key for key in self.keys if key in found], self.share)


Values = dict[str, float]  # by key
Table = dict[str, dict[str, Found]]  # by run and key


def find(connection: Connection, run_ids: Sequence[str], keys: Sequence[str]) -> Table:
    """Those that there are, and those of the steps."""
    ids = {key_id: name for name, key_id in names.find(connection, {*keys, STEPS}).items()}
    table: Table = {run_id: {} for run_id in run_ids}
    if not ids or not table:
        return table
    rows = connection.execute(_FIND, {"runs": list(table), "keys": list(ids)}).all()
    for run_id, key_id, points, folded, number, word, last_step in rows:
        name, last = ids[key_id], number if word is None else float(word)
        table[run_id][name] = Found(name, Series(key_id, points, folded), last, last_step)
    return table


def finals(
    session: Session, memory: Remembered[Values], table: Table, wanted: Mapping[str, Wanted]
) -> dict[str, Values]:
    """By run, of the wanted keys that it has; NaN where one of the values is not finite.

    They stay what they are as long as the run has as many records, and as many were taken back.
    """
    states = stream_states(session, list(wanted))
    has = {run_id: wanted[run_id].of(table[run_id]) for run_id in states}
    known = memory.recall(states)
    lacking = {run_id: one for run_id, one in has.items() if not known.get(run_id, {}).keys() >= set(one.keys)}
    new = dict(_read(session.connection(), table, lacking))
    memory.keep(states, new)
    known |= new
    return {run_id: {key: known[run_id][key] for key in one.keys} for run_id, one in has.items() if one.keys}


def _read(connection: Connection, table: Table, wanted: Mapping[str, Wanted]) -> Iterator[tuple[str, Values]]:
    runs = iter(wanted)
    while some := list(islice(runs, _AT_ONCE)):
        late = tail.read_whole(connection, some)
        for run_id in some:
            yield run_id, _finals(connection, run_id, table[run_id], wanted[run_id], late.get(run_id))


def _finals(
    connection: Connection, run_id: str, found: Mapping[str, Found], asked: Wanted, late: Batch | None
) -> Values:
    steps = found[STEPS]
    begin = (1 - asked.share) * steps.last_step
    wanted = {key: found[key] for key in asked.keys}
    values = {key: each.last for key, each in wanted.items()}
    long = [each for each in wanted.values() if each.series.points > 1 and each.last_step >= begin]
    if long:
        reader = SeriesReader(connection, run_id, steps.series.key, LAYOUT, late=late)
        values |= _medians(reader, long, begin)
    return values


def _medians(reader: SeriesReader, found: Sequence[Found], begin: float) -> Values:
    views = {each.series.key: View(0, max(0, each.series.points - MOST_VALUES), each.series.points) for each in found}
    read = reader.read({each.series.key: each.series for each in found}, views)
    medians = {}
    for each in found:
        points = read[each.series.key]
        inside = points.last[points.x_last[0] >= begin]
        medians[each.key] = lower_median(inside) if np.isfinite(inside).all() else float("nan")
    return medians
