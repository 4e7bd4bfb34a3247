"""Columns of a flight → what the model weighs. Training and serving share this one module."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_NEW_YORK = ZoneInfo("America/New_York")
# Minutes at which a delay begins to tell something else: most of it is between a little early and an hour late.
_KNOTS = (-10, -5, 0, 5, 10, 15, 20, 30, 45, 60, 120)
_LEAST_DELAY, _MOST_DELAY = -30.0, 180.0
# Where it is open whether a delay is made up for in the air: there airlines, airports and hours differ.
_OPEN_FROM, _OPEN_TO = -20.0, 40.0


def weighed(values: Sequence[object]) -> Iterator[tuple[str, float]]:
    """The terms of one flight, by name, in an order that is always the same.

    values: the columns of FEATURES; numbers may be text, as CSV has them.
    Raises ValueError naming the column that is wrong.
    """
    carrier, origin, destination, scheduled, miles, minutes = values
    carrier, origin, destination = _code("carrier", carrier), _code("origin", origin), _code("destination", destination)
    hour, weekday = local_hour(scheduled)
    delay = min(max(_number("departureDelayMinutes", minutes), _LEAST_DELAY), _MOST_DELAY)
    is_open = min(max(delay, _OPEN_FROM), _OPEN_TO) / 20
    yield "miles", _number("distanceMiles", miles) / 1000
    yield "delay", delay / 10
    for knot in _KNOTS:
        if delay > knot:
            yield f"delay>{knot}", (delay - knot) / 10
    yield f"weekday={weekday}", 1.0
    for term in (f"carrier={carrier}", f"origin={origin}", f"destination={destination}", f"hour={hour}"):
        yield term, 1.0
        yield f"{term}:delay", is_open


def departure_delay(values: Sequence[object]) -> float:
    """What the simplest prediction goes by."""
    return _number("departureDelayMinutes", values[5])


@lru_cache(maxsize=50_000)
def local_hour(scheduled: object) -> tuple[int, int]:
    """Hour and weekday (Monday is 0) of a departure, by the clocks of New York. An instant without an offset is UTC."""
    instant = _instant(scheduled).astimezone(_NEW_YORK)
    return instant.hour, instant.weekday()


def local_day(scheduled: object) -> int:
    """The day of a departure by the calendar of New York, as a number that grows by one a day."""
    return _instant(scheduled).astimezone(_NEW_YORK).toordinal()


def _instant(scheduled: object) -> datetime:
    if not isinstance(scheduled, str):
        raise ValueError(f"scheduledAt: expected a text, found {type(scheduled).__name__}")
    try:
        instant = datetime.fromisoformat(scheduled)
    except ValueError as error:
        raise ValueError("scheduledAt: expected an instant in ISO 8601") from error
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _code(column: str, value: object) -> str:
    if isinstance(value, str) and value != "":
        return value
    raise ValueError(f"{column}: expected a text")


def _number(column: str, value: object) -> float:
    try:
        if isinstance(value, (int, float, str)) and not isinstance(value, bool) and math.isfinite(float(value)):
            return float(value)
    except ValueError:
        pass
    raise ValueError(f"{column}: expected a number")
