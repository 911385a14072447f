"""Numbers, times and sizes as people read them. Every page, and nothing but pages, writes them through these."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

from dreamer_core.metrics.jsonsafe import word

MISSING = "–"
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")


def number(value: object, digits: int = 4) -> str:
    """Four digits that matter: 475, 0.1234, 1.2e-07. The words NaN and Infinity stay words."""
    if value is None:
        return MISSING
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    if non_finite := word(value):
        return non_finite
    if value == 0:
        return "0"
    if abs(value) >= 1e9 or abs(value) < 1e-4:
        return f"{value:.{digits - 2}e}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def whole(value: float | None) -> str:
    """12,500: every digit, in threes."""
    return MISSING if value is None else f"{value:,.0f}"


def short(value: float | None) -> str:
    """12.5k: for a column where the size matters and the last digit does not."""
    if value is None:
        return MISSING
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{number(value / limit, 3)}{unit}"
    return number(value, 3)


def duration(seconds: float | None) -> str:
    """The two largest units: 3 d 4 h, 1 h 12 min, 45 s."""
    if seconds is None:
        return MISSING
    left = max(0, round(seconds))
    if left < 60:
        return f"{left} s"
    parts: list[str] = []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(part for part in parts[:2] if part)


def ago(at: str | float | None, now: float) -> str:
    """One unit: 3 min ago. The page's own script counts on from there."""
    if at is None:
        return MISSING
    age = now - _seconds(at)
    for size, unit in _UNITS:
        if age >= size:
            return f"{int(age // size)} {unit} ago"
    return "now"


def absolute(at: str | float | None) -> str:
    """For the tooltip of a relative time; the page's script writes the reader's own zone over it."""
    return MISSING if at is None else f"{datetime.fromtimestamp(_seconds(at), UTC):%Y-%m-%d %H:%M:%S} UTC"


def machine_time(at: str | float) -> str:
    return datetime.fromtimestamp(_seconds(at), UTC).isoformat(timespec="seconds")


def size(count: float | None) -> str:
    """Bytes, in the largest binary unit that leaves at least 1."""
    if count is None:
        return MISSING
    power = 0 if count < 1024 else min(int(math.log(count, 1024)), len(_SIZES) - 1)
    return f"{number(count / 1024**power, 3)} {_SIZES[power]}"


def percent(share: float | None) -> str:
    """Never 100 % before it is done."""
    return MISSING if share is None else f"{math.floor(share * 100)} %"


def setting(value: object) -> str:
    """A value of a config as one would type it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(setting(item) for item in value) + "]"
    return str(value)


def _seconds(at: str | float) -> float:
    return datetime.fromisoformat(at).timestamp() if isinstance(at, str) else float(at)


FILTERS: dict[str, Callable[..., object]] = {
    "number": number,
    "whole": whole,
    "short": short,
    "duration": duration,
    "ago": ago,
    "absolute": absolute,
    "machine_time": machine_time,
    "size": size,
    "percent": percent,
    "setting": setting,
}
