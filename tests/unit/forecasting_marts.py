"""Core marts of the shape that forecasting reads, filled by hand, in a DuckDB in memory."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
from lunardate import LunarDate

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
create table core.dim_date (
    date_key integer, calendar_date date, lunar_month integer, lunar_day integer,
    is_lunar_leap_month boolean, jalali_month integer, jalali_day integer
);
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


def open_marts(first: date = date(2016, 6, 1), last: date = date(2018, 6, 30)):
    """Empty marts, with a calendar."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(TABLES)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    rows = [_calendar_row(day) for day in days]
    connection.executemany("insert into core.dim_date values (?, ?, ?, ?, ?, 0, 0)", rows)
    return connection


def _calendar_row(day: date) -> tuple:
    lunar = LunarDate.from_solar_date(day.year, day.month, day.day)
    leap = bool(lunar.is_leap_month)
    return (int(f"{day:%Y%m%d}"), day, lunar.month, lunar.day, leap)


def add_store(connection, key: int, *, banner: str = "Market", country: str = "US") -> None:
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
