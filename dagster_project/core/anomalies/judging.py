"""Judge the days of the watched tables: one alarm per cause, with the measures it shows in.

Belongs here: comparing measures with what was expected, and folding what has one cause into one
alarm. Does not: estimating (``expected``), days without rows (``missing``), keeping (``history``).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import duckdb

from dagster_project.core.anomalies.alarms import (
    MILD,
    SEVERE,
    SHARE,
    Alarm,
    TooLittle,
    number,
    rounded,
    span,
    words_of,
)
from dagster_project.core.anomalies.everybody import common_breaches
from dagster_project.core.anomalies.expected import (
    SCALE_DAYS,
    WINDOW_DAYS,
    Expected,
    expect,
    restored,
)
from dagster_project.core.anomalies.measures import (
    DISCOUNTED,
    Measure,
    Measured,
    last_day,
    measure,
)
from dagster_project.core.anomalies.missing import late_alarms, missing_alarms
from dagster_project.core.anomalies.repeats import repeat_alarms
from dagster_project.core.anomalies.special_days import SpecialDays, special_days, store_names
from dagster_project.core.anomalies.tolerance import Allowed, allowed
from dagster_project.core.anomalies.watched import Thresholds, Watch, Watched

if TYPE_CHECKING:
    import numpy as np

SEVERE_STRENGTH = 2.0  # twice as far out as is allowed
MOST_STORES = 0.5  # of the judged stores: from then on it is one cause, not many
FEWEST_STORES = 3
# Before the first day that is judged: ten weeks to expect a day from, eight to know its noise from.
MEMORY_DAYS = WINDOW_DAYS + SCALE_DAYS


@dataclass(frozen=True)
class Verdict:
    """One table judged through its last day."""

    table_name: str
    through: date | None  # None when no watched table has a row
    judged_count: int  # store days with rows and enough history
    alarms: tuple[Alarm, ...]  # by day, store and kind
    too_little: tuple[TooLittle, ...]
    since: date | None = None  # the first day that was judged; None for all of them


def judge_all(
    connection: duckdb.DuckDBPyConnection,
    watch: Watch,
    through: date | None = None,
    since: date | None = None,
) -> list[Verdict]:
    """A verdict for each watched table, through a day that is the last one of all by default.

    From ``since`` on, only those days are judged and only what they need is measured. Reads only.
    Each day is judged by the days before it, so a later day changes no verdict, a delivery for an
    earlier day may. Raises WatchError where a watched column is missing.
    """
    last = through or last_day(connection, watch.tables)
    return [judge_table(connection, watch, watched, last, since) for watched in watch.tables]


def judge_table(
    connection: duckdb.DuckDBPyConnection,
    watch: Watch,
    watched: Watched,
    through: date | None,
    since: date | None = None,
) -> Verdict:
    """As ``judge_all``, for one table; no alarm where it has no row."""
    begin = date.min if since is None else since - timedelta(days=MEMORY_DAYS)
    measured = None if through is None else measure(connection, watched, through, begin)
    if measured is None:
        return Verdict(watched.name, through, 0, (), (), since)
    measured = replace(measured, names=store_names(connection, watch))
    special = special_days(connection, watch, measured)
    return judge_measured(watched.name, measured, special, watch.thresholds_of(watched), since)


def judge_measured(
    table: str,
    measured: Measured,
    special: SpecialDays,
    thresholds: Thresholds,
    since: date | None = None,
) -> Verdict:
    """As ``judge_table``, of measures that were taken before."""
    busy = _busy(measured, thresholds.least_rows)
    alarms = [
        *missing_alarms(measured, special, table),
        *late_alarms(measured, special.groups, table, thresholds.late_days),
        *repeat_alarms(measured, table),
    ]
    judged = stores = 0
    if busy.any():
        of_busy, around = measured.chosen(busy), special.chosen(busy)
        expected = expect(of_busy, around.near, around.peers, thresholds.false_alarms_per_month)
        bounds = allowed(measured.measures, expected, around, thresholds)
        known = expected.history >= thresholds.minimum_days
        alarms += _breaches(of_busy, expected, bounds, known, table)
        alarms += common_breaches(
            of_busy, expected, around, known, table=table, thresholds=thresholds
        )
        begin = 0 if since is None else max(0, (since - measured.first_day).days)
        judged = int((known & (of_busy.rows > 0))[begin:].sum())
        stores = int(known.any(axis=0).sum())
    return Verdict(
        table,
        measured.day(measured.day_count - 1),
        judged,
        tuple(one for one in fold(alarms, stores) if since is None or one.last_day >= since),
        tuple(_too_little(measured, thresholds, table)),
        since,
    )


def _busy(measured: Measured, least_rows: int) -> np.ndarray:
    """(stores,) whether a usual day has so many rows that its measures mean something."""
    import numpy as np

    opened = np.ma.masked_equal(measured.rows, 0)
    return np.ma.median(opened, axis=0).filled(0) >= least_rows


def fold(alarms: Iterable[Alarm], judged_stores: int) -> list[Alarm]:
    """One alarm per cause: the strongest of a store's day leads, the others are listed in it.

    The same measure out on most stores on one day becomes one alarm of all stores, and on days
    that follow each other one alarm of those days.
    """
    by_place: dict[tuple[str | None, date], list[Alarm]] = defaultdict(list)
    for alarm in alarms:
        by_place[alarm.store, alarm.day].append(alarm)
    led = _joined_stores([_led(same) for same in by_place.values()], judged_stores)
    return sorted(_joined_days(led), key=lambda a: (a.day, a.store or "", a.kind, a.measure))


def _led(same: list[Alarm]) -> Alarm:
    first, *others = sorted(same, key=lambda a: (-a.strength, a.kind, a.measure))
    also = tuple(other.measure for other in others)
    if not also:
        return first
    shown = ", ".join(words_of(measure) for measure in also)
    return replace(first, also=also, sentence=f"{first.sentence} It also shows in {shown}.")


def _joined_stores(alarms: list[Alarm], judged_stores: int) -> list[Alarm]:
    by_cause: dict[tuple[date, str, bool], list[Alarm]] = defaultdict(list)
    for alarm in alarms:
        upward = (alarm.found or 0) > (alarm.expected or 0)
        by_cause[alarm.day, alarm.measure, upward].append(alarm)
    result = []
    for same in by_cause.values():
        stores = sorted({alarm.store_name or "" for alarm in same if alarm.store is not None})
        if len(stores) < max(FEWEST_STORES, MOST_STORES * judged_stores):
            result += same
            continue
        worst = max(same, key=lambda a: (a.strength, a.store or ""))
        said = f"In {len(stores)} stores at once ({', '.join(stores)}): {worst.sentence}"
        also = tuple(sorted({name for alarm in same for name in alarm.also}))
        last = max(alarm.last_day for alarm in same)
        result.append(
            replace(worst, store=None, store_name=None, last_day=last, sentence=said, also=also)
        )
    return result


def _joined_days(alarms: list[Alarm]) -> Iterator[Alarm]:
    """What goes on from one day to the next is one alarm, by its first day."""
    open_runs: dict[tuple[str | None, str, str, bool], Alarm] = {}
    for alarm in sorted(alarms, key=lambda a: (a.day, a.store or "", a.kind, a.measure)):
        upward = (alarm.found or 0) > (alarm.expected or 0)
        place = (alarm.store, alarm.kind, alarm.measure, upward)
        before = open_runs.get(place)
        if before is None or (alarm.day - before.last_day).days > 1:
            if before is not None:
                yield before
            open_runs[place] = alarm
            continue
        also = tuple(dict.fromkeys((*before.also, *alarm.also)))
        severity = SEVERE if SEVERE in (before.severity, alarm.severity) else MILD
        last = max(before.last_day, alarm.last_day)
        words, _, _ = before.sentence.partition(" It went on until ")
        said = f"{words} It went on until {last}."
        open_runs[place] = replace(
            before, last_day=last, severity=severity, also=also, sentence=said
        )
    yield from open_runs.values()


def _breaches(
    measured: Measured, expected: Expected, bounds: Allowed, known: np.ndarray, table: str
) -> Iterator[Alarm]:
    import numpy as np

    with np.errstate(invalid="ignore"):
        out = (expected.found < bounds.low) | (expected.found > bounds.high)
    for day, store, place in np.argwhere(out & known[:, :, None]).tolist():
        one = measured.measures[place]
        if one.name == DISCOUNTED:  # it explains and accuses nobody
            continue
        numbers = [
            rounded(restored(one, float(grid[day, store, place])))
            for grid in (expected.centre, bounds.low, bounds.high)
        ]
        found = rounded(float(measured.values[day, store, place]))
        distance = expected.found[day, store, place] - expected.centre[day, store, place]
        width = (bounds.high if distance > 0 else bounds.low)[day, store, place]
        strength = abs(distance) / abs(width - expected.centre[day, store, place])
        yield _alarm(
            measured, one, (day, store), table, found=found, numbers=numbers,
            common=float(expected.common[day, store, place]),
            strength=float(strength),
        )  # fmt: skip


def _alarm(
    measured: Measured,
    one: Measure,
    place: tuple[int, int],
    table: str,
    *,
    found: float,
    numbers: list[float],
    common: float,
    strength: float,
) -> Alarm:
    day, store = measured.day(place[0]), measured.stores[place[1]]
    name = measured.named(store)
    centre, low, high = numbers
    said = (
        f"{words_of(one.name).capitalize()} of store {name} on {span(day, day)} is "
        f"{number(found)}, expected {number(centre)} ({number(low)} to {number(high)}) "
        f"{_reason(one, common)}."
    )
    return Alarm(
        table_name=table, store=store, store_name=name, day=day, last_day=day, kind=one.kind,
        measure=one.name, found=found, expected=centre, low=low, high=high,
        severity=SEVERE if strength >= SEVERE_STRENGTH else MILD,
        sentence=said, strength=rounded(strength),
    )  # fmt: skip


def _reason(one: Measure, common: float) -> str:
    """From what the expectation follows; a share is judged by the store's own days only."""
    own = "from its weekday and its last weeks"
    if one.kind == SHARE or not common:
        return own
    return f"{own}, and the other stores that were {math.exp(common):.2f} times as usual that day"


def _too_little(measured: Measured, thresholds: Thresholds, table: str) -> Iterator[TooLittle]:
    seen = (measured.rows > 0).sum(axis=0).tolist()
    for store, days in zip(measured.stores, seen, strict=True):
        if days <= thresholds.minimum_days:
            yield TooLittle(table, store, measured.named(store), days, thresholds.minimum_days + 1)
