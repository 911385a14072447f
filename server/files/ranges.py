"""The Range header of RFC 9110: which bytes of a body of known size are asked for."""

import re
from typing import NamedTuple

_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class Span(NamedTuple):
    start: int
    end: int  # exclusive

    @property
    def length(self) -> int:
        return self.end - self.start


class UnsatisfiableError(ValueError):
    """Well said, but no byte of it is there: the answer is 416."""


def parse(header: str | None, size: int) -> Span | None:
    """None means the whole body: no header, one that cannot be read, or several ranges, which nobody needs here."""
    match = _ONE_RANGE.fullmatch(header) if header else None
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if not first:
        return _checked(Span(max(0, size - int(last)), size))
    if last and int(last) < int(first):
        return None
    return _checked(Span(int(first), min(size, int(last) + 1) if last else size))


def content_range(span: Span, size: int) -> str:
    return f"bytes {span.start}-{span.end - 1}/{size}"


def _checked(span: Span) -> Span:
    if span.length <= 0:
        raise UnsatisfiableError
    return span
