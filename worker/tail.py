"""Whole lines of a file that another process appends to, from any line on, remembered by number and by byte."""

from pathlib import Path

_BLOCK = 2**20


class LineTail:
    """Reading does not move it on; only `advance` does, once the lines have arrived where they should."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0  # lines that lie behind
        self.offset = 0  # bytes that they take

    def peek(self, lines: int, size: int) -> list[bytes]:
        """At most `lines` of the next whole lines, without their ends, of at most `size` bytes, but one at least."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                found = file.read(size)
                while found and b"\n" not in found and (more := file.read(size)):  # one line longer than `size`
                    found += more
        except FileNotFoundError:
            return []
        return found.split(b"\n")[:-1][:lines]

    def advance(self, lines: list[bytes]) -> None:
        self.count += len(lines)
        self.offset += sum(len(line) + 1 for line in lines)

    def seek(self, count: int) -> None:
        """To behind line `count`, counted from the start; to behind the last whole one where there are fewer."""
        self.count = self.offset = 0
        try:
            with self.path.open("rb") as file:
                while self.count < count and (line := file.readline()).endswith(b"\n"):
                    self.count += 1
                    self.offset += len(line)
        except FileNotFoundError:
            return
