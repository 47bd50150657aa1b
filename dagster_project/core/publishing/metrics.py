"""The metrics by name, and the views that show them.

The ones that add up are columns of ``sales.sales_daily``, which defines each of them in SQL; ratios
are defined here. Belongs here: what a metric is and how it adds up. Does not: drawing one
(``reports``). Views are written for readers as old as DuckDB 1.0 and name no catalogue: a reader
may call the file anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from dagster_project.core.publishing.comments import comment
from dagster_project.core.publishing.tables import Table

SCHEMA = "metrics"
NEEDED = ("sales.sales_daily", "core.dim_store", "core.dim_channel")
BASE = "sales_by_day_store_channel"


@dataclass(frozen=True)
class Metric:
    """One metric: a column of ``sales.sales_daily`` that adds up, or a ratio of such sums.

    ``ratio`` is an expression over other metrics, worked out anew at every grain.
    """

    name: str
    unit: str  # currency, count or ratio
    description: str
    ratio: str | None = None

    @property
    def is_count(self) -> bool:
        """Whether it counts receipts: a whole number at every grain."""
        return self.unit == "count"


def _money(name: str, description: str, ratio: str | None = None) -> tuple[Metric, Metric]:
    """A metric in the receipt's currency and its twin in the reporting currency."""
    own = Metric(
        f"{name}_amount",
        "receipt currency",
        f"{description}, in the receipt's currency.",
        ratio and ratio.format(s=""),
    )
    twin = Metric(
        f"{name}_amount_reporting",
        "reporting currency",
        f"{description}, in the reporting currency at the rate of the business date.",
        ratio and ratio.format(s="_reporting"),
    )
    return own, twin


METRICS: tuple[Metric, ...] = (
    *_money("gross_sales", "List price times quantity of sale and fee lines, before tax"),
    *_money("discounts", "Discounts on sale and fee lines"),
    *_money("returns", "Net value of goods brought back, positive, on the day they came back"),
    *_money("net_sales", "Gross sales less discounts less returns, before tax"),
    *_money("tax", "Tax on net sales"),
    *_money("costed_net_sales", "Net sales of the lines whose cost is known"),
    *_money("cost", "Cost of the goods on net sales, where it is known"),
    Metric("units", "units or weight", "Quantity sold less quantity returned."),
    Metric("receipts", "count", "Sale and return receipts and orders that count."),
    Metric(
        "baskets",
        "count",
        "Receipts and orders with something bought, so without pure returns.",
    ),
    *_money(
        "margin",
        "Net sales less cost, of the lines whose cost is known",
        "costed_net_sales_amount{s} - cost_amount{s}",
    ),
    Metric(
        "margin_share",
        "ratio",
        "Margin as a share of the net sales whose cost is known.",
        "(costed_net_sales_amount - cost_amount) / nullif(costed_net_sales_amount, 0)",
    ),
    Metric(
        "average_basket_amount",
        "receipt currency",
        "Net sales per basket, in the receipt's currency.",
        ratio="net_sales_amount / nullif(baskets, 0)",
    ),
    Metric(
        "average_basket_amount_reporting",
        "reporting currency",
        "Net sales per basket, in the reporting currency.",
        ratio="net_sales_amount_reporting / nullif(baskets, 0)",
    ),
    Metric(
        "units_per_basket",
        "ratio",
        "Quantity sold less quantity returned, per basket.",
        ratio="units / nullif(baskets, 0)",
    ),
    Metric(
        "discount_share",
        "ratio",
        "Discounts as a share of gross sales, 0 to 1.",
        ratio="discounts_amount / nullif(gross_sales_amount, 0)",
    ),
)

