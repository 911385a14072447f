"""Tables for a terminal, in which what is copied from one command to the next is never shortened.

What does not fit a narrow terminal is left out by columns; whoever reads a pipe or a file gets all of them.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_NO_LIMIT = 100_000
_READABLE = 12  # characters of a text in a line, where it must be folded


@dataclass(frozen=True)
class Column:
    name: str
    is_number: bool = False
    is_whole: bool = False  # never shortened or folded
    leaves: int = 0  # where the terminal is too narrow, the highest goes first; 0 stays


@dataclass
class Rows:
    """Texts as they are: nothing in them is markup."""

    columns: Sequence[Column]
    rows: list[Sequence[str]] = field(default_factory=list)

    def add(self, *texts: str) -> None:
        self.rows.append(texts)

    def show(self, *, empty: str) -> None:
        """`empty`: what is said where there is no row."""
        console = make_console()
        if not self.rows:
            console.print(empty, markup=False)
            return
        left = list(range(len(self.columns)))
        endless = console.options.update(width=_NO_LIMIT)
        while console.measure(table := self._table(left), options=endless).minimum > console.width:
            leaving = [place for place in left if self.columns[place].leaves]
            if not leaving:
                break
            left.remove(max(leaving, key=lambda place: self.columns[place].leaves))
        console.print(table)
        self._tell_left_out(left)

    def _table(self, places: Sequence[int]) -> "Table":
        from rich.cells import cell_len
        from rich.markup import escape
        from rich.table import Table

        table = Table()
        for place in places:
            column = self.columns[place]
            widest = max(cell_len(text) for text in (column.name, *(texts[place] for texts in self.rows)))
            is_whole = column.is_number or column.is_whole
            table.add_column(
                escape(column.name),
                justify="right" if column.is_number else "left",
                no_wrap=is_whole,
                overflow="fold",
                min_width=widest if is_whole else min(widest, _READABLE),
            )
        for texts in self.rows:
            table.add_row(*(escape(texts[place]) for place in places))
        return table

    def _tell_left_out(self, left: Sequence[int]) -> None:
        gone = [column.name for place, column in enumerate(self.columns) if place not in left and column.name]
        if gone:
            print(f"dreamgate: too narrow for {', '.join(gone)}; --json and a pipe have them", file=sys.stderr)


def make_console() -> "Console":
    """As wide as the terminal, and without end where there is none."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_NO_LIMIT)
