"""Exports as columns: an Arrow stream, and Parquet. What is missing is null; NaN and infinities are themselves."""

import io
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from server.errors import InvalidError
from server.metrics.batch import AXES, Batch
from server.metrics.export import Export


def need_pyarrow() -> None:
    """Asked before an answer begins: after that there is no way to say it."""
    if find_spec("pyarrow") is None:
        raise InvalidError(
            "This server cannot write Arrow and Parquet: it has no pyarrow.",
            where="format",
            todo="Ask for json or csv, or install dreamgate[server] whole.",
        )


def arrow_stream(export: Export, batches: Iterable[Batch]) -> Iterator[bytes]:
    import pyarrow as pa

    sink = _Sink()
    return _written(pa.ipc.new_stream(sink, _schema(export)), sink, export, batches)


def parquet(export: Export, batches: Iterable[Batch]) -> Iterator[bytes]:
    import pyarrow.parquet as pq

    sink = _Sink()
    writer = pq.ParquetWriter(sink, _schema(export), compression="zstd")
    return _written(writer, sink, export, batches)


class _Sink(io.RawIOBase):
    """A file that is taken away as it is written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _written(writer: Any, sink: _Sink, export: Export, batches: Iterable[Batch]) -> Iterator[bytes]:
    for batch in batches:
        writer.write_batch(_record_batch(export, batch))
        yield sink.taken()
    writer.close()
    yield sink.taken()


def _schema(export: Export) -> Any:
    import pyarrow as pa

    kinds = dict(zip(AXES, (pa.int64(), pa.int64(), pa.float64()), strict=True))
    return pa.schema(list((kinds | dict.fromkeys(export.names.values(), pa.float64())).items()))


def _record_batch(export: Export, batch: Batch) -> Any:
    import pyarrow as pa

    schema, points = _schema(export), batch.points()
    columns = [
        pa.array(axis, mask=np.isnan(axis)).cast(schema.field(place).type) for place, axis in enumerate(batch.axes)
    ]
    for key in export.names:
        values, missing = np.zeros(batch.records), np.ones(batch.records, bool)
        if key in points:
            numbers, found = points[key]
            values[numbers], missing[numbers] = found, False
        columns.append(pa.array(values, mask=missing))
    return pa.record_batch(columns, schema=schema)
