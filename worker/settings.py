"""What a worker was told, by its command line and its environment, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dreamer_core.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Settings:
    server: str
    token: str | None
    broker_url: str | None  # None: nobody wakes the worker up, it looks by itself
    runs: Path
    source_repo: str | None  # a clone or an address from which commits may be run; None: only what is installed
    grace_s: float = 120.0  # between asking a child to stop and killing it
    look_s: float = 5.0  # how often an idle worker asks for jobs
    name: str | None = None
    queues: tuple[str, ...] | None = None  # None: as the machine is
    slots: int | None = None

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str] = os.environ,
        *,
        runs: Path | None = None,
        name: str | None = None,
        queues: str | None = None,
        slots: int | None = None,
    ) -> "Settings":
        if slots is not None and not 1 <= slots <= 1024:
            raise UsageError(f"--slots must be from 1 to 1024, got {slots}")
        return cls(
            server=environ.get("DREAMGATE_SERVER") or "http://127.0.0.1:8420",
            token=environ.get("DREAMGATE_TOKEN") or None,
            broker_url=environ.get("DREAMGATE_BROKER_URL") or None,
            runs=(runs or Path(environ.get("DREAMGATE_RUNS") or "runs")).absolute(),
            source_repo=environ.get("DREAMGATE_SOURCE_REPO") or None,
            grace_s=_seconds("DREAMGATE_GRACE_S", environ, 120.0),
            look_s=_seconds("DREAMGATE_LOOK_S", environ, 5.0),
            name=_name(name),
            queues=None if queues is None else _queues(queues),
            slots=slots,
        )


def _name(text: str | None) -> str | None:
    if text is not None and not (0 < len(text) <= 120 and text.isprintable() and "/" not in text):
        raise UsageError(f"--name must have 1 to 120 printable characters and no /, got {text!r}")
    return text


def _queues(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not all(name and len(name) <= 60 and name.isprintable() for name in names):
        raise UsageError(f"--queues must be names with commas between them, e.g. gpu,cpu; got {text!r}")
    return names


def _seconds(name: str, environ: Mapping[str, str], default: float) -> float:
    text = environ.get(name)
    try:
        number = float(text) if text else default
    except ValueError:
        raise UsageError(f"{name} must be a number of seconds, got {text!r}") from None
    if not 0 < number < 1e6:
        raise UsageError(f"{name} must be above 0 and below a million seconds, got {text!r}")
    return number
