"""`dreamgate migrate`, and what `serve` makes of an old database."""

import sys
from pathlib import Path

import pytest

from dreamer_core.cli.main import main
from dreamer_core.errors import DreamgateError, UsageError
from server import migrate
from server.cli.migrate import Migration, explained, refuse_old
from server.database import Database
from server.revision import is_up_to_date


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DREAMGATE_DATABASE_URL", raising=False)
    return tmp_path


def migrates(data: Path, *words: str) -> int:
    return main(["migrate", "--data", str(data), *words])


def test_a_database_is_brought_up_to_date_and_down_again(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert migrates(data, "--check") == 1
    assert migrates(data) == 0
    assert migrates(data, "--check") == 0
    assert migrates(data, "--down", "base") == 0
    assert migrates(data, "--check") == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"the database is empty, this version needs {migrate.head()}: run `dreamgate migrate`"
    assert said[1:4] == [
        f"the database is at {migrate.head()} now",
        f"the database is at {migrate.head()}: nothing to do",
        "the database is empty now",
    ]


def test_a_revision_that_does_not_exist_is_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    migrates(data)
    assert migrates(data, "--down", "9999") == 2
    assert "9999" in capsys.readouterr().err


def test_serving_brings_an_old_database_up_to_date(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    migrate.upgrade(database, "0001")
    Migration(database).finish()
    assert is_up_to_date(database)
    database.close()


def test_serving_starts_no_migration_where_there_is_nothing_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    Migration(database).finish()
    assert is_up_to_date(database)
    database.close()


def test_a_new_database_that_cannot_be_written_is_left_to_the_migration_to_explain(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.db").write_text("this is no database")
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    with pytest.raises(DreamgateError, match="could not be brought up to date"):
        Migration(database).finish()
    assert "cannot be used: file is not a database" in capfd.readouterr().err
    database.close()


def test_serving_starts_no_migration_where_nothing_is_to_be_done(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    Migration(database).finish()


def test_a_migration_that_fails_ends_the_start_with_its_exit_code(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    migrate.upgrade(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'newer'")
    with pytest.raises(DreamgateError, match="could not be brought up to date") as caught:
        Migration(database).finish()
    assert caught.value.exit_code == 2
    database.close()


def test_an_old_database_is_refused_where_it_must_not_be_migrated(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    assert not is_up_to_date(database)
    with pytest.raises(UsageError, match=r"the database is empty, this version needs .*: run `dreamgate migrate`"):
        refuse_old(database)
    database.close()


def test_a_database_that_is_away_is_named_without_its_password() -> None:
    database = Database("postgresql+psycopg://somebody:secret@127.0.0.1:1/dreamgate")
    with pytest.raises(DreamgateError, match=r"127\.0\.0\.1:1/dreamgate cannot be used") as caught, explained(database):
        refuse_old(database)
    assert "secret" not in str(caught.value)
