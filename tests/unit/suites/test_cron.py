"""Schedules: the next moment is later, fits every field, and is the one that a walk over all minutes would find."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dreamer_core.errors import ConfigError
from dreamer_core.suites.cron import Schedule

MINUTE = timedelta(minutes=1)
Field = tuple[str, frozenset[int]]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@st.composite
def fields(draw: st.DrawFn, low: int, high: int) -> Field:
    """A field, and by itself what it stands for: the parser is not asked."""
    first = draw(st.integers(low, high))
    last = draw(st.integers(first, high))
    step = draw(st.integers(1, 30))
    written = {
        "*": range(low, high + 1),
        f"*/{step}": range(low, high + 1, step),
        f"{first}": (first,),
        f"{first}-{last}": range(first, last + 1),
        f"{first}-{last}/{step}": range(first, last + 1, step),
        f"{first}/{step}": range(first, high + 1, step),
        f"{first},{last}": (first, last),
    }
    text = draw(st.sampled_from(list(written)))
    return text, frozenset(written[text])


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Field, ...]:
    bounds = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    return tuple(draw(fields(*bound)) for bound in bounds)


def fits(moment: datetime, written: tuple[Field, ...]) -> bool:
    (_, minutes), (_, hours), (day_text, days), (_, months), (weekday_text, weekdays) = written
    by_day, by_weekday = moment.day in days, bool({moment.isoweekday(), moment.isoweekday() % 7} & weekdays)
    either = not day_text.startswith("*") and not weekday_text.startswith("*")
    return (
        moment.minute in minutes
        and moment.hour in hours
        and moment.month in months
        and (by_day or by_weekday if either else by_day and by_weekday)
    )


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2110, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(deadline=None)
@given(schedules(), MOMENTS)
def test_the_next_moment_is_later_fits_every_field_and_is_the_first_that_a_walk_finds(
    written: tuple[Field, ...], after: datetime
) -> None:
    text = " ".join(field for field, _ in written)
    try:
        schedule = Schedule(text)
    except ConfigError as error:
        assume("never comes" not in str(error))
        raise
    found = schedule.next(after)
    assert found is not None
    assert found > after
    assert (found.second, found.microsecond) == (0, 0)
    assert fits(found, written)
    walked = after.replace(second=0, microsecond=0) + MINUTE
    end = min(found, after + timedelta(days=2))
    while walked < end:
        assert not fits(walked, written), walked
        walked += MINUTE


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 3 * * *", "2026-11-21T03:00:00", "2026-11-22T03:00"),
        ("0 3 * * *", "2026-11-21T02:59:59", "2026-11-21T03:00"),
        ("*/15 * * * *", "2026-12-31T23:46", "2027-01-01T00:00"),
        ("0 0 1 1 *", "2026-01-01T00:00", "2027-01-01T00:00"),
        ("0 0 29 2 *", "2096-03-01T00:00", "2104-02-29T00:00"),
        ("0 0 13 * 5", "2026-11-21T00:00", "2026-11-27T00:00"),  # the 13th or any Friday
        ("0 0 13 * */5", "2026-11-21T00:00", "2026-12-13T00:00"),  # */5: Sundays and Fridays, and the 13th
        ("0 0 29 2 */7", "2100-01-01T00:00", "2128-02-29T00:00"),
        ("0 0 * * 7", "2026-11-21T00:00", "2026-11-22T00:00"),
        ("@weekly", "2026-11-21T00:00", "2026-11-22T00:00"),
        ("@monthly", "2026-11-21T00:00", "2026-12-01T00:00"),
        ("@daily", "2026-11-21T00:00", "2026-11-22T00:00"),
        ("@hourly", "2026-11-21T00:00", "2026-11-21T01:00"),
    ],
)
def test_the_calendar_is_kept(text: str, after: str, expected: str) -> None:
    assert Schedule(text).next(at(after)) == at(expected)


def test_a_moment_of_another_time_zone_is_taken_as_what_it_is() -> None:
    here = datetime(2026, 11, 21, 1, 30, tzinfo=timezone(timedelta(hours=5)))  # 20:30 of the day before, in UTC
    assert Schedule("0 21 * * *").next(here) == at("2026-11-20T21:00")


def test_it_reads_as_it_was_written() -> None:
    assert str(Schedule("@daily")) == "@daily"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "five fields"),
        ("0 3 * *", "five fields"),
        ("0 0 3 * * *", "five fields"),
        ("@often", "five fields"),
        ("60 * * * *", "minute must be from 0 to 59"),
        ("* 24 * * *", "hour must be from 0 to 23"),
        ("* * 0 * *", "day must be from 1 to 31"),
        ("* * * 13 *", "month must be from 1 to 12"),
        ("* * * * 8", "weekday must be from 0 to 7"),
        ("9-5 * * * *", "the smaller first"),
        ("*/0 * * * *", "from 0 to 59"),
        ("*/00 * * * *", "from 0 to 59"),
        ("5- * * * *", "must be like"),
        ("*/ * * * *", "must be like"),
        ("1, * * * *", "must be like"),
        ("-5 * * * *", "must be like"),
        ("1-2-3 * * * *", "must be like"),
        ("1000 * * * *", "must be like"),
        ("٣ * * * *", "must be like"),
        ("* * * JAN *", "must be like"),
        ("0 0 31 2 *", "never comes"),
    ],
)
def test_what_is_no_schedule_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Schedule(text)
