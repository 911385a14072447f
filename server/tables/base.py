"""What the tables share: names for constraints, words for closed sets, and how both are stored.

Moments are seconds since 1970 (UTC) as plain numbers: they sort, subtract, and mean the same in every database.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Dialect, Enum
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

# A migration can find and drop a constraint by its name, on every database.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = SQLModel.metadata


class RunKind(StrEnum):
    TRAIN = "train"
    EVAL = "eval"
    BENCH = "bench"
    VIZ = "viz"
    IMPORT = "import"  # its numbers come from somebody else's trainer


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"  # told to stop, still saving
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in FINAL_STATES


FINAL_STATES = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


def word_column(words: type[StrEnum], *, nullable: bool = False, check: str | None = None) -> Column[Any]:
    """A closed set as text: a new word is a change of code, not of a database type. `check`: a constraint's name."""
    kind = Enum(
        words, native_enum=False, create_constraint=check is not None, name=check, length=16, values_callable=_values
    )
    return Column(kind, nullable=nullable)


class _Json(TypeDecorator[Any]):
    """JSONB on Postgres, whose dialect is loaded only where it is in use."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return super().load_dialect_impl(dialect)
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB(none_as_null=True))


def json_column(*, nullable: bool = False) -> Column[Any]:
    return Column(_Json(none_as_null=True), nullable=nullable)


def _values(words: type[StrEnum]) -> list[str]:
    return [word.value for word in words]
