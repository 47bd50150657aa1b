"""Nine months of a real web shop, day by day, through the star to the figures that readers see."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from mart_content import fingerprints
from real_files import DATA, FEEDS
from small_warehouse import SmallWarehouse

from dagster_project.core.declarations import load_feed
from dagster_project.core.feeds import load_feed as load_delivery
from dagster_project.core.identity.resolve import resolve_persons
from dagster_project.core.modelling import record_build

DAYS = sorted((DATA / "online_retail_uci").glob("*.csv"))
pytestmark = pytest.mark.skipif(not DAYS, reason="the real data sets are not beside the project")

SHOP = {
    "store_code": "web", "effective_at": "2010-01-01 00:00:00+00", "name": "Web shop",
    "store_type": "web", "country_code": "GB", "time_zone": "Europe/London",
    "currency_code": "GBP", "cut_off_hour": 0,
}  # fmt: skip
# Pieces that leave without a price are no sale, a bad debt is none either.
SOURCE = f"""
select
    cast(date_trunc('month', cast(InvoiceDate as timestamp)) as date) as business_month,
    InvoiceNo[1] = 'C' and upper(StockCode) not in
        ('POST', 'DOT', 'M', 'C2', 'D', 'S', 'BANK CHARGES', 'AMAZONFEE', 'CRUK') as is_return,
    cast(Quantity as decimal(18, 3)) * cast(UnitPrice as decimal(18, 4)) as amount,
    CustomerID is null as is_anonymous,
    InvoiceNo[1] != 'A' and (InvoiceNo[1] = 'C' or Quantity[1] != '-') as is_sale
from read_csv('{DATA}/online_retail_uci/*.csv', all_varchar = true)
"""
PARTS = 3
IN_POUNDS = {"TILLHOUSE_REPORTING_CURRENCY": "GBP"}


@dataclass(frozen=True)
class Year:
    """The shop after all days in their order and one build."""

    small: SmallWarehouse
    marts: dict[str, tuple[int, int]]


def take_in(small: SmallWarehouse, days: Sequence[Path], *command: str) -> None:
    """Load the files of some days and build what they touch."""
    feed = load_feed(FEEDS / "uci_online" / "defs.yaml", small.templates)
    landing = small.home.landing / feed.feed
    landing.mkdir(parents=True, exist_ok=True)
    for path in days:
        shutil.copyfile(path, landing / path.name)
    outcome = load_delivery(small.warehouse, feed, small.templates[feed.template])
    assert (outcome.file_count, outcome.rejected_count) == (len(days), 0), outcome
    with small.warehouse.connect() as connection:
        resolve_persons(connection)
    run = small.dbt(*command, settings=IN_POUNDS)
    assert run.exit_code == 0, run.words
    with small.warehouse.connect() as connection:
        batch = connection.execute("select max(batch_id) from ops.batch").fetchone()[0]
        record_build(connection, "models", batch, "test")


def opened(small: SmallWarehouse) -> SmallWarehouse:
    """The shop before its first day; its zone decides on which day a sale stands."""
    with small.warehouse.connect() as connection:
        batch = connection.execute("select nextval('ops.batch_sequence')").fetchone()[0]
        connection.execute("insert into ops.batch values (?, 'shop', now(), 1, 1)", [batch])
    small.deliver("store__store", [SHOP], batch=batch, sender="uci")
    return small


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    small = opened(SmallWarehouse(tmp_path_factory.mktemp("online")))
    take_in(small, DAYS, "build", "--exclude-resource-type", "unit_test")
    return Year(small, fingerprints(small))


def source(sql: str) -> list[tuple[Any, ...]]:
    return duckdb.sql(f"with source as ({SOURCE}) {sql}").fetchall()


def test_net_sales_and_returns_of_every_month_are_the_source_s_to_the_cent(year: Year) -> None:
    stated = source(
        "select business_month, sum(amount), coalesce(-sum(amount) filter (where is_return), 0) "
        "from source where is_sale group by 1 order by 1"
    )
    found = year.small.query(
        "select cast(date_trunc('month', business_date) as date), sum(net_sales_amount), "
        "sum(returns_amount) from sales.sales_daily group by 1 order by 1"
    )
    assert len(stated) == 9
    assert found == stated


def test_every_line_and_every_repeat_of_one_is_a_sale_or_says_why_not(year: Year) -> None:
    ((lines, sold),) = source("select count(*), count(*) filter (where is_sale) from source")
    ((placed,),) = year.small.query("select count(*) from core.fct_sales_line")
    other = year.small.query(
        "select reason, count(*) from intermediate.int_sales__lines_typed_otherwise group by 1"
    )
    assert lines == 320_705
    assert placed == sold
    assert placed + sum(count for _, count in other) == lines


def test_a_sale_without_a_customer_is_kept_as_one_to_an_unknown(year: Year) -> None:
    stated = source("select count(*), sum(amount) from source where is_sale and is_anonymous")
    found = year.small.query(
        "select count(*), sum(net_amount) from core.fct_sales_line where customer_key = -1"
    )
    assert found == stated
    assert found[0][0] > 80_000


def test_the_days_in_any_order_end_in_the_same_marts(
    year: Year, tmp_path_factory: pytest.TempPathFactory
) -> None:
    small = opened(SmallWarehouse(tmp_path_factory.mktemp("shuffled")))
    days = random.Random(4).sample(DAYS, len(DAYS))
    size = len(days) // PARTS + 1
    for start in range(0, len(days), size):
        take_in(small, days[start : start + size], "run")
    assert fingerprints(small) == year.marts
