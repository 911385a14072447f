"""How far a stream has got, as the text that is sent as `id:` and comes back as Last-Event-ID."""

import re
from typing import NamedTuple, Self

from server.errors import InvalidError
from server.live.events import LARGEST_ID

_RUN = re.compile(r"m(\d{1,16})\.(\d{1,9})-e(\d{1,16})-l(\d{1,16})-v(\d{1,9})", re.ASCII)
_EVERYTHING = re.compile(r"e(\d{1,10})((?:\.\d{1,10}){0,100})", re.ASCII)


class RunCursor(NamedTuple):
    records: int
    rewinds: int
    event: int  # the id of the last one seen
    log: int  # bytes
    version: int

    def __str__(self) -> str:
        return f"m{self.records}.{self.rewinds}-e{self.event}-l{self.log}-v{self.version}"

    @classmethod
    def read(cls, text: str) -> Self:
        return cls(*map(int, _match(_RUN, text, "m120.0-e45-l8811-v7").groups()))


class EverythingCursor(NamedTuple):
    """`late`: ids below `event` that were not there yet. A slow transaction may still bring them."""

    event: int
    late: tuple[int, ...] = ()

    def __str__(self) -> str:
        return ".".join(map(str, (f"e{self.event}", *self.late)))

    @classmethod
    def read(cls, text: str) -> Self:
        event, late = _match(_EVERYTHING, text, "e45").groups()
        ids = [min(int(number), LARGEST_ID) for number in (event, *late.split(".")) if number]
        return cls(ids[0], tuple(ids[1:]))


def _match(pattern: re.Pattern[str], text: str, example: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise InvalidError(
            f"This is not a cursor of this stream, which looks like {example}.",
            where="Last-Event-ID",
            seen=text,
            todo="Send the last `id:` of this very stream, or none, which begins now.",
        )
    return match
