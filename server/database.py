"""The connection to the database: SQLite (WAL) or Postgres, behind two ways in, one to read and one to write."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Engine, event, text
from sqlmodel import Session, create_engine

from dreamer_core.metrics.jsonsafe import dumps
from server.errors import UnavailableError

# A network that swallows everything, or a machine that is gone, is noticed within 20 s; the system waits for 15 min.
_NOTICED = {"tcp_user_timeout": 10_000, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2}
# How long a statement waits for another's write (SQLite) or lock (Postgres) before the request answers 503.
BUSY_S = 10


class Database:
    """Reading sees one moment. Writing is one transaction, committed at the end of the block or not at all."""

    def __init__(self, url: str, busy_s: int = BUSY_S) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _sqlite(url, busy_s) if self.is_sqlite else _postgres(url, busy_s)
        self._write_engine = self.engine.execution_options(dreamgate_writes=True)
        # Postgres would otherwise show each statement of a reader another moment.
        moment: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._read_engine = self.engine.execution_options(**moment)
        self._turn = _Turn(busy_s) if self.is_sqlite else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with Session(self._read_engine, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self._turn, Session(self._write_engine, expire_on_commit=False) as session:
            yield session
            session.commit()

    def ping(self) -> None:
        with self.reading() as session:
            session.connection().execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()


class _Turn:
    """SQLite has one writer. Waiting here is fair and takes no time; in SQLite it is a sleep of growing length."""

    def __init__(self, busy_s: float) -> None:
        self._lock, self._busy_s = threading.Lock(), busy_s

    def __enter__(self) -> None:
        # Not for ever: while another process keeps the database, all threads of the server would come to stand here.
        if not self._lock.acquire(timeout=self._busy_s):
            raise UnavailableError("Other writes keep the database busy.", todo="Try again in a moment.")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _sqlite(url: str, busy_s: int) -> Engine:
    path = url.removeprefix("sqlite:///")
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    options = {"check_same_thread": False, "timeout": busy_s}
    engine = create_engine(url, connect_args=options, pool_size=16, json_serializer=dumps)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver guesses
        _switch_to_wal(connection)
        for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # A write that begins as a read could not be upgraded while another one writes: it would fail at once.
        writes = connection.get_execution_options().get("dreamgate_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite's own waiting does not reach this switch: of two that open a new file at once, one is refused at once."""
    give_up = monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > give_up:
                raise
            sleep(0.01)
        else:
            return


def _postgres(url: str, busy_s: int) -> Engine:
    options = f"-c lock_timeout={busy_s * 1000} -c statement_timeout=60000"
    connect = {"connect_timeout": 5, "options": options, **_NOTICED}
    # Postgres takes no NaN in JSON: numbers that are not finite become the words for them.
    return create_engine(url, pool_pre_ping=True, pool_size=16, connect_args=connect, json_serializer=dumps)
