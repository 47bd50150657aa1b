"""Made chains of stores for the anomaly back-test: half a year of lines, receipts and tenders.

Belongs here: weekday, season, growth, holidays, promotions, noise and closed days, drawn anew for
every seed. Does not: what may go wrong with them (``benchmarks.anomalies``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta

import duckdb
import numpy as np

from dagster_project.core.calendars import CalendarDay, calendar_days

DAYS = 180

# A receipt is number i of its store and day; every choice is a hash of it and of the seed.
TABLES = """
create schema core;
create schema ops;
create table ops.batch as
select range as batch_id, $first + range::integer + interval 30 hour as committed_at
from range($days);
create table core.fct_sales_line as
with receipt as (
    select
        plan.*, i, hash($seed, store, position, i) % 1000000007 as draw,
        1 + (-ln(1 - hash($seed, store, position, i, 'n') % 1000 / 1000.0) * lines)::integer as n
    from plan cross join lateral (select unnest(range(receipts)) as i)
),
line as (
    select
        receipt.*, number, hash($seed, draw, number) as chance,
        (pow(hash($seed, draw, number, 'p') % 10000 / 10000.0, 2) * 400)::bigint as product
    from receipt cross join lateral (select unnest(range(least(n, 30))) as number)
)
select
    (store * 1000 + position) * 100000 + i as transaction_key, number as line_number, day as
    business_date, store as store_durable_key, (540 + draw % 720)::integer as time_of_day_key,
    product as product_key, product as product_durable_key,
    case when draw % 1000 < anonymous * 1000 then -1 else (draw % 3000)::bigint end as customer_key,
    case when chance % 97 < 2 then -1 else 1 + chance % 11 // 9 end::decimal(18, 3) as quantity,
    (0.2 + exp(1.1 + 0.9 * sin(product * 1.7) + 0.4 * cos(product * 5.3)) * price)
        ::decimal(18, 2) as unit_price,
    case when chance % 1000 < discounted * 1000 then 0.3 else 0 end::decimal(18, 2)
        as discount_amount,
    case when chance % 100 < 5 then null else unit_price * 0.7 end as cost_amount,
    (quantity * unit_price - discount_amount)::decimal(18, 2) as net_amount,
    net_amount as net_amount_reporting, position as batch_id
from line;
create table core.fct_transaction as
select
    transaction_key, business_date, store_durable_key, any_value(time_of_day_key) as
    time_of_day_key, 'sale' as transaction_type, any_value(customer_key) as customer_key,
    any_value(customer_key) as customer_durable_key, transaction_key % 4 as terminal_key,
    transaction_key % 7 as employee_key, sum(discount_amount) as discount_amount,
    sum(net_amount) as net_amount, sum(net_amount) as net_amount_reporting,
    any_value(batch_id) as batch_id
from core.fct_sales_line group by all;
create table core.fct_tender as
select
    transaction_key, business_date, store_durable_key, time_of_day_key,
    1 + transaction_key % 3 as tender_type_key, net_amount as amount,
    net_amount as amount_reporting, batch_id
