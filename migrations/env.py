"""How Alembic reaches the database: by the connection that server/migrate.py hands it, or by DREAMGATE_DATABASE_URL."""

from alembic import context
from sqlalchemy import Connection

from server.database import Database
from server.settings import Settings
from server.tables import metadata


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,  # SQLite cannot alter most of a table: Alembic then writes a new one and copies
        compare_type=True,
        transactional_ddl=True,  # SQLite can; all or nothing
    )
    with context.begin_transaction():
        context.run_migrations()


handed: Connection | None = context.config.attributes.get("connection")
if handed is not None:
    migrate(handed)
else:
    database = Database(Settings.read().database_url)
    with database.engine.connect() as connection:
        migrate(connection)
        connection.commit()
    database.close()
