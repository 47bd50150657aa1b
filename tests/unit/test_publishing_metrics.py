"""Every metric on a ledger that is worked out by hand."""

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest

from dagster_project.core.publishing.metrics import METRICS, NEEDED, ROLL_UPS, create_metric_views
from dagster_project.core.publishing.tables import Table

LEDGER = """
create schema core;
create table core.dim_store as select * from (values
    (1, 11, 'A', 'Main Street', 'Market', 'US', 'Albany'),
    (2, 12, 'W', 'Web', 'Market', 'US', 'Albany'))
    as t(store_key, store_durable_key, store_code, name, banner, country_code, city);
create table core.dim_channel as select * from (values (1, 'store'), (2, 'web'))
    as t(channel_key, channel_code);
create schema sales;
create table sales.sales_daily as select
    business_date, store_key, channel_key, currency_code,
    columns(c -> c not in ('business_date', 'store_key', 'channel_key', 'currency_code', 'receipts',
        'baskets'))::decimal(18, 4),
    receipts::bigint as receipts, baskets::bigint as baskets
from (values
    (date '2017-01-01', 1, 1, 'USD', 16, 1, 0, 15, 1.5, 9, 6, 16, 1, 0, 15, 1.5, 9, 6, 3.5, 2, 2),
    (date '2017-01-02', 1, 1, 'USD', 0, 0, 4.5, -4.5, -.45, -4.5, -3, 0, 0, 4.5, -4.5, -.45,
        -4.5, -3, -1, 1, 0),
    (date '2017-01-02', 2, 2, 'EUR', 104, 20, 0, 84, 8, null, null, 114.4, 22, 0, 92.4, 8.8,
        null, null, 2, 1, 1))
    as t(business_date, store_key, channel_key, currency_code, gross_sales_amount,
        discounts_amount, returns_amount, net_sales_amount, tax_amount, costed_net_sales_amount,
        cost_amount, gross_sales_amount_reporting, discounts_amount_reporting,
        returns_amount_reporting, net_sales_amount_reporting, tax_amount_reporting,
        costed_net_sales_amount_reporting, cost_amount_reporting, units, receipts, baskets);
"""


@pytest.fixture
def ledger() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(LEDGER)
        tables = [Table(*name.split("."), "", ()) for name in NEEDED]
        assert create_metric_views(connection, tables)
        yield connection


def test_each_metric_of_the_ledger_is_what_it_was_worked_out_to_be(
    ledger: duckdb.DuckDBPyConnection,
) -> None:
    # Shop: 10 + 6 listed, 1 off, 4.5 brought back: 16 - 1 - 4.5 = 10.5; two baskets, 5.25 each.
    # Web: 104 listed with postage, 20 off: 84 EUR = 92.4 USD; one basket.
    # Of the shop's 10.5, 9 - 4.5 have a cost, of 6 - 3: a margin of 1.5. The web has none.
    rows = ledger.execute(
        """
        select
            currency_code, gross_sales_amount, discounts_amount, returns_amount, net_sales_amount,
            net_sales_amount_reporting, tax_amount, units, receipts, baskets,
            average_basket_amount, average_basket_amount_reporting, margin_amount
        from metrics.sales_by_banner
        order by currency_code desc
        """
    ).fetchall()
    d = Decimal
    assert rows == [
        (
            "USD",
            d(16),
            d(1),
            d("4.5"),
            d("10.5"),
            d("10.5"),
            d("1.05"),
            d("2.5"),
            3,
            2,
            5.25,
            5.25,
            d("1.5"),
        ),
        ("EUR", d(104), d(20), d(0), d(84), d("92.4"), d(8), d(2), 1, 1, 84.0, 92.4, None),
    ]


def test_a_return_counts_on_the_day_the_goods_came_back(ledger: duckdb.DuckDBPyConnection) -> None:
    rows = ledger.execute(
        """
        select business_date, returns_amount, net_sales_amount
        from metrics.sales_by_day where currency_code = 'USD' order by business_date
        """
    ).fetchall()
    assert [(r[1], r[2]) for r in rows] == [(0, 15), (Decimal("4.5"), Decimal("-4.5"))]


@pytest.mark.parametrize("view", sorted(ROLL_UPS))
def test_every_roll_up_adds_up_to_the_same_total(
    ledger: duckdb.DuckDBPyConnection, view: str
) -> None:
    total = ledger.execute(
        f"select sum(net_sales_amount_reporting), sum(receipts), sum(units) from metrics.{view}"
    ).fetchone()
    assert total == (Decimal("102.9"), 4, Decimal("4.5"))


def test_amounts_stay_exact_decimals_and_counts_are_plain_integers(
    ledger: duckdb.DuckDBPyConnection,
) -> None:
    described = ledger.execute("describe metrics.sales_by_day_store_channel").fetchall()
    kinds = {name: kind for name, kind, *_ in described}
    assert kinds["net_sales_amount"] == "DECIMAL(38,4)"
    assert kinds["receipts"] == kinds["baskets"] == "BIGINT"


def test_every_metric_is_defined_once_and_described_in_the_file(
    ledger: duckdb.DuckDBPyConnection,
) -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
    assert ledger.execute("select metric from metrics.definition").fetchall() == [
        (name,) for name in names
    ]


def test_without_the_sales_tables_there_are_no_metrics() -> None:
    with duckdb.connect() as connection:
        assert not create_metric_views(connection, [Table("core", "dim_store", "", ())])