# Grain of each roll-up. Amounts in the receipt's currency add up only within one currency.
ROLL_UPS: dict[str, tuple[str, ...]] = {
    "sales_by_day": ("business_date", "banner", "currency_code"),
    "sales_by_store": (
        "banner",
        "store_durable_key",
        "store_code",
        "store_name",
        "country_code",
        "city",
        "currency_code",
    ),
    "sales_by_channel": ("banner", "channel_code", "currency_code"),
    "sales_by_banner": ("banner", "currency_code"),
    "sales_by_month": ("business_month", "banner", "channel_code", "currency_code"),
}


SUMS = tuple(metric for metric in METRICS if metric.ratio is None)
RATIOS = tuple(metric for metric in METRICS if metric.ratio is not None)
# column → where it comes from; attributes of the store as it was on the day.
BASE_COLUMNS: dict[str, str] = {
    "business_date": "found.business_date",
    "business_month": "cast(date_trunc('month', found.business_date) as date) as business_month",
    "banner": "store.banner",
    "store_durable_key": "store.store_durable_key",
    "store_code": "store.store_code",
    "store_name": "store.name as store_name",
    "country_code": "store.country_code",
    "city": "store.city",
    "channel_code": "channel.channel_code",
    "currency_code": "found.currency_code",
}


def create_metric_views(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> bool:
    """Create schema ``metrics`` in the current catalogue; False where the sales tables are missing.

    ``sales_by_day_store_channel`` holds every definition; the roll-ups only add it up.
    """
    if not set(NEEDED) <= {table.full_name for table in tables}:
        return False
    connection.execute(f"create schema if not exists {SCHEMA}")
    for name, sql in view_sql().items():
        connection.execute(f"create view {SCHEMA}.{name} as {sql}")
        comment(connection, "view", f"{SCHEMA}.{name}", f"One row per {grain(name)}.")
        for metric in METRICS:
            comment(connection, "column", f"{SCHEMA}.{name}.{metric.name}", metric.description)
    connection.execute(
        f"create table {SCHEMA}.definition (metric varchar, unit varchar, description varchar)"
    )
    connection.executemany(
        f"insert into {SCHEMA}.definition values (?, ?, ?)",
        [(metric.name, metric.unit, metric.description) for metric in METRICS],
    )
    text = "One row per metric: its unit and what it means."
    comment(connection, "table", f"{SCHEMA}.definition", text)
    return True


def grain(view: str) -> str:
    """The view's grain in words."""
    if view == BASE:
        return "business date, store, channel and currency"
    return ", ".join(column.replace("_", " ") for column in ROLL_UPS[view])


def view_sql() -> dict[str, str]:
    """Every view of the schema by name, in order of creation."""
    views = {BASE: _base_sql()}
    for name, columns in ROLL_UPS.items():
        sums = [f"{_sum(metric)} as {metric.name}" for metric in SUMS]
        body = f"select {_listed([*columns, *sums])}\nfrom {SCHEMA}.{BASE}\ngroup by all"
        views[name] = _with_ratios(body, columns)
    return views


def _listed(items: Sequence[str]) -> str:
    return "\n    " + ",\n    ".join(items)


def _with_ratios(sums: str, keys: Sequence[str]) -> str:
    columns = [*keys, *(m.name for m in SUMS), *(f"{m.ratio} as {m.name}" for m in RATIOS)]
    return f"with summed as (\n{sums}\n)\nselect {_listed(columns)}\nfrom summed"


def _sum(metric: Metric) -> str:
    """Counts as bigint, because not every driver knows DuckDB's 128-bit sums."""
    return f"cast(sum({metric.name}) as bigint)" if metric.is_count else f"sum({metric.name})"


def _base_sql() -> str:
    """One row per business date, store, channel and currency."""
    totals = [f"{_sum(metric)} as {metric.name}" for metric in SUMS]
    return _with_ratios(
        f"""select {_listed([*BASE_COLUMNS.values(), *totals])}
from sales.sales_daily as found
inner join core.dim_store as store on store.store_key = found.store_key
inner join core.dim_channel as channel on channel.channel_key = found.channel_key
group by all""",
        list(BASE_COLUMNS),
    )
