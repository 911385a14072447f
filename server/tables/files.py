"""What a run leaves behind: its log as chunks of bytes, and its artifacts by content."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel


class LogChunk(SQLModel, table=True):
    """A piece of a run's log. `start` counts bytes from 0, so a piece that comes twice finds itself already there."""

    __tablename__ = "log_chunk"

    run_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", max_length=12)
    start: int = Field(primary_key=True, sa_type=BigInteger)
    length: int
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # compressed


class Artifact(SQLModel, table=True):
    """A named file of a run. The bytes are stored once under their hash."""

    __tablename__ = "artifact"
    __table_args__ = (
        Index("uq_artifact_run_id_name", "run_id", "name", unique=True),
        Index("ix_artifact_sha256", "sha256"),
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: str = Field(foreign_key="run.id", ondelete="CASCADE", max_length=12)
    name: str = Field(max_length=255)  # a relative path with /
    size: int = Field(sa_type=BigInteger)
    sha256: str = Field(max_length=64)
    media_type: str = Field(max_length=120)
    created_at: float
