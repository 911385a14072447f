"""One record of anybody's training loop as plain numbers, whatever library they came from."""

import logging
from collections.abc import Mapping
from typing import Any

from dreamer_core.metrics.jsonsafe import NUMBERS
from dreamer_core.remote.numbers import Record

log = logging.getLogger(__name__)


def plain_record(record: Mapping[str, Any], told: set[str]) -> Record:
    """A copy without what is None. A value that is no number is left out, and told once for each key (`told`)."""
    plain: Record = {}
    for key, value in record.items():
        if value is None:
            continue
        try:
            plain[key] = _number(value)
        except (TypeError, ValueError) as error:
            if key not in told:
                told.add(key)
                log.warning("metric %r is left out of what is sent: %s", key, error)
    if not isinstance(plain.get("env_steps"), int):
        raise ValueError(f"a record needs env_steps, a whole number, and has {record.get('env_steps')!r}")
    return plain


def _number(value: Any) -> float | int | bool:
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and value in NUMBERS:
        return float(value)
    if hasattr(value, "item"):  # numpy and torch: an array of one
        return _number(value.item())
    raise TypeError(f"it must be a number, got {value!r:.80}")
