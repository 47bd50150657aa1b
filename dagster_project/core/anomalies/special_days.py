"""Days on which a store need not be as usual: holidays, sale days, announced promotions.

Belongs here: which days those are for which store. Does not: what may happen on them (``expected``
and ``missing``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import duckdb

from dagster_project.core.anomalies.measures import Measured, columns_of
from dagster_project.core.anomalies.watched import Promotions, Watch

if TYPE_CHECKING:
    import numpy as np

NO_COUNTRY = "ZZ"  # a store that is in no list; it has no holidays and peers of its like
# People shop before a holiday and stay away after it; a shop may close for the bridge.
MARGIN_DAYS = 1
FEWEST_PEERS = 4  # stores of a country of which one can be told from the others


@dataclass(frozen=True)
class SpecialDays:
    """(days, stores) each; ``groups`` numbers the countries, in the order of ``countries``."""

    holiday: np.ndarray
    near: np.ndarray  # holiday, the days beside it, sale day or promotion
    countries: tuple[str, ...]
    groups: np.ndarray  # (stores,)
    peers: np.ndarray  # (stores,) groups, where small ones are compared with others
    names: dict[tuple[str, date], str]  # (country, day) → what is celebrated

    def chosen(self, stores: np.ndarray) -> SpecialDays:
        """The same of some stores, compared with each other only."""
        groups = self.groups[stores]
        return replace(
            self,
            holiday=self.holiday[:, stores],
            near=self.near[:, stores],
            groups=groups,
            peers=_peers(groups),
        )


def special_days(
    connection: duckdb.DuckDBPyConnection, watch: Watch, measured: Measured
) -> SpecialDays:
    """The special days of a table's stores, by their country. Missing tables know none."""
    import numpy as np

    country_of = _countries(connection, watch)
    own = [country_of.get(store, NO_COUNTRY) for store in measured.stores]
    countries = tuple(sorted(set(own)))
    groups = np.array([countries.index(country) for country in own])
    days = [measured.day(n) for n in range(measured.day_count)]
    names = _holidays(connection, watch, countries, days)
    felt = {near for day in names for near in _around(*day)}
    felt |= _sale_days(watch, countries, {day.year for day in days})
    promoted = _promoted(connection, watch.promotions, days[0], days[-1])
    holiday = np.array([[(country, day) in names for country in countries] for day in days])
    near = np.array(
        [[(country, day) in felt or day in promoted for country in countries] for day in days]
    )
    return SpecialDays(
        holiday[:, groups], near[:, groups], countries, groups, _peers(groups), names
    )


def _peers(groups: np.ndarray) -> np.ndarray:
    """Countries with too few stores are compared with each other, else with the whole chain."""
    import numpy as np

    sizes = np.bincount(groups)
    small = sizes[groups] < FEWEST_PEERS
    if not small.any() or small.sum() >= FEWEST_PEERS:
        return np.where(small, len(sizes), groups)
    return np.zeros_like(groups)


def _around(country: str, day: date) -> list[tuple[str, date]]:
    return [(country, day + timedelta(days=n)) for n in range(-MARGIN_DAYS, MARGIN_DAYS + 1)]


def store_names(connection: duckdb.DuckDBPyConnection, watch: Watch) -> dict[str, str]:
    """What people call the stores, by key; none where that is not declared."""
    stores = watch.stores
    if stores.name is None or not columns_of(connection, *stores.table.split(".")):
        return {}
    rows = connection.execute(
        f"select cast({stores.key} as varchar), max({stores.name}) from {stores.table} "
        f"where {stores.name} is not null group by 1"
    ).fetchall()
    return dict(rows)


def _countries(connection: duckdb.DuckDBPyConnection, watch: Watch) -> dict[str, str]:
    stores = watch.stores
    if not columns_of(connection, *stores.table.split(".")):
        return {}
    rows = connection.execute(
        f"select cast({stores.key} as varchar), max({stores.country}) from {stores.table} "
        f"where {stores.country} is not null group by 1"
    ).fetchall()
    return dict(rows)


def _holidays(
    connection: duckdb.DuckDBPyConnection, watch: Watch, countries: Iterable[str], days: list[date]
) -> dict[tuple[str, date], str]:
    """Holidays within the days and the margin around them."""
    known = columns_of(connection, *watch.calendar.split("."))
    margin = timedelta(days=MARGIN_DAYS)
    found = {}
    for country in countries:
        column = f"holiday_name_{country.lower()}"
        if column in known:
            rows = connection.execute(
                f"select calendar_date, {column} from {watch.calendar} "
                f"where {column} is not null and calendar_date between ? and ?",
                [days[0] - margin, days[-1] + margin],
            ).fetchall()
            found |= {(country, day): name for day, name in rows}
    return found


def _sale_days(watch: Watch, countries: Iterable[str], years: set[int]) -> set[tuple[str, date]]:
    return {
        (country, day)
        for sale in watch.sale_days
        for country in set(sale.countries) & set(countries)
        for year in range(min(years) - 1, max(years) + 2)
        for day in sale.days(year)
    }


def _promoted(
    connection: duckdb.DuckDBPyConnection, promotions: Promotions | None, first: date, last: date
) -> set[date]:
    """Days of an announced promotion that is no permanent state."""
    if promotions is None or not columns_of(connection, *promotions.table.split(".")):
        return set()
    starts, ends = promotions.starts_on, promotions.ends_on
    rows = connection.execute(
        f"select distinct {starts}, {ends} from {promotions.table} "
        f"where {starts} <= ? and {ends} >= ? and date_diff('day', {starts}, {ends}) < ?",
        [last, first, promotions.longest_days],
    ).fetchall()
    return {start + timedelta(days=n) for start, end in rows for n in range((end - start).days + 1)}