from core.fct_transaction;
"""


@dataclass(frozen=True)
class Chain:
    """A chain of stores over half a year, as planned: (days, stores) each."""

    seed: int
    first_day: date
    receipts: np.ndarray  # 0 where closed
    discounted: np.ndarray  # share of lines
    countries: tuple[str, ...]
    promotions: tuple[tuple[date, date], ...]  # announced ones
    calendar: tuple[CalendarDay, ...]


def make_chain(seed: int) -> Chain:
    """Five to ten stores of one or two countries, from any day of three years."""
    draw = np.random.default_rng(seed)
    stores = int(draw.integers(5, 11))
    first = date(2022, 1, 1) + timedelta(days=int(draw.integers(0, 1000)))
    calendar = tuple(calendar_days(first, first + timedelta(days=DAYS - 1)))
    home = draw.choice(["GB", "US", "CN"])
    abroad = draw.choice(["GB", "US"]) if draw.random() < 0.3 else home
    countries = tuple(str(home if n < max(3, stores // 2) else abroad) for n in range(stores))
    days = np.arange(DAYS)
    weekday = (days + first.weekday()) % 7
    profile = np.exp(draw.normal(0, 0.2, 7) + np.where(np.arange(7) > 4, draw.normal(0.3, 0.2), 0))
    season = 1 + draw.uniform(0.05, 0.25) * np.sin(2 * np.pi * (days / 365 + draw.random()))
    growth = np.exp(draw.normal(0, 0.15) * days / DAYS)
    common = season * growth * profile[weekday] * np.exp(draw.normal(0, 0.05, DAYS))
    promoted, announced, discounted = _promotions(draw, first)
    size = np.exp(draw.uniform(np.log(100), np.log(700), stores))
    own = np.exp(draw.normal(0, 0.08, (7, stores)))[weekday]
    noise = np.exp(draw.normal(0, draw.uniform(0.03, 0.08), (DAYS, stores)))
    wanted = (
        size * own * noise * (common * promoted)[:, None] * _holidays(draw, calendar, countries)
    )
    closed_on = np.where(draw.random(stores) < 0.5, 6, -1)  # half of the stores rest on Sunday
    wanted = np.where(weekday[:, None] == closed_on, 0, wanted)
    share = np.repeat(discounted[:, None], stores, axis=1)
    return Chain(seed, first, draw.poisson(wanted), share, countries, announced, calendar)


def _promotions(
    draw: np.random.Generator, first: date
) -> tuple[np.ndarray, tuple[tuple[date, date], ...], np.ndarray]:
    """Three or four weeks in which more is sold, at a discount; every other one is announced."""
    factor, discounted = np.ones(DAYS), np.full(DAYS, 0.08)
    announced = []
    for number in range(int(draw.integers(3, 5))):
        start, length = int(draw.integers(0, DAYS - 8)), int(draw.integers(3, 8))
        factor[start : start + length] *= draw.uniform(1.15, 1.6)
        discounted[start : start + length] = draw.uniform(0.25, 0.5)
        if number % 2:
            begun = first + timedelta(days=start)
            announced.append((begun, begun + timedelta(days=length - 1)))
    return factor, tuple(announced), discounted


def _holidays(
    draw: np.random.Generator, calendar: Sequence[CalendarDay], countries: Sequence[str]
) -> np.ndarray:
    """(days, stores) what a holiday leaves of a day: half of the stores close."""
    result = np.ones((len(calendar), len(countries)))
    closes = draw.random(len(countries)) < 0.5
    for place, country in enumerate(countries):
        free = np.array([getattr(day, f"is_holiday_{country.lower()}") for day in calendar])
        result[free, place] = 0 if closes[place] else draw.uniform(0.5, 1.3)
        result[np.append(free[1:], False) & ~free, place] *= draw.uniform(1.0, 1.3)
    return result


def make_warehouse(chain: Chain, receipts: np.ndarray) -> duckdb.DuckDBPyConnection:
    """The tables of a chain with so many receipts a day and store, in memory."""
    connection = duckdb.connect(config={"threads": 2})
    draw = np.random.default_rng(chain.seed + 1)
    stores = receipts.shape[1]
    place, store = np.nonzero(receipts)
    plan = {
        "position": place,
        "store": store + 1,
        "receipts": receipts[place, store],
        "discounted": chain.discounted[place, store],
        "anonymous": draw.uniform(0.2, 0.6, stores)[store],
        "lines": draw.uniform(1.5, 3.0, stores)[store],
        "price": draw.uniform(0.8, 1.3, stores)[store],
        "day": np.datetime64(chain.first_day) + place,
    }
    columns = ", ".join(f"unnest($c{number}) as {name}" for number, name in enumerate(plan))
    bound = {f"c{number}": values.tolist() for number, values in enumerate(plan.values())}
    connection.execute(f"create table plan as select {columns}", bound)
    for statement in TABLES.split(";\n"):
        names = {"first": chain.first_day, "days": DAYS, "seed": chain.seed}
        used = {name: value for name, value in names.items() if f"${name}" in statement}
        if statement.strip():
            connection.execute(statement, used)
    _write_dimensions(connection, chain)
    return connection


def _write_dimensions(connection: duckdb.DuckDBPyConnection, chain: Chain) -> None:
    connection.execute(
        "create table core.dim_store as select unnest($keys) as store_durable_key, "
        "unnest($countries) as country_code, "
        "'Shop ' || store_durable_key as name",
        {"keys": list(range(1, len(chain.countries) + 1)), "countries": list(chain.countries)},
    )
    names = [f.name for f in fields(CalendarDay) if f.name.startswith("holiday_name_")]
    kept = ["calendar_date", *names]
    connection.execute(
        "create table core.dim_date as select "
        + ", ".join(f"unnest(cast(? as {'date' if n == 0 else 'varchar'}[])) as {name}"
                    for n, name in enumerate(kept)),
        [[getattr(day, name) for day in chain.calendar] for name in kept],
    )  # fmt: skip
    connection.execute("create table core.dim_promotion (starts_on date, ends_on date)")
    if chain.promotions:
        connection.executemany("insert into core.dim_promotion values (?, ?)", chain.promotions)
