"""Schedules in cron's five fields: minute, hour, day of month, month, day of week; in UTC."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from dreamer_core.errors import ConfigError

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_PART = re.compile(r"(?:\*|(?P<first>[0-9]{1,3})(?:-(?P<last>[0-9]{1,3}))?)(?:/(?P<step>[0-9]{1,3}))?")
_NAMED = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}
_FARTHEST = timedelta(days=366 * 41)  # to the next 29 February of one weekday, over a year like 2100


@dataclass(frozen=True)
class Schedule:
    text: str

    def __post_init__(self) -> None:
        if self.next(datetime(2024, 1, 1, tzinfo=UTC)) is None:
            raise ConfigError("schedule", f"{self.text!r} never comes: there is no such day in any month")

    def next(self, after: datetime) -> datetime | None:
        """The first moment after `after`, in UTC. None: there is no such day."""
        after = after.astimezone(UTC)
        day = after.replace(hour=0, minute=0, second=0, microsecond=0)
        last = after + _FARTHEST
        while day <= last:
            if self._is_on(day):
                moment = next((one for one in self._moments(day) if one > after), None)
                if moment is not None:
                    return moment
            day += timedelta(days=1)
        return None

    def __str__(self) -> str:
        return self.text

    def _moments(self, day: datetime) -> Iterator[datetime]:
        minutes, hours, *_ = self._sets
        for hour in sorted(hours):
            for minute in sorted(minutes):
                yield day.replace(hour=hour, minute=minute)

    def _is_on(self, day: datetime) -> bool:
        """As in cron: where both days are restricted, either is enough. One that begins with * is not."""
        _, _, days, months, weekdays = self._sets
        if day.month not in months:
            return False
        by_day, by_weekday = day.day in days, day.isoweekday() % 7 in weekdays
        if self._fields[2].startswith("*") or self._fields[4].startswith("*"):
            return by_day and by_weekday
        return by_day or by_weekday

    @cached_property
    def _fields(self) -> list[str]:
        fields = _NAMED.get(self.text, self.text).split()
        if len(fields) != len(_FIELDS):
            raise ConfigError(
                "schedule", f"must have five fields (minute hour day month weekday), e.g. 0 3 * * *, got {self.text!r}"
            )
        return fields

    @cached_property
    def _sets(self) -> list[set[int]]:
        found = [_values(text, *field) for text, field in zip(self._fields, _FIELDS, strict=True)]
        found[4] = {day % 7 for day in found[4]}  # 7 is Sunday too
        return found


def _values(text: str, name: str, low: int, high: int) -> set[int]:
    values: set[int] = set()
    for part in text.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            raise ConfigError("schedule", f"{name} must be like 5, 1-5, */10 or 1,3, got {text!r}")
        first, last, step = found["first"], found["last"], found["step"]
        start = low if first is None else int(first)
        stop = int(last) if last else high if first is None or step else start
        if not low <= start <= stop <= high or (step and not int(step)):
            raise ConfigError("schedule", f"{name} must be from {low} to {high}, the smaller first, got {text!r}")
        values.update(range(start, stop + 1, int(step or 1)))
    return values
