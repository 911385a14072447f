"""Create experiments and runs, jobs and workers, metrics, logs and artifacts.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATES = "state IN ('queued', 'running', 'stopping', 'succeeded', 'failed', 'cancelled')"


def upgrade() -> None:
    _create_experiments_and_runs()
    _create_jobs_and_workers()
    _create_metrics()
    _create_files()
    _create_repeated_requests()


def downgrade() -> None:
    for table in (
        "repeated_request",
        "artifact",
        "log_chunk",
        "metric_pyramid",
        "metric_chunk",
        "metric_series",
        "metric_tail",
        "metric_stream",
        "metric_key",
        "attempt",
        "job_need",
        "job",
        "worker",
        "event",
        "run_tag",
        "run",
        "experiment",
    ):
        op.drop_table(table)  # and its indexes


def _create_experiments_and_runs() -> None:
    op.create_table(
        "experiment",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("deleted_at", sa.Float()),
        sa.PrimaryKeyConstraint("id", name="pk_experiment"),
        sa.UniqueConstraint("name", name="uq_experiment_name"),
    )
    _create_run()
    op.create_table(
        "run_tag",
        _run_id("run_tag"),
        sa.Column("tag", sa.String(60), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "tag", name="pk_run_tag"),
    )
    op.create_index("ix_run_tag_tag", "run_tag", ["tag"])
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        _run_id("event"),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("env_steps", sa.BigInteger()),
        sa.Column("train_steps", sa.BigInteger()),
        sa.Column("facts", _json(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_event_run_id_origin_position", "event", ["run_id", "origin", "position"], unique=True)
    op.create_index("ix_event_run_id_id", "event", ["run_id", "id"])


def _create_run() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("experiment_id", sa.String(12), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("preset", sa.String(120)),
        sa.Column("env", sa.String(120)),
        sa.Column("recipe", sa.String(16)),
        sa.Column("mode", sa.String(16)),
        sa.Column("seed", sa.BigInteger()),
        sa.Column("family", sa.String(12)),
        sa.Column("fingerprint", sa.String(12)),
        sa.Column("seed_group", sa.String(12), nullable=False),
        sa.Column("commit", sa.String(40)),
        sa.Column("parent_id", sa.String(12)),
        sa.Column("hypothesis", sa.Text(), nullable=False),
        sa.Column("primary_metric", sa.String(120)),
        sa.Column("conclusion", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("env_steps", sa.BigInteger(), nullable=False),
        sa.Column("train_steps", sa.BigInteger(), nullable=False),
        sa.Column("total_steps", sa.BigInteger()),
        sa.Column("steps_per_s", sa.Float()),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float()),
        sa.Column("ended_at", sa.Float()),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.Column("deleted_at", sa.Float()),
        sa.Column("config", _json(), nullable=False),
        sa.Column("manifest", _json()),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name="fk_run_experiment_id_experiment"),
        sa.ForeignKeyConstraint(["parent_id"], ["run.id"], name="fk_run_parent_id_run"),
        sa.CheckConstraint(_STATES, name=op.f("ck_run_state")),
    )
    op.create_index("ix_run_created_at_id", "run", ["created_at", "id"])
    op.create_index("ix_run_experiment_id_created_at_id", "run", ["experiment_id", "created_at", "id"])
    op.create_index("ix_run_state_created_at_id", "run", ["state", "created_at", "id"])
    op.create_index("ix_run_seed_group", "run", ["seed_group"])
    op.create_index("ix_run_parent_id", "run", ["parent_id"])


def _create_jobs_and_workers() -> None:
    op.create_table(
        "worker",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("queues", _json(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("free_slots", sa.Integer(), nullable=False),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.Column("runs_commits", sa.Boolean(), nullable=False),
        sa.Column("facts", _json(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
        sa.UniqueConstraint("name", name="uq_worker_name"),
    )
    op.create_table(
        "job",
        _run_id("job"),
        sa.Column("queue", sa.String(60), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.Column("arguments", _json(), nullable=False),
        sa.Column("checkpoint_run_id", sa.String(12)),
        sa.Column("checkpoint", sa.String(60)),
        sa.Column("limits", _json(), nullable=False),
        sa.Column("queued_at", sa.Float(), nullable=False),
        sa.Column("not_before", sa.Float()),
        sa.Column("cancel_requested_at", sa.Float()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("max_lost", sa.Integer(), nullable=False),
        sa.Column("fresh", sa.Boolean(), nullable=False),
        sa.Column("resume_changes", _json(), nullable=False),
        sa.Column("lease_token", sa.String(32)),
        sa.Column("lease_worker_id", sa.String(12)),
        sa.Column("lease_until", sa.Float()),
        sa.Column("usage", _json()),
        sa.PrimaryKeyConstraint("run_id", name="pk_job"),
        sa.ForeignKeyConstraint(["checkpoint_run_id"], ["run.id"], name="fk_job_checkpoint_run_id_run"),
    )
    op.create_index("ix_job_lease_until", "job", ["lease_until"])
    _create_needs_and_attempts()


def _create_needs_and_attempts() -> None:
    op.create_table(
        "job_need",
        _run_id("job_need", "job.run_id"),
        sa.Column("needs_id", sa.String(12), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "needs_id", name="pk_job_need"),
        sa.ForeignKeyConstraint(["needs_id"], ["run.id"], name="fk_job_need_needs_id_run", ondelete="CASCADE"),
    )
    op.create_index("ix_job_need_needs_id", "job_need", ["needs_id"])
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        _run_id("attempt", "job.run_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.String(12), nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float()),
        sa.Column("outcome", sa.String(16)),
        sa.Column("next_state", sa.String(16)),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("reason", sa.Text()),
        sa.Column("peak", _json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name="fk_attempt_worker_id_worker"),
    )
    op.create_index("uq_attempt_run_id_number", "attempt", ["run_id", "number"], unique=True)


def _create_metrics() -> None:
    op.create_table(
        "metric_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metric_key"),
        sa.UniqueConstraint("name", name="uq_metric_key_name"),
    )
    op.create_table(
        "metric_stream",
        _run_id("metric_stream"),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("folded", sa.BigInteger(), nullable=False),
        sa.Column("tail_points", sa.BigInteger(), nullable=False),
        sa.Column("rewinds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_metric_stream"),
    )
    op.create_table(
        "metric_tail",
        _run_id("metric_tail"),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "first", name="pk_metric_tail"),
    )
    _create_metric_series()


def _create_metric_series() -> None:
    op.create_table(
        "metric_series",
        _run_id("metric_series"),
        _key_id("metric_series"),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("folded", sa.BigInteger(), nullable=False),
        sa.Column("non_finite", sa.BigInteger(), nullable=False),
        sa.Column("first_non_finite", sa.BigInteger()),
        sa.Column("last", sa.Double()),
        sa.Column("last_word", sa.String(9)),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("min", sa.Double()),
        sa.Column("max", sa.Double()),
        sa.PrimaryKeyConstraint("run_id", "key_id", name="pk_metric_series"),
    )
    for value in ("last", "min", "max"):  # what runs are sorted by
        op.create_index(f"ix_metric_series_key_id_{value}_run_id", "metric_series", ["key_id", value, "run_id"])
    op.create_table(
        "metric_chunk",
        _run_id("metric_chunk"),
        _key_id("metric_chunk"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_record", sa.BigInteger(), nullable=False),
        sa.Column("last_record", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "key_id", "number", name="pk_metric_chunk"),
    )
    op.create_index("ix_metric_chunk_run_id_last_record", "metric_chunk", ["run_id", "last_record", "first_record"])
    op.create_table(
        "metric_pyramid",
        _run_id("metric_pyramid"),
        _key_id("metric_pyramid"),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "key_id", "level", "number", name="pk_metric_pyramid"),
    )


def _create_files() -> None:
    op.create_table(
        "log_chunk",
        _run_id("log_chunk"),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "start", name="pk_log_chunk"),
    )
    op.create_table(
        "artifact",
        sa.Column("id", sa.Integer(), nullable=False),
        _run_id("artifact"),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(120), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_artifact"),
    )
    op.create_index("uq_artifact_run_id_name", "artifact", ["run_id", "name"], unique=True)
    op.create_index("ix_artifact_sha256", "artifact", ["sha256"])


def _create_repeated_requests() -> None:
    op.create_table(
        "repeated_request",
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("path", sa.String(255), nullable=False),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", _json(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", "path", name="pk_repeated_request"),
    )
    op.create_index("ix_repeated_request_created_at", "repeated_request", ["created_at"])


def _run_id(table: str, target: str = "run.id") -> sa.Column[str]:
    name = f"fk_{table}_run_id_{target.split('.')[0]}"
    return sa.Column("run_id", sa.String(12), sa.ForeignKey(target, name=name, ondelete="CASCADE"), nullable=False)


def _key_id(table: str) -> sa.Column[int]:
    key = sa.ForeignKey("metric_key.id", name=f"fk_{table}_key_id_metric_key")
    return sa.Column("key_id", sa.Integer(), key, nullable=False)


def _json() -> sa.JSON:
    return sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
