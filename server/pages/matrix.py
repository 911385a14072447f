"""The gate matrix: suites by commits. A cell is the newest run of that suite on that commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, select, type_coerce
from sqlmodel import Session, col

from server.suites import applied
from server.tables import SuiteRun, SuiteState

MOST_COMMITS = 50
_MOST_RUNS = 5_000  # of the newest that are looked at: what is older is on the pages of its suites


@dataclass(frozen=True, slots=True)
class Cell:
    id: str
    word: str  # its verdict, or running
    at: float


@dataclass(frozen=True, slots=True)
class Column:
    commit: str  # empty: what the workers had installed
    branch: str | None
    at: float  # of its newest suite run


@dataclass(frozen=True, slots=True)
class Row:
    suite: str
    question: str
    cells: Sequence[Cell | None]


@dataclass(frozen=True, slots=True)
class Matrix:
    columns: Sequence[Column]
    rows: Sequence[Row]
    branches: Sequence[str]

    @property
    def is_running(self) -> bool:
        return any(cell is not None and cell.word == SuiteState.RUNNING for row in self.rows for cell in row.cells)


def read_matrix(session: Session, branch: str | None, most: int = MOST_COMMITS) -> Matrix:
    """Three queries, however large it is. Suites without a run have a row too."""
    columns: dict[str, Column] = {}
    cells: dict[tuple[str, str], Cell] = {}
    for run_id, suite, commit, its_branch, state, verdict, at in session.connection().execute(_newest(branch)):
        place = commit or ""
        if place not in columns:
            if len(columns) == most:
                continue
            columns[place] = Column(place, its_branch, at)
        cells.setdefault((suite, place), Cell(run_id, verdict or state, at))
    asks = {row.name: str(row.body.get("question", "")) for row in session.exec(applied.newest())}
    names = sorted(asks.keys() | {suite for suite, _ in cells})
    rows = [Row(name, asks.get(name, ""), [cells.get((name, place)) for place in columns]) for name in names]
    return Matrix(list(columns.values()), rows, _branches(session))


def _newest(branch: str | None) -> Any:
    run = SuiteRun
    words = (type_coerce(col(run.state), String), type_coerce(col(run.verdict), String))  # thousands of them
    query = select(col(run.id), col(run.suite), col(run.commit), col(run.branch), *words, col(run.created_at))
    query = query.order_by(col(run.created_at).desc(), col(run.id).desc()).limit(_MOST_RUNS)
    return query if branch is None else query.where(col(run.branch) == branch)


def _branches(session: Session) -> list[str]:
    query = select(col(SuiteRun.branch)).where(col(SuiteRun.branch).is_not(None)).distinct()
    return sorted(filter(None, session.connection().execute(query).scalars()))
