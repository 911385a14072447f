"""Columns of numbers as bytes: what a run logs is mostly ramps, repeats and slow drift, and is kept as such.

    u8 version, u8 columns, then for each column: u8 form, u32 values, u32 bytes; then the bytes of each column.

Every number is a float64 and comes back bit for bit: a NaN keeps its bits, whole numbers are exact up to 2**53.
"""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_VERSION = 1
_HEAD = struct.Struct("<BB")
_COLUMN = struct.Struct("<BII")
_RAMP_BODY = struct.Struct("<dd")
_PLAIN, _RAMP, _PACKED = 0, 1, 2
_TRIED, _WORTH = 256, 0.85


def pack(columns: Sequence[Floats], *, small: bool) -> bytes:
    """`small` takes a fifteenth of a millisecond per thousand numbers: not worth it for what is soon rewritten."""
    forms = [_small(column) if small else (_PLAIN, column.tobytes()) for column in columns]
    heads = [_COLUMN.pack(form, len(column), len(body)) for column, (form, body) in zip(columns, forms, strict=True)]
    return b"".join([_HEAD.pack(_VERSION, len(columns)), *heads, *(body for _, body in forms)])


class Columns:
    """Reads only what is asked for."""

    def __init__(self, body: bytes) -> None:
        version, count = _HEAD.unpack_from(body)
        assert version == _VERSION, f"a body of metrics has version {version}; this server knows {_VERSION}"
        self._body = body
        self._heads = [_COLUMN.unpack_from(body, _HEAD.size + _COLUMN.size * n) for n in range(count)]

    def __len__(self) -> int:
        return len(self._heads)

    def rows(self, index: int) -> int:
        return int(self._heads[index][1])

    def __getitem__(self, index: int) -> Floats:
        form, count, size = self._heads[index]
        start = _HEAD.size + _COLUMN.size * len(self._heads) + sum(head[2] for head in self._heads[:index])
        if form == _PLAIN:
            return np.frombuffer(self._body, np.float64, count, start)
        if form == _RAMP:
            first, step = _RAMP_BODY.unpack_from(self._body, start)
            return _ramp(first, step, count)
        return _unpacked(zlib.decompress(memoryview(self._body)[start : start + size]), count)


def _small(column: Floats) -> tuple[int, bytes]:
    if len(column) > 1:
        first, step = float(column[0]), float(column[1]) - float(column[0])
        if np.array_equal(_ramp(first, step, len(column)).view(np.int64), column.view(np.int64)):
            return _RAMP, _RAMP_BODY.pack(first, step)
    # Most metrics are noise in all their digits: a part tells, and trying the whole would double the time of folding.
    packed = _packed(column[:_TRIED])
    if packed is not None and len(column) > _TRIED:
        packed = _packed(column)
    return (_PLAIN, column.tobytes()) if packed is None else (_PACKED, packed)


def _packed(column: Floats) -> bytes | None:
    """None where it is not worth it."""
    packed = zlib.compress(_shuffled(column), 1)
    return packed if len(packed) < _WORTH * column.nbytes else None


def _ramp(first: float, step: float, count: int) -> Floats:
    with np.errstate(all="ignore"):  # infinite ones are tried too, and are found to be no ramp
        return first + step * np.arange(count, dtype=np.float64)


def _shuffled(column: Floats) -> bytes:
    """Differences of the bits, then all first bytes, all second bytes, ...: neighbors share most of them."""
    differences = np.diff(column.view(np.int64), prepend=0)
    return np.ascontiguousarray(differences.view(np.uint8).reshape(-1, 8).T).tobytes()


def _unpacked(shuffled: bytes, count: int) -> Floats:
    differences = np.ascontiguousarray(np.frombuffer(shuffled, np.uint8).reshape(8, count).T).view(np.int64)
    return np.cumsum(differences.reshape(count)).view(np.float64)
