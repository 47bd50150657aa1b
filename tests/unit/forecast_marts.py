"""Marts from which forecasts are read, filled by hand, in a DuckDB in memory.

Two banners of the sender ``till``: shops 1 and 2 of Market, shop 3 of Bazaar; four products.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb
from forecasting_marts import open_marts

NEW_YORK = "America/New_York"
FIRST = date(2017, 1, 2)  # a Monday
DAYS = 60
ORIGIN = FIRST + timedelta(days=DAYS - 1)

TABLES = """
drop table core.dim_product;
drop table core.fct_sales_line;
create table core.dim_product (
    product_key bigint, product_durable_key bigint, sender varchar, product_code varchar,
    name varchar, department varchar, is_current boolean
);
create table core.fct_sales_line (
    transaction_key bigint, sender varchar, business_date date, sold_at timestamptz,
    store_key bigint, store_durable_key bigint, product_key bigint, product_durable_key bigint,
    channel_key bigint, quantity decimal(18, 3), net_amount_reporting decimal(18, 4)
);
create table core.fct_inventory_daily (
    sender varchar, business_date date, store_durable_key bigint, product_durable_key bigint,
    on_hand_quantity decimal(18, 3), sold_quantity decimal(18, 3), is_stock_out boolean
);
create table core.fct_promotion_coverage (
    sender varchar, business_date date, store_durable_key bigint, product_key bigint,
    product_durable_key bigint, promotion_key bigint
);
insert into core.dim_product values
    (-1, -1, null, null, 'Unknown', null, true),
    (1, 1, 'till', 'P1', 'Bread', 'GROCERY', true),
    (2, 2, 'till', 'P2', 'Milk', 'GROCERY', true),
    (3, 3, 'till', 'P3', 'Tulips', 'FLORAL', true),
    (4, 4, 'till', 'P:4', 'Roses', 'FLORAL', true);
insert into core.dim_store values
    (1, 1, 'till', 'S1', 'Shop 1', 'Market', 'US', 'America/New_York', true),
    (2, 2, 'till', 'S2', 'Shop 2', 'Market', 'US', 'America/New_York', true),
    (3, 3, 'till', 'S3', 'Shop 3', 'Bazaar', 'IR', 'America/New_York', true);
"""


def open_star() -> duckdb.DuckDBPyConnection:
    """Empty facts, with shops, products and a calendar."""
    connection = open_marts()
    connection.execute(TABLES)
    return connection


def sell(
    connection: duckdb.DuckDBPyConnection,
    store: int,
    product: int,
    quantities: Sequence[float | None],
    *,
    first: date = FIRST,
    price: float | None = 2.5,
    channel: int = 1,
) -> None:
    """A line a day at closing time; None is a day without any, no price one that has no rate."""
    for number, quantity in enumerate(quantities):
        if quantity is None:
            continue
        day = first + timedelta(days=number)
        sold_at = datetime.combine(day, time(21, 30), tzinfo=ZoneInfo(NEW_YORK))
        amount = None if price is None else round(quantity * price, 4)
        connection.execute(
            "insert into core.fct_sales_line "
            "values ($1, 'till', $2, $3, $4, $4, $5, $5, $6, $7, $8)",
            [number, day, sold_at, store, product, channel, quantity, amount],
        )


def stock(
    connection: duckdb.DuckDBPyConnection,
    store: int,
    product: int,
    day: int,
    *,
    on_hand: float,
    sold: float,
    is_out: bool,
) -> None:
    """What a store had of a product when a day ended."""
    connection.execute(
        "insert into core.fct_inventory_daily values ('till', ?, ?, ?, ?, ?, ?)",
        [FIRST + timedelta(days=day), store, product, on_hand, sold, is_out],
    )


def promote(
    connection: duckdb.DuckDBPyConnection, key: int, first: int, last: int, pairs: Sequence[tuple]
) -> None:
    """A promotion from one day to another, of pairs of store and product."""
    days = [FIRST + timedelta(days=n) for n in (first, last)]
    connection.execute(
        "insert into core.dim_promotion values (?, 'till', ?, ?, ?)", [key, f"A{key}", *days]
    )
    for store, product in pairs:
        connection.execute(
            "insert into core.fct_promotion_coverage "
            "select 'till', cast(d as date), $1, $2, $2, $3 "
            "from range($4, $5 + interval 1 day, interval 1 day) as r(d)",
            [store, product, key, *days],
        )
