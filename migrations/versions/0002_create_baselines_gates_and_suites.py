"""Create baselines, gates, suites and what they came to; give runs a stop rule.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_stop_rule()
    _create_baselines()
    _create_suites()
    _create_gates()
    _create_webhooks()


def downgrade() -> None:
    for table in (
        "delivery",
        "webhook",
        "gate_result_run",
        "gate_result",
        "gate",
        "suite_step",
        "suite_run",
        "suite",
        "baseline_run",
        "baseline",
    ):
        op.drop_table(table)  # and its indexes
    _drop_stop_rule()


def _add_stop_rule() -> None:
    """The default is for the runs that are there."""
    column = sa.Column("stop_rule", sa.Text(), nullable=False, server_default="")
    if not _is_sqlite():
        op.add_column("run", column)
        return
    # Written anew, because SQLite walks over the columns that come first: long ones are the last.
    with op.batch_alter_table("run", recreate="always") as run:
        run.add_column(column, insert_after="primary_metric")


def _drop_stop_rule() -> None:
    if not _is_sqlite():
        op.drop_column("run", "stop_rule")
        return
    with op.batch_alter_table("run", recreate="always") as run:
        run.drop_column("stop_rule")


def _is_sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _create_baselines() -> None:
    op.create_table(
        "baseline",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("who", sa.String(120), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("family", sa.String(12)),
        sa.Column("flags", _json(), nullable=False),
        sa.Column("seeds", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.Float()),
        sa.Column("retired_why", sa.Text()),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_baseline"),
    )
    op.create_index("uq_baseline_name_version", "baseline", ["name", "version"], unique=True)
    op.create_table(
        "baseline_run",
        _refers("baseline_run", "baseline_id", "baseline", ondelete="CASCADE"),
        _refers("baseline_run", "run_id", "run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("baseline_id", "run_id", name="pk_baseline_run"),
    )
    op.create_index("ix_baseline_run_run_id", "baseline_run", ["run_id"])


def _create_suites() -> None:
    op.create_table(
        "suite",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("scheduled_at", sa.Float()),
        sa.Column("body", _json(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name="pk_suite"),
    )
    op.create_table(
        "suite_run",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("suite", sa.String(80), nullable=False),
        sa.Column("suite_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("verdict", sa.String(16)),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("commit", sa.String(40)),
        sa.Column("branch", sa.String(120)),
        sa.Column("trigger", sa.String(16), nullable=False),
        sa.Column("who", sa.String(120), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float()),
        sa.Column("body", _json(), nullable=False),
        sa.Column("posted", _json(), nullable=False),
        sa.Column("stopped", _json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suite_run"),
        sa.CheckConstraint("state IN ('running', 'finished', 'cancelled')", name=op.f("ck_suite_run_state")),
    )
    op.create_index("ix_suite_run_suite_created_at_id", "suite_run", ["suite", "created_at", "id"])
    op.create_index("ix_suite_run_state", "suite_run", ["state"])
    op.create_index("ix_suite_run_created_at_id", "suite_run", ["created_at", "id"])
    op.create_table(
        "suite_step",
        _refers("suite_step", "suite_run_id", "suite_run", ondelete="CASCADE"),
        _refers("suite_step", "run_id", "run", ondelete="CASCADE"),
        sa.Column("scenario", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("suite_run_id", "run_id", name="pk_suite_step"),
    )
    op.create_index("ix_suite_step_run_id", "suite_step", ["run_id"])


def _create_gates() -> None:
    op.create_table(
        "gate",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("body", _json(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name="pk_gate"),
    )
    op.create_table(
        "gate_result",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("gate", sa.String(80), nullable=False),
        sa.Column("gate_version", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _refers("gate_result", "baseline_id", "baseline", nullable=True),
        _refers("gate_result", "suite_run_id", "suite_run", ondelete="CASCADE", nullable=True),
        sa.Column("scenario", sa.String(80)),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("commit", sa.String(40)),
        sa.Column("family", sa.String(12)),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("body", _json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gate_result"),
    )
    op.create_index("ix_gate_result_created_at_id", "gate_result", ["created_at", "id"])
    op.create_index("ix_gate_result_gate_created_at_id", "gate_result", ["gate", "created_at", "id"])
    op.create_index("ix_gate_result_suite_run_id", "gate_result", ["suite_run_id"])
    op.create_table(
        "gate_result_run",
        _refers("gate_result_run", "result_id", "gate_result", ondelete="CASCADE"),
        _refers("gate_result_run", "run_id", "run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("result_id", "run_id", name="pk_gate_result_run"),
    )
    op.create_index("ix_gate_result_run_run_id", "gate_result_run", ["run_id"])


def _create_webhooks() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("secret", sa.String(120), nullable=False),
        sa.Column("suites", _json(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(12), nullable=False),
        _refers("delivery", "webhook_id", "webhook", ondelete="CASCADE"),
        _refers("delivery", "suite_run_id", "suite_run", ondelete="CASCADE"),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
    )
    op.create_index("ix_delivery_due_at", "delivery", ["due_at"])
    op.create_index("ix_delivery_suite_run_id", "delivery", ["suite_run_id"])


def _json() -> sa.JSON:
    return sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def _refers(table: str, column: str, to: str, *, ondelete: str | None = None, nullable: bool = False) -> sa.Column[str]:
    key = sa.ForeignKey(f"{to}.id", name=f"fk_{table}_{column}_{to}", ondelete=ondelete)
    return sa.Column(column, sa.String(12), key, nullable=nullable)
