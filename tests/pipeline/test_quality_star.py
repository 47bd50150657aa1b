"""Suites on the star: sound facts pass, and what is spoiled is caught."""

from __future__ import annotations

import pytest
from quality_rows import build, corrupted, failed

from dagster_project.core import home as paths
from dagster_project.core.quality import Suite, load_suites, run_suites
from dagster_project.core.warehouse import Warehouse

# A star of the same 600 receipts, with just the columns that the suites read.
STAR = (
    """
    create table core.fct_transaction as
    select
        _record_key as transaction_key, _sender as sender, receipt_id,
        receipt_type as transaction_type, cast(sold_at as date) as business_date,
        cast(strftime(sold_at, '%Y%m%d') as integer) as date_key, sold_at, 1 as store_key,
        'T1' as terminal_code, _record_key as customer_key, _record_key as customer_durable_key,
        2 as line_count, 2 as declared_line_count,
        cast(9.5 as decimal(18, 4)) as net_amount, cast(0.95 as decimal(18, 4)) as tax_amount,
        cast(0 as decimal(18, 4)) as rounding_amount,
        cast(10.45 as decimal(18, 4)) as gross_incl_tax_amount,
        total_amount as declared_total_amount, true as is_tender_recorded, true as is_balanced,
        true as is_sale, 1 as channel_key
    from raw.pos_standard__receipt
    """,
    """
    create table core.fct_sales_line as
    select
        lines._record_key as sales_line_key, transactions.transaction_key, transactions.sender,
        line_type, business_date, transactions.sold_at, store_key,
        1 as store_durable_key, line_number as product_key, line_number as product_durable_key,
        quantity, unit_price, list_amount, discount_amount,
        cast(list_amount - discount_amount as decimal(18, 4)) as net_amount,
        lines.tax_amount,
        cast(list_amount - discount_amount + lines.tax_amount as decimal(18, 4))
            as gross_incl_tax_amount,
        'GBP' as currency_code, cast(1.25 as decimal(20, 12)) as exchange_rate,
        cast((list_amount - discount_amount) * 1.25 as decimal(18, 4)) as net_amount_reporting
    from raw.pos_standard__line as lines
    inner join core.fct_transaction as transactions using (receipt_id)
    """,
    """
    create table core.dim_date as
    select
        cast(strftime(day, '%Y%m%d') as integer) as date_key, cast(day as date) as calendar_date,
        false as is_holiday_us, false as is_holiday_cn, false as is_holiday_ir,
        false as is_holiday_gb
    from range(timestamp '2017-01-01', timestamp '2018-01-01', interval 1 day) as days(day)
    """,
    "create table core.dim_store as select 1 as store_key, 'shop' as store_type",
    "create table core.dim_channel as select 1 as channel_key, 'store' as channel_code",
)
JUDGED_STAR = ("fct_sales_line", "fct_transaction", "dim_date")
STAR_CORRUPTIONS = {
    "a day dropped": (
        "delete from core.fct_sales_line where business_date = '2017-03-14'",
        "fct_sales_line.no_sender_is_silent_on_a_working_day",
    ),
    "five days dropped": (
        "delete from core.fct_sales_line where business_date between '2017-03-14' and '2017-03-18'",
        "fct_sales_line.no_busy_store_is_silent_for_three_days",
    ),
    "one day in another unit": (
        "update core.fct_sales_line set net_amount_reporting = net_amount_reporting * 100 "
        "where business_date = '2017-03-14'",
        "fct_sales_line.no_day_sells_ten_times_the_usual",
    ),
    "one price times a hundred": (
        "update core.fct_sales_line set unit_price = unit_price * 100 where sales_line_key < 9",
        "fct_sales_line.prices_stay_near_the_products_usual_price",
    ),
    "a discount forgotten": (
        "update core.fct_sales_line set net_amount = list_amount where sales_line_key = 7",
        "fct_sales_line.net_is_list_less_discount",
    ),
    "a rate missing": (
        "update core.fct_sales_line set net_amount_reporting = null where sales_line_key = 7",
        "fct_sales_line.every_amount_has_a_rate",
    ),
    "a rate of one where there was none": (
        "update core.fct_sales_line set net_amount_reporting = net_amount where sales_line_key = 7",
        "fct_sales_line.amounts_in_the_reporting_currency_follow_the_rate",
    ),
    "a line lost from a receipt": (
        "delete from core.fct_sales_line where sales_line_key = 7",
        "fct_transaction.totals_are_those_of_the_lines",
    ),
    "a receipt repeated under another number": (
        "insert into core.fct_transaction select * replace (transaction_key + 9000 as "
        "transaction_key) from core.fct_transaction where transaction_key = 7",
        "fct_transaction.receipts_are_not_repeated_under_another_number",
    ),
    "a training receipt sold": (
        "update core.fct_transaction set transaction_type = 'training' where transaction_key = 7",
        "fct_transaction.only_sales_and_returns_are_sales",
    ),
    "receipts of a day out of balance": (
        "update core.fct_transaction set is_balanced = false where business_date = '2017-03-14'",
        "fct_transaction.at_most_one_sale_in_a_hundred_is_out_of_balance",
    ),
    "a business day shifted": (
        "update core.fct_sales_line set business_date = business_date + 3 where sales_line_key = 7",
        "fct_sales_line.business_days_follow_the_clock",
    ),
    "a day gone from the calendar": (
        "delete from core.dim_date where calendar_date = '2017-06-01'",
        "dim_date.days_follow_each_other",
    ),
}


@pytest.fixture(scope="module")
def star(tmp_path_factory) -> Warehouse:
    warehouse = build(tmp_path_factory.mktemp("star"))
    with warehouse.connect() as connection:
        for statement in STAR:
            connection.execute(statement)
    return warehouse


def star_suites(*tables: str) -> list[Suite]:
    suites = load_suites(paths.EXPECTATIONS)
    return [s for s in suites if s.schema_name == "core" and s.table in tables]


def test_a_sound_star_passes_every_check(star):
    assert failed(run_suites(star, star_suites(*JUDGED_STAR))) == set()


@pytest.mark.parametrize(
    ("statement", "caught"), STAR_CORRUPTIONS.values(), ids=STAR_CORRUPTIONS.keys()
)
def test_a_corruption_of_the_star_is_caught(star, statement, caught):
    with corrupted(star, statement):
        assert caught in failed(run_suites(star, star_suites(caught.split(".")[0])))
