"""Days without rows: a store that is silent, a feed that is late, or a day on which it is closed.

Belongs here: which days a store should have had, and what their absence means. Does not: days that
have rows (``judging``, and ``repeats``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagster_project.core.anomalies.alarms import LATE, MILD, SEVERE, SILENT, Alarm, span
from dagster_project.core.anomalies.measures import ROWS, Measured
from dagster_project.core.anomalies.special_days import SpecialDays

if TYPE_CHECKING:
    import numpy as np

WEEKS = 8
WEEK = 7
MINIMUM_SEEN = 2  # same weekdays before one can be missed
OPEN_SHARE = 0.75  # of the last same weekdays: one in four may have been a closure
REGULAR_SHARE = 0.85  # of all days that its weekdays promised; below, a store has no rule to break
ALIVE_DAYS = 14  # a store without a row for so long has closed
BRIDGE_DAYS = 3  # a holiday so near may be why, and is named
LEARNING_DAYS = 14  # with rows, before any day is missed


def missing_alarms(measured: Measured, special: SpecialDays, table: str) -> Iterator[Alarm]:
    """An alarm per store and run of missing days, one for all where most stores miss a day."""
    import numpy as np

    opened = measured.rows > 0
    wanted = due(opened, special.near)
    absent = wanted & ~opened
    shut = _shut_together(wanted, opened, special.groups)
    # A holiday excuses everybody, the days beside it those whom the others keep company.
    company = np.array([(special.groups == group).sum() > 1 for group in special.groups])
    excused = special.holiday | (special.near & (shut | ~company[None, :]))
    together = absent & shut & ~excused
    for first, last in _runs(together.any(axis=1), opened.any(axis=1)):
        if together[first : last + 1].any(axis=0).sum() > 1:
            yield _of_all(measured, special, table, together, first=first, last=last)
            absent[first : last + 1] &= ~together[first : last + 1]
    absent &= ~excused
    for store in range(len(measured.stores)):
        for first, last in _runs(absent[:, store], opened[:, store]):
            yield _of_one(measured, special, table, opened, store=store, first=first, last=last)


def due(opened: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(days, stores) whether rows should be there, by the last eight of the same weekday.

    False as long as a store is new, has no regular days, or has been without a row for two weeks.
    """
    import numpy as np

    days = len(opened)
    begun = np.cumsum(opened, axis=0)
    promised = np.zeros_like(opened)
    for day in range(1, days):
        past = np.arange(day - WEEK, max(-1, day - WEEK * WEEKS - 1), -WEEK)
        past = past[past >= 0]
        usable = ~near[past] & (begun[past] > 0)
        seen, there = usable.sum(axis=0), (usable & opened[past]).sum(axis=0)
        alive = opened[max(0, day - ALIVE_DAYS) : day].any(axis=0)
        often = there >= OPEN_SHARE * np.maximum(seen, 1)
        learnt = begun[day - 1] >= LEARNING_DAYS
        promised[day] = (seen >= MINIMUM_SEEN) & often & alive & learnt
    usual = promised & ~near
    kept = usual & opened
    window = WEEKS * WEEK
    asked, held = _sum_before(usual, window), _sum_before(kept, window)
    return promised & (held >= REGULAR_SHARE * asked - 1)


def late_alarms(
    measured: Measured, groups: np.ndarray, table: str, late_days: int
) -> Iterator[Alarm]:
    """Days that came later than the store's days usually do, against the others of its group."""
    import numpy as np

    if measured.arrived is None:
        return
    excess = measured.arrived.copy()
    for group in np.unique(groups):
        chosen = groups == group
        if chosen.sum() > 2:
            arrived = measured.arrived[:, chosen]
            usual = np.ma.median(np.ma.masked_invalid(arrived), axis=1).filled(np.nan)
            excess[:, chosen] = arrived - usual[:, None]
    for store, code in enumerate(measured.stores):
        known = np.flatnonzero(~np.isnan(excess[:, store]))
        for place in range(LEARNING_DAYS, len(known)):
            before = excess[known[max(0, place - WEEKS * WEEK) : place], store]
            usual = float(np.median(before))
            later = float(excess[known[place], store]) - usual
            if later >= late_days:
                yield _arrived_late(measured, table, code, int(known[place]), later)


