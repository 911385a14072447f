"""Every test of the server runs on SQLite and, where one answers, on Postgres; time stands still unless it is moved."""

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from server import migrate
from server.app import build_app
from server.database import Database
from server.files.store import Store
from server.house import House
from server.settings import Settings
from server.tables import metadata
from tests.server.fakes import RecordedWakeUps, RentedHouse, SetClock

TOKEN = "a-token-for-tests"
_POSTGRES = ("127.0.0.1", 5432)
_ADDRESS = "postgresql://postgres@127.0.0.1:5432"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A database of our own, migrated once and dropped at the end."""
    try:
        socket.create_connection(_POSTGRES, timeout=1).close()
    except OSError:
        pytest.skip("no Postgres answers on 127.0.0.1:5432")
    name = f"dreamgate_test_{secrets.token_hex(6)}"
    with psycopg.connect(f"{_ADDRESS}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            url = f"postgresql+psycopg://postgres@127.0.0.1:5432/{name}"
            fresh = Database(url)
            migrate.upgrade(fresh)
            fresh.close()
            yield url
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database that is migrated, and empty."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        _empty(url)
        return url
    url = f"sqlite:///{tmp_path / 'dreamgate.db'}"
    database = Database(url)
    migrate.upgrade(database)
    database.close()
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def wake_ups() -> RecordedWakeUps:
    return RecordedWakeUps()


@pytest.fixture
def house(database: Database, tmp_path: Path, clock: SetClock, wake_ups: RecordedWakeUps) -> House:
    """Its timer is off: a test that wants it to look says so, `Timer(house).look()`."""
    data = tmp_path / "data"
    data.mkdir()
    settings = Settings(
        data=data,
        database_url=database.url,
        broker_url=None,
        artifacts_url=str(data / "artifacts"),
        token=TOKEN,
        timer_s=0,
    )
    store = Store(settings.artifacts_url)
    return House(settings=settings, database=database, store=store, wake_ups=wake_ups, clock=clock)


@pytest.fixture(scope="session")
def rented() -> tuple[FastAPI, RentedHouse]:
    """One application for all tests: to build one takes longer than most tests do."""
    house = RentedHouse()
    return build_app(cast("House", house)), house


@pytest.fixture
def client(house: House, rented: tuple[FastAPI, RentedHouse]) -> Iterator[TestClient]:
    """Whoever knows the token. A path is given whole: `/api/v1/runs`."""
    app, place = rented
    place.tenant = house
    with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


def _empty(url: str) -> None:
    """Faster than a new database, and than TRUNCATE."""
    database = Database(url)
    with database.writing() as session:
        for table in reversed(metadata.sorted_tables):
            session.connection().execute(text(f'DELETE FROM "{table.name}"'))
    database.close()
