"""What a day of a store looks like in numbers: one statement per table, one row per store and day.

Belongs here: which measures there are and the SQL that takes them. Does not: what they should be
(``expected``). Amounts are measured by size, their sign as a share of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from dagster_project.core.anomalies.watched import Watched, WatchError

if TYPE_CHECKING:
    import numpy as np

ROWS = "row_count"
TWINS = "twin_share"
DISCOUNTED = "discounted_share"
QUANTILES = (0.1, 0.5, 0.9)
# The smallest hashes of a day's rows stand for the day: 48 tell a fifth of a day from none.
SKETCH_ROWS = 48
TRADE_SHARE = 0.02  # of the rows of a usual day


@dataclass(frozen=True)
class Measure:
    """One number per store and day; ``kind`` says on which scale it is judged."""

    name: str
    kind: str  # count, amount, share
    column: str | None = None


@dataclass(frozen=True)
class Measured:
    """All measures of one table, day by day from its first to the last day that is judged."""

    first_day: date
    stores: tuple[str, ...]
    measures: tuple[Measure, ...]
    values: np.ndarray  # (days, stores, measures) NaN where the store has no rows
    sketches: dict[tuple[int, int], tuple[int, ...]]  # (day, store) → smallest hashes of its rows
    arrived: np.ndarray | None  # (days, stores) days from business day to first load, NaN unknown
    names: dict[str, str] = field(default_factory=dict)  # store → as people say it

    @property
    def day_count(self) -> int:
        """Days from the first to the last one."""
        return len(self.values)

    @property
    def rows(self) -> np.ndarray:
        """(days, stores) rows, 0 where there are none."""
        import numpy as np

        return np.nan_to_num(self.values[:, :, 0])

    def named(self, store: str) -> str:
        """A store as people say it."""
        return self.names.get(store, store)

    def chosen(self, stores: np.ndarray) -> Measured:
        """The same of some stores, without what only ``repeats`` looks at."""
        kept = tuple(store for store, is_kept in zip(self.stores, stores, strict=True) if is_kept)
        arrived = None if self.arrived is None else self.arrived[:, stores]
        return replace(
            self, stores=kept, values=self.values[:, stores], sketches={}, arrived=arrived
        )

    def day(self, position: int) -> date:
        """The date at a position."""
        return self.first_day + timedelta(days=position)


def last_day(
    connection: duckdb.DuckDBPyConnection, tables: tuple[Watched, ...], latest: date = date.max
) -> date | None:
    """The last business day of trade that any of the tables has, up to ``latest``; None without.

    A receipt or two of a till whose clock is ahead make no day of trade.
    """
    found = []
    for watched in tables:
        check_columns(connection, watched)
        (day,) = connection.execute(
            f"with days as (select {watched.day} as day, count(*) as row_count "
            f"from {watched.name} where {watched.day} <= ? group by all) "
            f"select max(day) from days "
            f"where row_count >= {TRADE_SHARE} * (select median(row_count) from days)",
            [latest],
        ).fetchone()
        found.append(day)
    return max((day for day in found if day is not None), default=None)


def check_columns(connection: duckdb.DuckDBPyConnection, watched: Watched) -> None:
    """Raises WatchError where the table or a column of it is not in the warehouse."""
    there = columns_of(connection, watched.schema_name, watched.table)
    if not there:
        raise WatchError(f"{watched.name} is watched and does not exist")
    if missing := sorted(watched.columns - there):
        raise WatchError(f"{watched.name} has no column {', '.join(missing)}")


def columns_of(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> set[str]:
    """Names of the columns; none where the table does not exist."""
    rows = connection.execute(
        "select column_name from duckdb_columns() where database_name = current_database() "
        "and schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchall()
    return {name for (name,) in rows}


def measure(
    connection: duckdb.DuckDBPyConnection, watched: Watched, through: date, since: date = date.min
) -> Measured | None:
    """The measures of every store and day from ``since`` to ``through``; None without a row.

    Rows without store or day are left out. Raises WatchError where a column is missing.
    """
    check_columns(connection, watched)
    has_loads = watched.load is not None and bool(columns_of(connection, "ops", "batch"))
    rows = connection.execute(_statement(watched, has_loads), [since, through]).fetchnumpy()
    if not len(rows["day"]):
        return None
    return _arranged(watched, rows, through, has_loads)


def measures_of(watched: Watched) -> tuple[Measure, ...]:
    """Every measure of a table, the row count first."""
    return tuple(measure for measure, _ in _expressions(watched))


def _expressions(watched: Watched) -> Iterator[tuple[Measure, str]]:
    yield Measure(ROWS, "count"), "count(*)"
    for name in watched.nulls:
        yield Measure(f"missing_share:{name}", "share", name), f"1 - count({name}) / count(*)"
    for name in watched.keys:
        absent = f"count(*) filter (where {name} is null or {name} < 0) / count(*)"
        yield Measure(f"missing_share:{name}", "share", name), absent
    for name in watched.distinct:
        yield Measure(f"distinct_count:{name}", "count", name), f"count(distinct {name})"
    for name in watched.amounts:
        yield Measure(f"mean:{name}", "amount", name), f"avg(abs({name}))"
        for place, share in enumerate(QUANTILES, start=1):
            quantile = f"quantile_disc(abs({name}), {list(QUANTILES)})[{place}]"
            yield Measure(f"p{share * 100:.0f}:{name}", "amount", name), quantile
        yield Measure(f"largest:{name}", "amount", name), f"max(abs({name}))"
        negative = f"count(*) filter (where {name} < 0) / count(*)"
        yield Measure(f"negative_share:{name}", "share", name), negative
    if watched.discount:
        discounted = f"count(*) filter (where {watched.discount} != 0) / count(*)"
        yield Measure(DISCOUNTED, "share", watched.discount), discounted
    if watched.content:
        # Filled from the sketch, which holds a row that is there twice twice.
        yield Measure(TWINS, "share"), "null"


def _statement(watched: Watched, has_loads: bool) -> str:
    measured = ", ".join(
        f"cast({sql} as double) as m{number}"
        for number, (_, sql) in enumerate(_expressions(watched))
    )
    content = ", ".join(watched.content)
    sketch = f"min(hash({content}), {SKETCH_ROWS})" if content else "null"
    first_load = f"min({watched.load})" if has_loads else "null"
    grouped = (
        f"select {watched.day} as day, cast({watched.store} as varchar) as store, {measured}, "
        f"{sketch} as sketch, {first_load} as first_load from {watched.name} "
        f"where {watched.day} between ? and ? and {watched.store} is not null group by all"
    )
    if not has_loads:
        return f"select * from ({grouped}) order by store, day"
    # Days are counted in UTC; a difference of a day between stores is what is looked for.
    return (
        f"select grouped.*, date_diff('day', day, cast(committed_at at time zone 'UTC' as date)) "
        f"as arrived from ({grouped}) as grouped left join ops.batch on first_load = batch_id "
        "order by store, day"
    )


def _arranged(watched: Watched, rows: dict[str, Any], through: date, has_loads: bool) -> Measured:
    import numpy as np

    days = rows["day"].astype("datetime64[D]").astype(int)
    stores, column = np.unique(rows["store"].astype(str), return_inverse=True)
    position = days - days.min()
    first_day = date(1970, 1, 1) + timedelta(days=int(days.min()))
    measures = measures_of(watched)
    shape = ((through - first_day).days + 1, len(stores))
    values = np.full((*shape, len(measures)), np.nan)
    for number in range(len(measures)):
        values[position, column, number] = np.ma.filled(rows[f"m{number}"].astype(float), np.nan)
    sketches = {}
    if watched.content:
        drawn = zip(position.tolist(), column.tolist(), rows["sketch"], strict=True)
        sketches = {(d, s): tuple(int(h) for h in hashes) for d, s, hashes in drawn}
        for (d, s), hashes in sketches.items():
            values[d, s, -1] = 1 - len(set(hashes)) / len(hashes)
    arrived = None
    if has_loads:
        arrived = np.full(shape, np.nan)
        arrived[position, column] = np.ma.filled(rows["arrived"].astype(float), np.nan)
    return Measured(first_day, tuple(stores.tolist()), measures, values, sketches, arrived)
