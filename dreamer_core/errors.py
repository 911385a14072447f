"""Everything that can go wrong in a way we foresee, and the exit code it ends a command with.

DreamgateError                 4  it broke
├── UsageError                 2  you called it wrong
│   ├── ConfigError               a key, a type or a range
│   ├── MissingExtraError         a package that is an optional extra
│   └── CheckpointError           a checkpoint that is absent, damaged or of another kind
├── EnvError                   4  an environment broke in its own process
├── NonFiniteError             4  training met NaN or Inf; a failure bundle was written
└── Stopped                   75  asked to stop; the state is saved and can be resumed
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OK, RED, USAGE, CANNOT_TELL, BROKE, STOPPED = 0, 1, 2, 3, 4, 75


class DreamgateError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code = BROKE


class UsageError(DreamgateError):
    """The caller asked for something impossible; nothing was written."""

    exit_code = USAGE


class ConfigError(UsageError):
    """One key of the configuration is wrong. Says which, the value seen, and what to do."""

    def __init__(self, key: str, problem: str) -> None:
        self.key = key
        super().__init__(f"{key}: {problem}" if key else problem)


class MissingExtraError(UsageError):
    """A feature needs a package that is not installed."""

    def __init__(self, feature: str, *, extra: str, package: str) -> None:
        super().__init__(
            f"{feature} needs the package {package!r}, which is not installed. "
            f"Install it with: pip install 'dreamgate[{extra}]'"
        )


class CheckpointError(UsageError):
    """A checkpoint that cannot be used, and why."""


class EnvError(DreamgateError):
    """An environment that lives in another process broke there, or its process did."""


class NonFiniteError(DreamgateError):
    """A tensor that must be finite is not."""

    def __init__(self, name: str, *, step: int) -> None:
        self.name = name
        self.step = step
        super().__init__(f"{name} is not finite at update {step}; training stopped")


class Stopped(DreamgateError):
    """Training was asked to stop and saved its state first, in `folder` if it can go on."""

    exit_code = STOPPED

    def __init__(self, message: str, *, folder: Path | None = None) -> None:
        self.folder = folder
        super().__init__(message)


@contextmanager
def naming(place: object) -> Iterator[None]:
    """A write that fails, as on a full disk, does not say where: from in here it does."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.strerror is not None:
            error.filename = str(place)
        raise
