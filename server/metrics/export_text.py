"""Exports as text: lines of JSON as in metrics.jsonl, and CSV. NaN and infinities are words, missing is absent."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from dreamer_core.metrics.jsonsafe import dumps, word
from server.metrics.batch import AXES, Batch
from server.metrics.export import Export
from server.metrics.read import as_records


def json_lines(export: Export, batches: Iterable[Batch]) -> Iterator[bytes]:
    for batch in batches:
        yield "".join(_line(record) for record in as_records(batch, export.names)).encode()


def csv_lines(export: Export, batches: Iterable[Batch]) -> Iterator[bytes]:
    yield _csv([[*AXES, *export.names.values()]])
    for batch in batches:
        yield _csv(zip(*_columns(export, batch), strict=True))


def _line(record: dict[str, Any]) -> str:
    try:
        return json.dumps(record, allow_nan=False, ensure_ascii=False) + "\n"
    except ValueError:  # some are not finite, which is rare
        return dumps(record) + "\n"


def _csv(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _columns(export: Export, batch: Batch) -> Iterator[list[Any]]:
    yield [int(step) for step in batch.axes[0].tolist()]
    yield ["" if step != step else int(step) for step in batch.axes[1].tolist()]
    yield ["" if seconds != seconds else seconds for seconds in batch.axes[2].tolist()]
    points = batch.points()
    for key in export.names:
        column: list[Any] = [""] * batch.records
        numbers, values = points.get(key, (None, None))
        if numbers is not None and values is not None:
            for number, value in zip(numbers.tolist(), values.tolist(), strict=True):
                column[number] = word(value) or value
        yield column
