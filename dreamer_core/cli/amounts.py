"""Times and numbers as people read them."""

import math
from datetime import UTC, datetime

NONE = "–"


def duration(seconds: float) -> str:
    """In the one or two units that matter: 4 s, 3 min, 2 h 05 min, 3 d 4 h."""
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86400
    if minutes < 1:
        return f"{seconds:.0f} s" if round(seconds) < 60 else "1 min"
    if round(minutes) < 60:
        return f"{minutes:.0f} min"
    if round(minutes) < 24 * 60:
        return f"{round(minutes) // 60} h {round(minutes) % 60:02d} min"
    return f"{int(days)} d {int(hours) % 24} h"


def age(moment: str | None, now: datetime | None = None) -> str:
    """How long ago an ISO 8601 moment was."""
    if moment is None:
        return NONE
    return f"{duration(max(0.0, ((now or datetime.now(UTC)) - datetime.fromisoformat(moment)).total_seconds()))} ago"


def count(number: float | None) -> str:
    """Four digits or so: 0.01234, 12.3, 1,234,567. What is missing is a dash."""
    if number is None:
        return NONE
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "∞" if number > 0 else "-∞"
    if abs(number) >= 1000:
        return f"{number:,.0f}" if abs(number) < 1e9 else f"{number:.3e}"
    return f"{number:.4g}"
