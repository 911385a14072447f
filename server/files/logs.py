"""The log of a run: bytes that only grow, kept as compressed pieces."""

import codecs
import zlib

from sqlalchemy import func
from sqlmodel import Session, col, select

from server.errors import GapError
from server.runs.rows import hold_run
from server.tables import LogChunk

# Whoever sends a log line by line would make a row of each; small pieces join the one before them up to this size.
_JOINED = 32 * 1024
_LOOK_BACK = 256 * 1024  # how much of the end is read at once while lines are counted
_LONGEST_TAIL = 4 * 2**20
_LONGEST_CHARACTER = 4


def append(session: Session, run_id: str, offset: int, data: bytes) -> int:
    """What is here already is skipped. Returns how many bytes there are now."""
    hold_run(session, run_id)
    last = _last(session, run_id)
    size = last.start + last.length if last else 0
    if offset > size:
        raise GapError(
            f"The log of run {run_id} was sent from byte {offset} on, but it has {size}.", expected=size, seen=offset
        )
    new = data[size - offset :]
    if not new:
        return size
    if last is not None and last.length + len(new) <= _JOINED:
        last.body = _packed(zlib.decompress(last.body) + new)
        last.length += len(new)
    else:
        last = LogChunk(run_id=run_id, start=size, length=len(new), body=_packed(new))
    session.add(last)
    session.flush()
    return size + len(new)


def size_of(session: Session, run_id: str) -> int:
    ends = select(LogChunk.start + LogChunk.length).where(LogChunk.run_id == run_id)
    return session.exec(ends.order_by(col(LogChunk.start).desc()).limit(1)).first() or 0


def read(session: Session, run_id: str, start: int, length: int) -> bytes:
    """Fewer bytes where the log ends earlier."""
    first = select(func.max(LogChunk.start)).where(LogChunk.run_id == run_id, LogChunk.start <= start)
    found = select(LogChunk).where(
        LogChunk.run_id == run_id, LogChunk.start >= first.scalar_subquery(), LogChunk.start < start + length
    )
    chunks = session.exec(found.order_by(col(LogChunk.start))).all()
    if not chunks:
        return b""
    begin = start - chunks[0].start
    return b"".join(zlib.decompress(chunk.body) for chunk in chunks)[begin : begin + length]


def read_text(session: Session, run_id: str, start: int, length: int) -> tuple[str, int]:
    """A part as text, and the byte where it ends. A character cut in two by that end is left to the next part, unless
    it alone is longer than the part: whoever reads on from the end must get on."""
    data = read(session, run_id, start, length)
    is_last = start + len(data) >= size_of(session, run_id)
    text, used = codecs.utf_8_decode(data, "replace", is_last)
    if data and not used:
        return read_text(session, run_id, start, _LONGEST_CHARACTER)
    return text, start + used


def tail_start(session: Session, run_id: str, lines: int) -> int:
    """The byte where the last `lines` lines begin; of a log with lines without end, only the last part."""
    size = size_of(session, run_id)
    begin, missing = size, lines
    while begin > max(0, size - _LONGEST_TAIL):
        before = max(0, begin - _LOOK_BACK)
        piece = read(session, run_id, before, begin - before)
        if begin == size:
            missing += piece.endswith(b"\n")  # the end of the last line begins no line
        breaks = piece.count(b"\n")
        if breaks >= missing:
            return before + _nth_from_end(piece, missing) + 1
        begin, missing = before, missing - breaks
    return begin


def _nth_from_end(piece: bytes, count: int) -> int:
    at = len(piece)
    for _ in range(count):
        at = piece.rindex(b"\n", 0, at)
    return at


def _last(session: Session, run_id: str) -> LogChunk | None:
    found = select(LogChunk).where(LogChunk.run_id == run_id).order_by(col(LogChunk.start).desc())
    return session.exec(found.limit(1)).first()


def _packed(data: bytes) -> bytes:
    return zlib.compress(data, 1)
