"""The sizes of the store. A test may make them small; a database keeps the ones it was written with.

A series' points are numbered from 0. A chunk holds `chunk` of them. A bucket of level 1 stands for `span` points, one
of each further level for `fan` buckets of the level below; level 0 is the points themselves. A pyramid row of level 1
covers one chunk, one of each further level `fan` rows of the level below.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Layout:
    chunk: int = 4096
    span: int = 16
    fan: int = 4
    tail_row: int = 64  # records; a tail row that has fewer takes more
    tail_points: int = 1_000_000  # a tail of more is folded before its chunks are full

    def bucket(self, level: int) -> int:
        """Points that one bucket of this level stands for."""
        return 1 if level == 0 else int(self.span * self.fan ** (level - 1))

    def row(self, level: int) -> int:
        """Points that one row of this level covers; level 0 has the chunks."""
        return self.chunk if level == 0 else int(self.chunk * self.fan ** (level - 1))

    def level(self, points: int, buckets: int) -> int:
        """The coarsest level that has at least so many buckets for so many points."""
        level = 0
        while points >= buckets * self.bucket(level + 1):
            level += 1
        return level


LAYOUT = Layout()
