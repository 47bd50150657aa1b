"""A day that is there twice: the same rows under two dates.

Belongs here: comparing the sketches of a store's days. Does not: a day whose own rows are doubled,
which shows in ``twin_share``. A sketch is the smallest hashes of a day's rows, so two days share
as much of it as they share of their rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from dagster_project.core.anomalies.alarms import REPEATED, SEVERE, Alarm
from dagster_project.core.anomalies.measures import Measured

COMMON_DAYS = 5  # a row that is alike on more days says nothing about two of them
MINIMUM_ROWS = 5  # rows that could have told two days apart, before they are called the same
SAME_SHARE = 0.8  # of those rows: a few may have been rejected or added


def repeat_alarms(measured: Measured, table: str) -> Iterator[Alarm]:
    """An alarm per day that holds most rows of an earlier day of the same store."""
    by_store: dict[int, dict[int, set[int]]] = defaultdict(dict)
    for (day, store), hashes in measured.sketches.items():
        by_store[store][day] = set(hashes)
    for store in sorted(by_store):
        told = set()
        for later, earlier, share in _alike(by_store[store]):
            if later not in told:
                told.add(later)
                yield _alarm(measured, table, store, (later, earlier), share)


def _alike(days: dict[int, set[int]]) -> Iterator[tuple[int, int, float]]:
    """Pairs of days that hold the same rows, by the later day, nearest earlier day first."""
    held: dict[int, list[int]] = defaultdict(list)
    for day, hashes in days.items():
        for one in hashes:
            held[one].append(day)
    common = {one for one, where in held.items() if len(where) > COMMON_DAYS}
    pairs = {
        pair
        for one, where in held.items()
        if 1 < len(where) <= COMMON_DAYS
        for pair in combinations(sorted(where), 2)
    }
    for earlier, later in sorted(pairs, key=lambda pair: (pair[1], -pair[0])):
        share = _shared(days[earlier] - common, days[later] - common)
        if share >= SAME_SHARE:
            yield later, earlier, share


def _shared(one: set[int], other: set[int]) -> float:
    """Share of the rows of one day that the other has too, over the hashes both reach to.

    Both ways, the larger: a day to which another was added holds all of that other.
    """
    if not one or not other:
        return 0.0
    reach = min(max(one), max(other))
    one = {value for value in one if value <= reach}
    other = {value for value in other if value <= reach}
    both = len(one & other)
    return max(
        (both / len(side) for side in (one, other) if len(side) >= MINIMUM_ROWS), default=0.0
    )


def _alarm(
    measured: Measured, table: str, store: int, days: tuple[int, int], share: float
) -> Alarm:
    day, original = (measured.day(place) for place in days)
    code = measured.stores[store]
    name = measured.named(code)
    return Alarm(
        table_name=table, store=code, store_name=name, day=day, last_day=day,
        kind=REPEATED, measure="repeated_share", found=share, expected=0.0, low=0.0,
        high=SAME_SHARE, severity=SEVERE,
        sentence=f"{day} of store {name} repeats {share:.0%} of the rows of {original}.",
        strength=10.0,
    )  # fmt: skip
