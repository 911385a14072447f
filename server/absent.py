"""Inserting a row unless there is one already: of two that try at once, one does and the other one knows."""

from importlib import import_module

from sqlalchemy import inspect
from sqlmodel import Session, SQLModel


def insert_if_absent(session: Session, row: SQLModel) -> bool:
    """Whether the row was inserted. Waits for a transaction that is about to insert the same."""
    dialect = import_module(f"sqlalchemy.dialects.{session.get_bind().dialect.name}")  # the one that is in use already
    statement = dialect.insert(type(row)).values(row.model_dump()).on_conflict_do_nothing()
    # Not by rowcount, which psycopg does not give for every insert.
    inserted = statement.returning(*inspect(type(row)).primary_key)
    return session.connection().execute(inserted).first() is not None
