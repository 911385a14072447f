"""A small picture in PNG, written by hand: what a visualization leaves behind."""

import struct
import zlib


def checkerboard(size: int = 96, square: int = 12) -> bytes:
    rows = (_row(y, size, square) for y in range(size))
    return (
        b"\x89PNG\r\n\x1a\n"
        + _part(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0))
        + (_part(b"IDAT", zlib.compress(b"".join(rows))) + _part(b"IEND", b""))
    )


def _row(y: int, size: int, square: int) -> bytes:
    return b"\x00" + bytes(200 if (x // square + y // square) % 2 else 60 for x in range(size))


def _part(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
