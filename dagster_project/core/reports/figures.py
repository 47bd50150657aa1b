"""The figures of a page, read from the published file and from nothing else.

Belongs here: queries over published tables and metric views, as plain values. Does not: how a
figure looks. Amounts are in the reporting currency unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from dagster_project.core.home import Home
from dagster_project.core.publishing import (
    Publication,
    PublicationError,
    attached,
    latest_publication,
)

PERIOD_DAYS = 28  # whole weeks, so that two periods have the same weekdays
HOURS_WEEKS = 12
CHART_DAYS = 182


@dataclass(frozen=True)
class Period:
    """The last 28 business days and the 28 before them, both ends included."""

    last: date

    @property
    def first(self) -> date:
        return self.last - timedelta(days=PERIOD_DAYS - 1)

    @property
    def before_first(self) -> date:
        return self.first - timedelta(days=PERIOD_DAYS)


@dataclass(frozen=True)
class Headline:
    """One banner, or all together (banner None), over the period and the one before."""

    banner: str | None
    net_sales: float
    net_sales_before: float
    receipts: int
    receipts_before: int
    baskets: int
    baskets_before: int
    customers: int
    customers_before: int


@dataclass(frozen=True)
class LocalSales:
    """One banner and currency over the period, in that currency."""

    banner: str
    currency_code: str
    net_sales: float
    baskets: int


@dataclass(frozen=True)
class Product:
    """One of the best sellers of the period."""

    name: str
    department: str
    net_sales: float
    units: float


@dataclass(frozen=True)
class Tier:
    """Customers of one banner and value tier, and what they have brought."""

    banner: str
    tier: str
    customers: int
    net_sales: float


@contextmanager
def open_figures(
    home: Home, audience: str
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Publication]]:
    """The published file with the daily figures summed once, and which version it is.

    Raises PublicationError when nothing is published, or it holds no sales.
    """
    publication = latest_publication(home, audience)
    if publication is None:
        raise PublicationError(f"nothing has been published for {audience} yet")
    if publication.data_up_to is None:
        raise PublicationError(f"version {publication.version} of {audience} holds no sales")
    with attached(publication.path) as connection:
        connection.execute(
            """
            create temp table daily as
            select
                business_date,
                banner,
                channel_code,
                currency_code,
                sum(net_sales_amount)::double as own_net_sales,
                coalesce(sum(net_sales_amount_reporting), 0)::double as net_sales,
                sum(receipts) as receipts,
                sum(baskets) as baskets,
            from metrics.sales_by_day_store_channel
            group by all
            """
        )
        yield connection, publication


def has_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the published file holds a table: a deployment may do without forecasts."""
    found = connection.execute(
        """
        select count(*) from duckdb_tables()
        where database_name = current_database() and schema_name = ? and table_name = ?
        """,
        [schema, table],
    ).fetchone()
    return found == (1,)


def last_complete_day(connection: duckdb.DuckDBPyConnection, publication: Publication) -> date:
    """The day forecasts start from; without forecasts the last day with sales."""
    if has_table(connection, "forecast", "series"):
        (last,) = connection.execute(
            "select max(last_date) from forecast.series "
            "where forecast = 'net_sales' and level = 'total'"
        ).fetchone()
        if last is not None:
            return last
    if publication.data_up_to is None:
        raise PublicationError("the published file holds no sales")
    return publication.data_up_to


def headlines(connection: duckdb.DuckDBPyConnection, period: Period) -> list[Headline]:
    """All together first, then every banner, the largest first."""
    rows = connection.execute(
        _HEADLINES,
        {"first": period.first, "before_first": period.before_first, "last": period.last},
    ).fetchall()
    return [Headline(*row) for row in rows]


_HEADLINES = """
with sales as (
    select
        banner,
        sum(net_sales) filter (business_date >= $first) as net_sales,
        sum(net_sales) filter (business_date < $first) as net_sales_before,
        sum(receipts) filter (business_date >= $first) as receipts,
        sum(receipts) filter (business_date < $first) as receipts_before,
        sum(baskets) filter (business_date >= $first) as baskets,
        sum(baskets) filter (business_date < $first) as baskets_before,
    from daily
    where business_date between $before_first and $last
    group by rollup (banner)
),
shoppers as (
    select
        store.banner,
        count(distinct t.customer_durable_key) filter (business_date >= $first) as customers,
        count(distinct t.customer_durable_key) filter (business_date < $first)
            as customers_before,
    from core.fct_transaction as t
    inner join core.dim_store as store on store.store_key = t.store_key
    where
        t.is_sale
        and t.customer_durable_key >= 0
        and t.business_date between $before_first and $last
    group by rollup (store.banner)
)
select
    sales.banner,
    coalesce(net_sales, 0),
    coalesce(net_sales_before, 0),
    coalesce(receipts, 0)::bigint,
    coalesce(receipts_before, 0)::bigint,
    coalesce(baskets, 0)::bigint,
    coalesce(baskets_before, 0)::bigint,
    coalesce(customers, 0),
    coalesce(customers_before, 0),
from sales
left join shoppers on shoppers.banner is not distinct from sales.banner
order by sales.banner is not null, net_sales desc, sales.banner
"""


