"""What the server was told, read from the environment once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dreamer_core.errors import UsageError

_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class Settings:
    data: Path  # everything that is not in the database: artifacts, secrets, the default database itself
    database_url: str
    broker_url: str | None  # None: nothing wakes workers up, they ask by themselves
    artifacts_url: str  # a folder, or any address that fsspec knows
    token: str | None  # what API clients say; None: the one in the data folder
    host: str = "127.0.0.1"
    port: int = 8420
    lease_s: float = 30.0  # a worker that is silent for longer is lost
    timer_s: float = 2.0  # how often leases and queues are looked at
    login_code: str | None = None  # opens a session once
    trusted_hosts: tuple[str, ...] = ("*",)  # names that the server answers to, "*" for any

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        data = Path(environ.get("DREAMGATE_DATA") or "dreamgate-data").absolute()
        host = environ.get("DREAMGATE_HOST") or "127.0.0.1"
        return cls(
            data=data,
            database_url=_database(environ.get("DREAMGATE_DATABASE_URL"), data),
            broker_url=environ.get("DREAMGATE_BROKER_URL") or None,
            artifacts_url=environ.get("DREAMGATE_ARTIFACTS") or str(data / "artifacts"),
            token=(environ.get("DREAMGATE_TOKEN") or "").strip() or None,  # out of a file it often ends in a newline
            host=host,
            port=_whole("DREAMGATE_PORT", environ, 8420),
            lease_s=_number("DREAMGATE_LEASE_S", environ, 30.0, least=1),
            timer_s=_number("DREAMGATE_TIMER_S", environ, 2.0),
            login_code=environ.get("DREAMGATE_LOGIN_CODE") or None,
            trusted_hosts=_hosts(environ.get("DREAMGATE_TRUSTED_HOSTS"), host),
        )

    @property
    def is_local(self) -> bool:
        """Only this machine can reach it."""
        return self.host in _LOCAL_HOSTS


def _database(url: str | None, data: Path) -> str:
    """Postgres addresses are accepted as people write them, and always spoken to through psycopg."""
    if not url:
        return f"sqlite:///{data / 'dreamgate.db'}"
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            return f"postgresql+psycopg://{url.removeprefix(short)}"
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise UsageError(
            f"DREAMGATE_DATABASE_URL must begin with sqlite:/// or postgresql://, got {url.split(':')[0]}:"
        )
    return url


def _hosts(names: str | None, host: str) -> tuple[str, ...]:
    """A server for this machine alone has a name that is known; of another one only its owner knows it."""
    if names:
        return (*(name.strip().lower() for name in names.split(",") if name.strip()), *_LOCAL_HOSTS)
    return _LOCAL_HOSTS if host in _LOCAL_HOSTS else ("*",)


def _whole(name: str, environ: Mapping[str, str], default: int) -> int:
    number = _number(name, environ, default)
    if not number.is_integer() or not 0 <= number <= 65535:
        raise UsageError(f"{name} must be a port from 0 to 65535, got {number}")
    return int(number)


def _number(name: str, environ: Mapping[str, str], default: float, least: int = 0) -> float:
    text = environ.get(name)
    try:
        number = float(text) if text else float(default)
    except ValueError:
        raise UsageError(f"{name} must be a number, got {text!r}") from None
    if not least <= number < 1e6:
        raise UsageError(f"{name} must be from {least} to a million, got {text!r}")
    return number
