"""``exclude-newer``: how new a version may be that enters a lock.

Written as uv's option of that name is, but for one thing: a day is one of UTC, so that it is the
same moment on every machine.
"""

import re
from datetime import UTC, date, datetime, time, timedelta

Cutoff = datetime | timedelta
"""A moment (aware), or a time that a version has to have been out for."""

HINT = 'write a day ("2026-11-01"), a moment ("2026-11-01T12:00:00Z") or a time ("7 days")'

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_UNIT = r"(?:m|min|mins|minute|minutes|h|hour|hours|d|day|days|w|week|weeks)"
_PHRASE = re.compile(rf"\s*(\d{{1,6}})\s*({_UNIT})(?![a-z])[\s,]*")
# ISO 8601, without years and months, which are not always as long.
_ISO = re.compile(
    r"P(?=[0-9T])(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=[0-9])(?:(\d{1,6})H)?(?:(\d{1,6})M)?)?"
)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def parse_cutoff(text: str) -> Cutoff:
    """The cutoff that a text stands for; raises ValueError, which says why it is none.

    A day stands for its end: what was uploaded on it is not newer.
    """
    if _DAY.fullmatch(text):
        return datetime.combine(_day(text) + timedelta(days=1), time(), UTC)
    if _MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValueError(f"there is no moment {text}") from None
    if match := _ISO.fullmatch(text):
        weeks, days, hours, minutes = (int(part or 0) for part in match.groups())
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    return _span(text.lower())


def moment_of(cutoff: Cutoff, now: datetime) -> datetime:
    """The moment before which a version has to have been uploaded."""
    if isinstance(cutoff, datetime):
        return cutoff
    try:
        return now - cutoff
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text}") from None
    if day == date.max:
        raise ValueError(f"{text} is too late")
    return day


def _span(text: str) -> timedelta:
    total, rest = timedelta(), text
    while match := _PHRASE.match(rest):
        try:
            total += timedelta(**{_UNITS[match[2][0]]: int(match[1])})
        except OverflowError:
            raise ValueError("there is no time as long as that") from None
        rest = rest[match.end() :]
    if rest or not text.strip():
        raise ValueError(f"{text!r} is no day, moment or time")
    return total
