"""Reading what a trainer sends: strict JSON to columns, or one sentence that names the key and the record."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NoReturn

import numpy as np

from server.errors import InvalidError
from server.jsonvalues import LARGEST
from server.metrics.batch import AXES, STEPS, Batch
from server.metrics.columns import Floats, Ints
from server.metrics.values import read_axis, read_values, where

MAX_BYTES = 8 * 2**20
MAX_RECORDS = 20_000
MAX_KEYS = 2_000
MAX_KEY = 200


@dataclass(frozen=True)
class Sent:
    """`batch.keys` are places in `names`."""

    offset: int
    names: Sequence[str]
    batch: Batch


# One key's values and the record that each belongs to.
_Column = tuple[Sequence[int], Sequence[Any]]


def parse(body: bytes) -> Sent:
    sent = _object(body)
    offset = sent.get("offset")
    if type(offset) is not int or not 0 <= offset <= LARGEST:
        raise InvalidError(
            "offset must be the number of the first record, a whole number from 0.", where="offset", seen=offset
        )
    if sent.keys() == {"offset", "records"}:
        count, columns = _of_records(sent["records"])
    elif sent.keys() == {"offset", "columns"}:
        count, columns = _of_columns(sent["columns"])
    else:
        raise InvalidError("Send offset, and either records or columns.", where="body", seen=sorted(sent)[:10])
    return _sent(offset, count, columns)


def is_key(name: str) -> bool:
    return 0 < len(name) <= MAX_KEY and name.isprintable()


def _object(body: bytes) -> dict[str, Any]:
    try:
        sent = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidError(f"The body is not JSON: {error}", where="body", seen=_excerpt(body)) from None
    if not isinstance(sent, dict):
        raise InvalidError("The body must be a JSON object.", where="body", seen=_excerpt(body))
    return sent


def _of_records(records: Any) -> tuple[int, dict[str, _Column]]:
    if not isinstance(records, list) or len(records) > MAX_RECORDS:
        raise InvalidError(f"records must be a list of at most {MAX_RECORDS:,} objects.", where="records")
    if not records:
        return 0, {}
    if set(map(type, records)) != {dict}:
        number = next(number for number, record in enumerate(records) if not isinstance(record, dict))
        raise InvalidError(f"Record {number} must be an object.", where=f"records.{number}", seen=records[number])
    return len(records), _alike(records) or _unlike(records)


def _alike(records: Sequence[Mapping[str, Any]]) -> dict[str, _Column] | None:
    """The quick way, where every record has the same keys."""
    names = tuple(records[0])
    if len(names) < 2 or set(map(len, records)) != {len(names)}:
        return None
    try:
        rows = list(map(itemgetter(*names), records))
    except KeyError:
        return None
    numbers = range(len(records))
    return {name: (numbers, column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def _unlike(records: Sequence[Mapping[str, Any]]) -> dict[str, _Column]:
    columns: dict[str, tuple[list[int], list[Any]]] = {}
    for number, record in enumerate(records):
        for name, value in record.items():
            numbers, values = columns.setdefault(name, ([], []))
            numbers.append(number)
            values.append(value)
    return dict(columns)


def _of_columns(columns: Any) -> tuple[int, dict[str, _Column]]:
    if not isinstance(columns, dict) or not all(isinstance(column, list) for column in columns.values()):
        raise InvalidError("columns must be an object of lists.", where="columns")
    count = len(columns.get(STEPS, ()))
    for name, column in columns.items():
        if len(column) != count:
            message = f"columns.{name[:60]} has {len(column)} values, columns.{STEPS} has {count}; they must be equal."
            raise InvalidError(message, where=f"columns.{name[:60]}", seen=len(column))
    if count > MAX_RECORDS:
        raise InvalidError(f"columns may have at most {MAX_RECORDS:,} values each.", where="columns", seen=count)
    return count, {name: (range(count), column) for name, column in columns.items()}


def _sent(offset: int, count: int, columns: dict[str, _Column]) -> Sent:
    _check_names(columns)
    known = {name: _without_missing(column) for name, column in columns.items()}
    axes = np.full((len(AXES), count), np.nan)
    for row, name in zip(axes, AXES, strict=True):
        numbers, values = known.get(name, ((), ()))
        if name == STEPS and len(numbers) < count:
            lacking = min(set(range(count)) - set(numbers))
            raise InvalidError(f"Record {lacking} has no {STEPS}.", where=where(STEPS, lacking))
        row[_places(numbers)] = read_axis(name, numbers, values)
    names = [name for name, (numbers, _) in known.items() if numbers and (name == STEPS or name not in AXES)]
    return Sent(offset, names, _batch(axes, {name: known[name] for name in names}))


def _check_names(columns: Mapping[str, _Column]) -> None:
    if len(columns) > MAX_KEYS:
        raise InvalidError(f"At most {MAX_KEYS:,} keys in a batch.", where="keys", seen=len(columns))
    for name in columns:
        if not is_key(name):
            shown = name[:60].encode("utf-8", "backslashreplace").decode()
            message = f"A key must be 1 to {MAX_KEY} printable characters, got {shown!r} ({len(name)})."
            raise InvalidError(message, where="keys", seen=shown)


def _without_missing(column: _Column) -> _Column:
    numbers, values = column
    if None not in values:
        return column
    known = [number for number, value in zip(numbers, values, strict=True) if value is not None]
    return known, [value for value in values if value is not None]


def _batch(axes: Floats, columns: Mapping[str, _Column]) -> Batch:
    counts = np.array([len(numbers) for numbers, _ in columns.values()], np.int64)
    parts = [_places(numbers) for numbers, _ in columns.values()]
    values = [read_values(name, numbers, values) for name, (numbers, values) in columns.items()]
    nothing = np.empty(0)
    return Batch(
        axes,
        np.arange(len(counts)),
        counts,
        np.concatenate([nothing.astype(np.int64), *parts]),
        np.concatenate([nothing, *values]),
    )


def _places(numbers: Sequence[int]) -> Ints:
    return np.arange(len(numbers)) if isinstance(numbers, range) else np.array(numbers, np.int64)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f'{constant} without quotes is not JSON, send "{constant}"')


def _excerpt(body: bytes) -> str:
    return body[:80].decode("utf-8", "replace")
