"""The tables of schema ``forecast``: their shape, and their replacement in one transaction.

Belongs here: DDL, writing, reading back what a failed series keeps. Does not: any computation.
Values are in the unit of their series: the reporting currency, or units of goods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    import pandas as pd

# Column name → type, in order; the first line of each comment is the table's grain.
TABLES: dict[str, dict[str, str]] = {
    # one row per series that is, or was, forecast
    "series": {
        "series_key": "varchar not null",
        "forecast": "varchar not null",  # the declaration it comes from
        "level": "varchar not null",
        "member_code": "varchar not null",
        "member_name": "varchar not null",
        "banner": "varchar",
        "first_date": "date",
        "last_date": "date not null",  # the origin of this run: the last complete business day
        "day_count": "integer not null",  # days with a value from first to last
        "demand_class": "varchar not null",  # smooth, erratic, intermittent, lumpy, none
        "status": "varchar not null",  # forecast, short, all_zero, stale, failed
        "model": "varchar",
        "reason": "varchar",  # why this model
        "origin_date": "date",  # of the forecast in daily
        "forecast_age_days": "integer",  # last_date - origin_date
        "error": "varchar",  # why this run has no forecast for it
        "window_count": "integer not null",  # past origins at which the forecast was judged
        "wape": "double",  # of what would have been published; the next ones too
        "bias": "double",
        "rmsse": "double",
        "coverage_80": "double",
        "coverage_95": "double",
        "value_added_naive": "double",  # 1 - wape / wape of last week again
        "value_added_naive_14": "double",  # 1 - wape / wape of the last fortnight again
        "value_added_weekday": "double",  # 1 - wape / wape of the weekday × promotion mean
        "unit": "varchar not null",  # reporting_currency, units, tickets
        "currency_code": "varchar",
    },
    # one row per series and day with a value, up to the origin
    "actual": {
        "series_key": "varchar not null",
        "business_date": "date not null",
        "actual_value": "double not null",
    },
    # one row per series and day of the horizon, by the chosen model
    "daily": {
        "series_key": "varchar not null",
        "origin_date": "date not null",
        "target_date": "date not null",
        "horizon_days": "integer not null",  # from 1
        "model": "varchar not null",
        "mean_value": "double not null",
        "p2_5_value": "double",  # NULL where no error was ever measured
        "p10_value": "double",
        "p50_value": "double",
        "p90_value": "double",
        "p97_5_value": "double",
        "is_closed": "boolean not null",  # known to be closed: all values are 0
    },
    # one row per series, model, back-test origin and judged day of its horizon
    "backtest": {
        "series_key": "varchar not null",
        "origin_date": "date not null",
        "target_date": "date not null",
        "horizon_days": "integer not null",
        "model": "varchar not null",
        "actual_value": "double not null",
        "forecast_value": "double not null",
    },
    # one row per series and model that was tried
    "accuracy": {
        "series_key": "varchar not null",
        "model": "varchar not null",
        "window_count": "integer not null",
        "day_count": "integer not null",
        "wape": "double",  # sum of absolute errors / sum of values, 0 = perfect
        "bias": "double",  # sum of (forecast - actual) / sum of values
        "rmsse": "double",  # against yesterday again within the history
        "is_chosen": "boolean not null",
    },
    # one row per store and product that is forecast
    "replenishment": {
        "series_key": "varchar not null",
        "origin_date": "date not null",
        "lead_days": "integer not null",
        "review_days": "integer not null",
        "service_level": "double not null",
        "lead_demand_quantity": "double",
        "protected_demand_quantity": "double",
        "safety_stock_quantity": "double",
        "reorder_point_quantity": "double",
        "order_up_to_quantity": "double",
    },
}

Frames = dict[str, "pd.DataFrame"]  # table → rows in the columns of the table


def empty_frames() -> Frames:
    """No row for any table."""
    import pandas as pd

    return {table: pd.DataFrame(columns=list(columns)) for table, columns in TABLES.items()}


def joined(parts: Sequence[Frames]) -> Frames:
    """The rows of several runs together."""
    import pandas as pd

    found = empty_frames()
    for table in TABLES:
        filled = [part[table] for part in parts if table in part and len(part[table])]
        if filled:
            found[table] = pd.concat(filled, ignore_index=True)
    return found


def replace_all(connection: duckdb.DuckDBPyConnection, frames: Mapping[str, pd.DataFrame]) -> None:
    """Replace every forecast table by these rows, all or none. Rows are sorted on the way in."""
    connection.begin()
    try:
        connection.execute("create schema if not exists forecast")
        for table, columns in TABLES.items():
            _replace(connection, table, columns, frames[table])
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def kept_frames(connection: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> Frames:
    """What the tables hold now for these series, but not their actual values, which are read anew.

    Nothing when the tables are missing or had other columns in an earlier release.
    """
    found = empty_frames()
    if not keys or not _has_current_tables(connection):
        return found
    for table, columns in TABLES.items():
        if table != "actual":
            names = ", ".join(columns)
            query = f"select {names} from forecast.{table} where list_contains($1, series_key)"
            found[table] = connection.execute(query, [list(keys)]).fetchdf()
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
    rows: pd.DataFrame,
) -> None:
    body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"create or replace table forecast.{table} ({body})")
    if not len(rows):
        return
    connection.register("forecast_rows", rows)
    try:
        picked = ", ".join(_picked(name, kind) for name, kind in columns.items())
        order = ", ".join(name for name in columns if name.endswith(("_key", "_date", "model")))
        connection.execute(
            f"insert into forecast.{table} select {picked} from forecast_rows order by {order}"
        )
    finally:
        connection.unregister("forecast_rows")


def _picked(name: str, kind: str) -> str:
    """The column in its type; what is no number is unknown."""
    plain = kind.removesuffix(" not null")
    cast = f"cast({name} as {plain})"
    return f"case when isfinite({cast}) then {cast} end" if plain == "double" else cast


def read_actual(
    connection: duckdb.DuckDBPyConnection, series_key: str, first: date
) -> list[tuple[date, float]]:
    """Values of a series from a day on, in order."""
    return connection.execute(
        """
        select business_date, actual_value
        from forecast.actual
        where series_key = $1 and business_date >= $2
        order by business_date
        """,
        [series_key, first],
    ).fetchall()
