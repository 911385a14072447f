"""A run's metrics: a tail of records as they came, folded into columnar chunks of one series, and a pyramid on top.

A run's records are numbered from 0 in one stream; a series is one key of them. See server/metrics/ for the bytes.
"""

from sqlalchemy import BigInteger, Column, Double, Index, LargeBinary
from sqlmodel import Field, SQLModel


class MetricKey(SQLModel, table=True):
    """A metric's name, once."""

    __tablename__ = "metric_key"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200, unique=True)


class MetricStream(SQLModel, table=True):
    """How many records a run has. Appending moves the count by compare-and-swap: nothing is lost, nothing doubled."""

    __tablename__ = "metric_stream"

    run_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", max_length=12)
    records: int = Field(default=0, sa_type=BigInteger)
    folded: int = Field(default=0, sa_type=BigInteger)  # of them, how many are in chunks; the others are in the tail
    tail_points: int = Field(default=0, sa_type=BigInteger)
    rewinds: int = Field(default=0)  # times that a resumed run took back what its checkpoint had not seen


class MetricTail(SQLModel, table=True):
    """One appended batch of records, all keys of it."""

    __tablename__ = "metric_tail"

    run_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", max_length=12)
    first: int = Field(primary_key=True, sa_type=BigInteger)
    records: int
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class MetricSeries(SQLModel, table=True):
    """One key of one run, and its summary: what a list of runs sorts by."""

    __tablename__ = "metric_series"
    __table_args__ = (
        Index("ix_metric_series_key_id_last_run_id", "key_id", "last", "run_id"),
        Index("ix_metric_series_key_id_min_run_id", "key_id", "min", "run_id"),
        Index("ix_metric_series_key_id_max_run_id", "key_id", "max", "run_id"),
    )

    run_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", max_length=12)
    key_id: int = Field(primary_key=True, foreign_key="metric_key.id")
    points: int = Field(sa_type=BigInteger)
    folded: int = Field(default=0, sa_type=BigInteger)  # of them, how many are in chunks
    non_finite: int = Field(default=0, sa_type=BigInteger)
    first_non_finite: int | None = Field(default=None, sa_type=BigInteger)  # its step
    last: float | None = Field(default=None, sa_column=Column(Double))  # null where it is not finite
    last_word: str | None = Field(default=None, max_length=9)  # NaN, Infinity or -Infinity then
    last_step: int = Field(sa_type=BigInteger)
    min: float | None = Field(default=None, sa_column=Column(Double))  # of the finite ones
    max: float | None = Field(default=None, sa_column=Column(Double))


class MetricChunk(SQLModel, table=True):
    """Up to server.metrics.layout's chunk of points of one series, in order; all but the last are full."""

    __tablename__ = "metric_chunk"
    __table_args__ = (Index("ix_metric_chunk_run_id_last_record", "run_id", "last_record", "first_record"),)

    run_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", max_length=12)
    key_id: int = Field(primary_key=True, foreign_key="metric_key.id")
    number: int = Field(primary_key=True)
    first_record: int = Field(sa_type=BigInteger)
    last_record: int = Field(sa_type=BigInteger)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class MetricPyramid(SQLModel, table=True):
    """Buckets of one series, each over fan**level times as many points as below. A row is written when it is full."""

    __tablename__ = "metric_pyramid"

    run_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", max_length=12)
    key_id: int = Field(primary_key=True, foreign_key="metric_key.id")
    level: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
