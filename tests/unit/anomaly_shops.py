"""Six shops and what is watched of them, made by hand: what tests of anomalies damage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import duckdb

from dagster_project.core.anomalies import Watch, load_watch
from dagster_project.core.ops_tables import OPS_TABLES

FIRST = date(2024, 3, 4)  # a Monday
DAYS = 84
LAST = FIRST + timedelta(days=DAYS - 1)
DAY = FIRST + timedelta(days=65)  # Wednesday 8 May 2024
HOLIDAY = date(2024, 5, 6)  # Early May bank holiday
TABLE = "core.fct_sales_line"

WATCH = """
calendar: core.dim_date
stores: {table: core.dim_store, key: store_durable_key, country: country_code}
tables:
  - schema: core
    table: fct_sales_line
    why: The lines that all sales figures are made of.
    store: store_durable_key
    day: business_date
    load: batch_id
    nulls: [cost_amount]
    distinct: [product_key]
    amounts: [net_amount]
    content: [minute, product_key, net_amount]
"""
# Six shops of 100 to 225 lines a day, a third more on Saturday, closed on Sunday, give or take six
# in a hundred by a hash. Shop 6 also rests on Mondays.
SHOPS = f"""
create schema core; create schema ops;
create table core.dim_store as
select range as store_durable_key, 'GB' as country_code from range(1, 7);
create table core.dim_date as
select calendar_date, case when calendar_date = date '{HOLIDAY}' then 'Early May Bank Holiday' end
    as holiday_name_gb
from (select cast(range as date) as calendar_date from range(date '2024-02-01', date '2024-07-01',
    interval 1 day));
create table ops.batch as
select range as batch_id, date '{FIRST}' + range::integer + interval 30 hour as committed_at
from range({DAYS + 30});
create table core.fct_sales_line as
with day as (
    select
        s as store_durable_key, d as batch_id, date '{FIRST}' + d::integer as business_date,
        (100 + 25 * (s - 1)) * case when isodow(business_date) = 6 then 1.33 else 1 end
            * (0.94 + hash(s, d) % 1000 / 1000.0 * 0.12) as wanted
    from range(1, 7) as shop(s) cross join range({DAYS}) as t(d)
    where isodow(business_date) != 7 and (s != 6 or isodow(business_date) != 1)
)
select
    store_durable_key, business_date, batch_id, n, 540 + hash(store_durable_key, batch_id, n) % 600
        as minute,
    hash(n, batch_id, 'p') % 50 as product_key,
    (1 + hash(n, batch_id, store_durable_key, 'a') % 900 / 100.0)::decimal(18, 2) as net_amount,
    case when hash(n, batch_id, 'c') % 100 >= 4 then 1.0 end as cost_amount
from day cross join lateral (select unnest(range(wanted::integer)) as n);
"""
AT = f"store_durable_key = 3 and business_date = date '{DAY}'"
DAMAGE = f"""
delete from {TABLE} where {AT} and n % 5 >= 2;
update {TABLE} set net_amount = net_amount * 100
where store_durable_key = 5 and business_date = date '{DAY}' + 2;
"""


@contextmanager
def opened_shops() -> Iterator[duckdb.DuckDBPyConnection]:
    """The shops and the book's tables, in memory."""
    with duckdb.connect() as connection:
        connection.execute(SHOPS)
        connection.execute("create schema vault;" + OPS_TABLES)
        yield connection


def declared(folder: Path) -> Watch:
    """What is watched of them, read from a file."""
    path = folder / "anomalies.yaml"
    path.write_text(WATCH, "utf-8")
    return load_watch(path)
