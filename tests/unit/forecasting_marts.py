"""Core marts of the shape that forecasting reads, filled by hand, in a DuckDB in memory."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from dagster_project.core.calendars import ensure_calendar

TABLES = """
create schema core;
create table core.dim_store (
    store_key bigint, store_durable_key bigint, sender varchar, store_code varchar, name varchar,
    banner varchar, country_code varchar, time_zone varchar, is_current boolean
);
create table core.dim_product (product_key bigint, department varchar);
create table core.dim_channel (channel_key bigint, channel_code varchar, name varchar);
create table core.dim_promotion (
    promotion_key bigint, sender varchar, promotion_code varchar, starts_on date, ends_on date
);
create table core.dim_date as from calendar;
create table core.fct_sales_line (
    transaction_key bigint, sender varchar, business_date date, sold_at timestamptz,
    store_key bigint, store_durable_key bigint, product_key bigint, channel_key bigint,
    net_amount_reporting decimal(18, 4)
);
insert into core.dim_product values (-1, 'Unknown'), (1, 'GROCERY'), (2, 'FLORAL');
insert into core.dim_channel values (1, 'store', 'Store'), (2, 'web', 'Web shop');
"""
NEW_YORK = "America/New_York"
RECEIPTS = 6  # a day: above the five that a series needs


@cache
def _calendar():
    """The warehouse's own calendar, made once for all tests."""
    with duckdb.connect() as connection:
        connection.execute("create schema reference")
        ensure_calendar(connection)
        return connection.execute("from reference.calendar").to_arrow_table()


def open_marts():
    """Empty marts, with a calendar."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set TimeZone = 'UTC'")
    connection.register("calendar", _calendar())
    connection.execute(TABLES)
    return connection


def add_store(connection, key: int, *, banner: str = "Market", country: str | None = "US") -> None:
    """One shop of the sender ``till``, in New York time."""
    connection.execute(
        "insert into core.dim_store values (?, ?, 'till', ?, ?, ?, ?, ?, true)",
        [key, key, f"S{key}", f"Shop {key}", banner, country, NEW_YORK],
    )


def add_days(
    connection,
    store: int,
    first: date,
    amounts: Sequence[float | None],
    *,
    product: int = 1,
    channel: int = 1,
    receipts: int = RECEIPTS,
    closing: time = time(21, 30),
) -> None:
    """Receipts of equal size, the last one at closing; None is a day without any, NaN one
    whose lines could not be converted into the reporting currency."""
    for number, amount in enumerate(amounts):
        if amount is None:
            continue
        day = first + timedelta(days=number)
        sold_at = datetime.combine(day, closing, tzinfo=ZoneInfo(NEW_YORK))
        share = None if np.isnan(amount) else round(float(amount) / receipts, 4)
        connection.execute(
            """
            insert into core.fct_sales_line
            select $1 * 10 + i, 'till', $2, $3, $4, $4, $5, $6, $7
            from range($8) as r(i)
            """,
            [
                int(f"{day:%y%m%d}") * 1000 + store,
                day,
                sold_at,
                store,
                product,
                channel,
                share,
                receipts,
            ],
        )


def weekly_sales(
    days: int, *, level: float = 1000.0, noise: float = 0.05, seed: int = 7, first: date
) -> list[float]:
    """Sales with a week (Saturday twice Tuesday) and log-normal noise of the given size."""
    shape = np.array([0.8, 0.7, 0.8, 0.9, 1.2, 1.4, 1.2])
    rng = np.random.default_rng(seed)
    weekdays = (first.weekday() + np.arange(days)) % 7
    return (level * shape[weekdays] * np.exp(noise * rng.standard_normal(days))).tolist()
