"""Say which commit a run really ran, and what keeps a worker from taking jobs.

Revision ID: 0003
Revises: 0002
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_RUNS = sa.text("SELECT id, manifest FROM run WHERE manifest IS NOT NULL")
_SAY = sa.text("UPDATE run SET source_commit = :commit WHERE id = :id")


def upgrade() -> None:
    column = sa.Column("source_commit", sa.String(40))
    if op.get_context().dialect.name == "sqlite":
        # Written anew, because SQLite walks over the columns that come first: long ones are the last.
        with op.batch_alter_table("run", recreate="always") as run:
            run.add_column(column, insert_after="commit")
    else:
        op.add_column("run", column)
    _say_of_those_that_are_there()
    op.add_column("worker", sa.Column("problem", sa.Text()))


def downgrade() -> None:
    op.drop_column("worker", "problem")
    if op.get_context().dialect.name == "sqlite":
        with op.batch_alter_table("run", recreate="always") as run:
            run.drop_column("source_commit")
    else:
        op.drop_column("run", "source_commit")


def _say_of_those_that_are_there() -> None:
    connection = op.get_bind()
    said = [{"id": row.id, "commit": _commit(row.manifest)} for row in connection.execute(_RUNS)]
    if found := [row for row in said if row["commit"]]:
        connection.execute(_SAY, found)


def _commit(manifest: Any) -> str | None:
    """SQLite gives JSON as text, Postgres as what it says. A manifest may come from anybody's trainer."""
    tree = json.loads(manifest) if isinstance(manifest, str) else manifest
    source = tree.get("source") if isinstance(tree, dict) else None
    commit = source.get("commit") if isinstance(source, dict) else None
    return commit if isinstance(commit, str) and len(commit) <= 40 else None
