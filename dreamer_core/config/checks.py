"""Range checks for config fields: each names the field, the value seen and what is allowed."""

from collections.abc import Collection

from dreamer_core.errors import ConfigError

LARGEST = 2**53  # the largest whole number that every reader of JSON gets right
MAX_SEED = LARGEST


def at_least(minimum: float, **fields: float) -> None:
    for key, value in fields.items():
        if not value >= minimum:  # written so that NaN fails too
            raise ConfigError(key, f"must be at least {minimum}, got {value}")


def above(minimum: float, **fields: float) -> None:
    for key, value in fields.items():
        if not value > minimum:
            raise ConfigError(key, f"must be greater than {minimum}, got {value}")


def at_most(maximum: float, **fields: float) -> None:
    for key, value in fields.items():
        if not value <= maximum:
            raise ConfigError(key, f"must be at most {maximum}, got {value}")


def within(low: float, high: float, **fields: float) -> None:
    """low <= value < high."""
    for key, value in fields.items():
        if not low <= value < high:
            raise ConfigError(key, f"must be in [{low}, {high}), got {value}")


def one_of(allowed: Collection[str], **fields: str) -> None:
    for key, value in fields.items():
        if value not in allowed:
            raise ConfigError(key, f"must be one of {', '.join(sorted(allowed))}, got {value!r}")
