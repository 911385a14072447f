"""Schedules in cron's five fields: minute, hour, day of month, month, day of week; in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dreamer_core.errors import ConfigError

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_NAMED = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}
_FARTHEST = timedelta(days=366 * 8 + 2)  # to the next 29 February, over a year like 2100


@dataclass(frozen=True)
class Schedule:
    text: str

    def __post_init__(self) -> None:
        self._sets()
        if self.next(datetime(2024, 1, 1, tzinfo=UTC)) is None:
            raise ConfigError("schedule", f"{self.text!r} never comes: there is no such day in any month")

    def next(self, after: datetime) -> datetime | None:
        """The first moment after `after`. None: there is no such day."""
        minutes, hours, *_ = self._sets()
        day = after.replace(hour=0, minute=0, second=0, microsecond=0)
        last = after + _FARTHEST
        while day <= last:
            if self._is_on(day):
                for hour in sorted(hours):
                    for minute in sorted(minutes):
                        moment = day.replace(hour=hour, minute=minute)
                        if moment > after:
                            return moment
            day += timedelta(days=1)
        return None

    def __str__(self) -> str:
        return self.text

    def _is_on(self, day: datetime) -> bool:
        """As in cron: where both days are restricted, either is enough."""
        _, _, days, months, weekdays = self._sets()
        if day.month not in months:
            return False
        fields = _NAMED.get(self.text, self.text).split()
        by_day, by_weekday = day.day in days, day.isoweekday() % 7 in weekdays
        if fields[2].startswith("*") or fields[4].startswith("*"):
            return by_day and by_weekday
        return by_day or by_weekday

    def _sets(self) -> list[set[int]]:
        fields = _NAMED.get(self.text, self.text).split()
        if len(fields) != len(_FIELDS):
            raise ConfigError(
                "schedule", f"must have five fields (minute hour day month weekday), e.g. 0 3 * * *, got {self.text!r}"
            )
        found = [_values(text, *field) for text, field in zip(fields, _FIELDS, strict=True)]
        found[4] = {day % 7 for day in found[4]}  # 7 is Sunday too
        return found


def _values(text: str, name: str, low: int, high: int) -> set[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            first, last = str(low), str(high)
        elif step and not last:
            last = str(high)
        numbers = [first, last or first, step or "1"]
        if not all(number.isdecimal() and len(number) < 4 for number in numbers):
            raise ConfigError("schedule", f"{name} must be like 5, 1-5, */10 or 1,3, got {text!r}")
        start, stop, by = map(int, numbers)
        if not low <= start <= stop <= high or by < 1:
            raise ConfigError("schedule", f"{name} must be from {low} to {high}, got {text!r}")
        values.update(range(start, stop + 1, by))
    return values
