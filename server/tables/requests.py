"""POSTs that came with an Idempotency-Key, and what was answered: the same key gets the same answer."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from server.tables.base import json_column


class RepeatedRequest(SQLModel, table=True):
    __tablename__ = "repeated_request"
    __table_args__ = (Index("ix_repeated_request_created_at", "created_at"),)

    key: str = Field(primary_key=True, max_length=128)
    path: str = Field(primary_key=True, max_length=255)
    body_sha256: str = Field(max_length=64)
    status: int
    answer: dict[str, Any] = Field(sa_column=json_column())
    created_at: float
