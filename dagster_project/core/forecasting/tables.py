"""The tables of schema ``forecast``: their shape, and their replacement in one transaction.

Belongs here: DDL, writing, reading back what a failed series keeps. Does not: any computation.
All amounts are net sales of a business day in the reporting currency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    import pandas as pd

# Column name → type, in order; the first line of each comment is the table's grain.
TABLES: dict[str, dict[str, str]] = {
    # one row per series that has, or had, a forecast
    "series": {
        "series_key": "varchar not null",
        "level": "varchar not null",  # total, banner, channel, department, store
        "member_code": "varchar not null",
        "member_name": "varchar not null",
        "banner": "varchar",
        "first_date": "date not null",
        "last_date": "date not null",  # the origin of this run: the last complete business day
        "day_count": "integer not null",  # traded days from first to last
        "status": "varchar not null",  # forecast, stale (an older one kept), failed (none to keep)
        "model": "varchar",
        "origin_date": "date",  # of the forecast in daily
        "forecast_age_days": "integer",  # last_date - origin_date
        "error": "varchar",  # why this run has no forecast for it
        "currency_code": "varchar not null",
    },
    # one row per series and day with trade, up to the origin
    "actual": {
        "series_key": "varchar not null",
        "business_date": "date not null",
        "net_amount": "double not null",
    },
    # one row per series and day of the horizon, by the chosen model
    "daily": {
        "series_key": "varchar not null",
        "origin_date": "date not null",
        "target_date": "date not null",
        "horizon_days": "integer not null",  # 1 to 28
        "model": "varchar not null",
        "mean_amount": "double not null",
        "p2_5_amount": "double not null",
        "p10_amount": "double not null",
        "p90_amount": "double not null",
        "p97_5_amount": "double not null",
        "is_closed": "boolean not null",  # known to be closed: all amounts are 0
    },
    # one row per series, model, back-test origin and day of its horizon that was traded
    "backtest": {
        "series_key": "varchar not null",
        "origin_date": "date not null",
        "target_date": "date not null",
        "horizon_days": "integer not null",
        "model": "varchar not null",
        "actual_amount": "double not null",
        "forecast_amount": "double not null",
    },
    # one row per series and model
    "accuracy": {
        "series_key": "varchar not null",
        "model": "varchar not null",
        "window_count": "integer not null",
        "day_count": "integer not null",
        "wape": "double not null",  # sum of absolute errors / sum of sales, 0 = perfect
        "bias": "double not null",  # sum of (forecast - actual) / sum of sales
        "coverage_80": "double not null",  # share of days inside the 80 % interval
        "coverage_95": "double not null",
        "value_added_naive": "double not null",  # 1 - wape / wape of last week again
        "value_added_weekday": "double not null",  # 1 - wape / wape of weekday × promotion mean
        "is_chosen": "boolean not null",
        "reason": "varchar not null",
    },
}

Row = tuple[Any, ...]
Rows = dict[str, list[Row]]  # table → rows in the order of its columns


def empty_rows() -> Rows:
    """No row for any table."""
    return {table: [] for table in TABLES}


def replace_all(connection: duckdb.DuckDBPyConnection, rows: Mapping[str, Sequence[Row]]) -> None:
    """Replace every forecast table by these rows, all or none. Rows are sorted on the way in."""
    connection.begin()
    try:
        connection.execute("create schema if not exists forecast")
        for table, columns in TABLES.items():
            _replace(connection, table, columns, rows[table])
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def kept_rows(connection: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> Rows:
    """What the tables hold now for these series, but not their actual sales, which are read anew.

    Nothing when the tables are missing or had other columns in an earlier release.
    """
    found = empty_rows()
    if not keys or not _has_current_tables(connection):
        return found
    for table, columns in TABLES.items():
        if table != "actual":
            names = ", ".join(columns)
            query = f"select {names} from forecast.{table} where list_contains($1, series_key)"
            found[table] = connection.execute(query, [list(keys)]).fetchall()
    return found


def _has_current_tables(connection: duckdb.DuckDBPyConnection) -> bool:
    found = connection.execute(
        """
        select table_name, list(column_name order by column_index)
        from duckdb_columns()
        where schema_name = 'forecast' and database_name = current_database()
        group by table_name
        """
    ).fetchall()
    shapes = dict(found)
    return all(shapes.get(table) == list(columns) for table, columns in TABLES.items())


def _replace(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    rows: Sequence[Row],
) -> None:
    body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"create or replace table forecast.{table} ({body})")
    if not rows:
        return
    connection.register("forecast_rows", _frame(columns, rows))
    try:
        picked = ", ".join(
            f"cast({n} as {k.removesuffix(' not null')})" for n, k in columns.items()
        )
        order = ", ".join(name for name in columns if name.endswith(("_key", "_date", "model")))
        connection.execute(
            f"insert into forecast.{table} select {picked} from forecast_rows order by {order}"
        )
    finally:
        connection.unregister("forecast_rows")


def _frame(columns: Mapping[str, str], rows: Sequence[Row]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame.from_records(list(rows), columns=list(columns))
    for name, kind in columns.items():
        if kind.startswith("date"):
            frame[name] = pd.to_datetime(frame[name])
        elif kind.startswith("varchar"):
            frame[name] = frame[name].astype("object")
    return frame


def read_actual(
    connection: duckdb.DuckDBPyConnection, series_key: str, first: date
) -> list[tuple[date, float]]:
    """Sales of a series from a day on, in order."""
    return connection.execute(
        """
        select business_date, net_amount
        from forecast.actual
        where series_key = $1 and business_date >= $2
        order by business_date
        """,
        [series_key, first],
    ).fetchall()