def _arrived_late(measured: Measured, table: str, store: str, place: int, later: float) -> Alarm:
    day = measured.day(place)
    taken = float(measured.arrived[place, measured.stores.index(store)])
    name = measured.named(store)
    return Alarm(
        table_name=table, store=store, store_name=name, day=day, last_day=day, kind=LATE,
        measure="arrival_days",
        found=taken, expected=taken - later, low=None, high=taken - later, severity=MILD,
        sentence=f"{day} of store {name} came {later:.0f} days later than its days usually do.",
    )  # fmt: skip


def _sum_before(flags: np.ndarray, window: int) -> np.ndarray:
    import numpy as np

    running = np.vstack([np.zeros((1, flags.shape[1]), int), np.cumsum(flags, axis=0)])
    days = np.arange(len(flags))
    return running[days] - running[np.maximum(days - window, 0)]


def _shut_together(wanted: np.ndarray, opened: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(days, stores) whether most stores of the group that should be open are not."""
    import numpy as np

    result = np.zeros_like(wanted)
    for group in np.unique(groups):
        chosen = groups == group
        asked = wanted[:, chosen].sum(axis=1)
        absent = (wanted[:, chosen] & ~opened[:, chosen]).sum(axis=1)
        result[:, chosen] = ((asked > 1) & (2 * absent > asked))[:, None]
    return result


def _runs(absent: np.ndarray, opened: np.ndarray) -> Iterator[tuple[int, int]]:
    """First and last of missing days with no day of rows between them."""
    first = last = None
    for day in range(len(absent)):
        if absent[day]:
            first, last = (day if first is None else first), day
        elif opened[day] and first is not None:
            yield first, last
            first = None
    if first is not None:
        yield first, last


def _of_one(
    measured: Measured,
    special: SpecialDays,
    table: str,
    opened: np.ndarray,
    *,
    store: int,
    first: int,
    last: int,
) -> Alarm:
    code = measured.stores[store]
    name = measured.named(code)
    is_late = not opened[last:, store].any()
    others = int(opened[first : last + 1].any(axis=0).sum())
    begun = measured.day(first)
    if is_late:
        said = f"Store {name} has no rows since {begun}{_company(others, 'other stores have')}"
    else:
        days = span(begun, measured.day(last))
        said = f"Store {name} has no rows on {days}, when it is usually open"
        said += _company(others, "other stores have some")
    usual = _usual_rows(measured, store, first)
    return Alarm(
        table_name=table, store=code, store_name=name, day=begun, last_day=measured.day(last),
        kind=LATE if is_late else SILENT, measure=ROWS, found=0.0, expected=usual, low=1.0,
        high=None, severity=SEVERE, sentence=f"{said}.{_holidays(special, measured, first, last)}",
        strength=10.0,
    )  # fmt: skip


def _company(others: int, words: str) -> str:
    return f", {others} {words}" if others else ""


def _of_all(
    measured: Measured,
    special: SpecialDays,
    table: str,
    together: np.ndarray,
    *,
    first: int,
    last: int,
) -> Alarm:
    count = int(together[first : last + 1].any(axis=0).sum())
    is_late = not (measured.rows[last:] > 0).any()
    days = span(measured.day(first), measured.day(last))
    said = f"{count} of {len(measured.stores)} stores have no rows on {days}"
    return Alarm(
        table_name=table, store=None, day=measured.day(first), last_day=measured.day(last),
        kind=LATE if is_late else SILENT, measure=ROWS, found=0.0, expected=None, low=1.0,
        high=None, severity=SEVERE, sentence=f"{said}.{_holidays(special, measured, first, last)}",
        strength=10.0,
    )  # fmt: skip


def _usual_rows(measured: Measured, store: int, first: int) -> float:
    import numpy as np

    before = measured.rows[max(0, first - WEEKS * WEEK) : first, store]
    return float(np.median(before[before > 0]))


def _holidays(special: SpecialDays, measured: Measured, first: int, last: int) -> str:
    """The holidays among the missing days and beside them, as a second sentence."""
    days = {measured.day(place) for place in range(first - BRIDGE_DAYS, last + BRIDGE_DAYS + 1)}
    near = {name: day for (_, day), name in sorted(special.names.items()) if day in days}
    if not near:
        return ""
    named = ", ".join(f"{name} ({day})" for name, day in near.items())
    return f" Holidays there: {named}."