def local_sales(connection: duckdb.DuckDBPyConnection, period: Period) -> list[LocalSales]:
    """Net sales of the period by banner and the currency they were paid in."""
    rows = connection.execute(
        """
        select banner, currency_code, sum(own_net_sales), sum(baskets)::bigint
        from daily
        where business_date between ? and ?
        group by all
        order by banner, sum(net_sales) desc
        """,
        [period.first, period.last],
    ).fetchall()
    return [LocalSales(*row) for row in rows]


def sales_by_day(connection: duckdb.DuckDBPyConnection, last: date) -> list[tuple[date, float]]:
    """Net sales of the half year up to a day, by business day."""
    return connection.execute(
        """
        select business_date, sum(net_sales)
        from daily
        where business_date > ? and business_date <= ?
        group by business_date
        order by business_date
        """,
        [last - timedelta(days=CHART_DAYS), last],
    ).fetchall()


def channel_mix(
    connection: duckdb.DuckDBPyConnection, period: Period
) -> dict[str, list[tuple[str, float]]]:
    """Net sales of the period by banner and channel name."""
    rows = connection.execute(
        """
        select daily.banner, channel.name, sum(daily.net_sales)
        from daily
        inner join core.dim_channel as channel on channel.channel_code = daily.channel_code
        where daily.business_date between ? and ?
        group by all
        order by daily.banner, sum(daily.net_sales) desc
        """,
        [period.first, period.last],
    ).fetchall()
    mix: dict[str, list[tuple[str, float]]] = {}
    for banner, channel, amount in rows:
        mix.setdefault(banner, []).append((channel, amount))
    return mix


def busy_hours(connection: duckdb.DuckDBPyConnection, last: date) -> list[tuple[int, int, float]]:
    """Weekday (1 = Monday), local hour, receipts in an average week of the last twelve."""
    return connection.execute(
        """
        select
            isodow(business_date) as weekday,
            time_of_day_key // 60 as hour,
            count(*) / ?::double,
        from core.fct_transaction
        where is_sale and time_of_day_key >= 0 and business_date > ? and business_date <= ?
        group by all
        order by all
        """,
        [HOURS_WEEKS, last - timedelta(weeks=HOURS_WEEKS), last],
    ).fetchall()


def top_products(
    connection: duckdb.DuckDBPyConnection, period: Period, count: int = 10
) -> list[Product]:
    """The products with the highest net sales of the period, under their name of today."""
    rows = connection.execute(
        """
        with sold as (
            select
                product_durable_key,
                sum(net_amount_reporting)::double as net_sales,
                sum(quantity)::double as units,
            from core.fct_sales_line
            where business_date between ? and ? and product_durable_key >= 0
            group by product_durable_key
        )
        select
            coalesce(product.name, product.product_code),
            coalesce(product.department, ''),
            sold.net_sales,
            sold.units,
        from sold
        inner join core.dim_product as product
            on product.product_durable_key = sold.product_durable_key and product.is_current
        where sold.net_sales is not null
        order by sold.net_sales desc, product.product_code
        limit ?
        """,
        [period.first, period.last, count],
    ).fetchall()
    return [Product(*row) for row in rows]


def value_tiers(connection: duckdb.DuckDBPyConnection) -> list[Tier]:
    """Buyers by banner and value tier, the most valuable first."""
    if not has_table(connection, "customer", "customer_360"):
        return []
    rows = connection.execute(
        """
        select
            coalesce(banner, 'Unknown'),
            value_tier,
            count(*),
            sum(net_amount_reporting)::double as net_sales,
        from customer.customer_360
        where value_tier is not null and receipt_count > 0
        group by all
        order by 1, net_sales / count(*) desc
        """
    ).fetchall()
    return [Tier(*row) for row in rows]
