"""Nine months of a real web shop: which of its days are alarms, and what is known about them."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
from real_files import DATA

from dagster_project.core.anomalies import Alarm, Verdict, judge_all, load_watch
from dagster_project.core.calendars import calendar_days

DAYS = sorted((DATA / "online_retail_uci").glob("*.csv"))
pytestmark = pytest.mark.skipif(not DAYS, reason="the real data sets are not beside the project")

FIRST, LAST = date(2010, 12, 1), date(2011, 8, 31)
WATCH = """
calendar: core.dim_date
stores: {table: core.dim_store, key: store_durable_key, country: country_code}
sale_days: []
tables:
  - schema: core
    table: fct_sales_line
    why: One web shop, a file for each day on which it sold.
    store: store_durable_key
    day: business_date
    keys: [customer_key]
    distinct: [receipt_id, product_code]
    amounts: [unit_price, net_amount]
    content: [minute, product_code, quantity, net_amount]
"""
LINES = f"""
create schema core;
create table core.dim_store as select 1 as store_durable_key, 'GB' as country_code;
create table core.fct_sales_line as
select
    1 as store_durable_key,
    cast(cast(InvoiceDate as timestamp) as date) as business_date,
    hour(cast(InvoiceDate as timestamp)) * 60 + minute(cast(InvoiceDate as timestamp)) as minute,
    InvoiceNo as receipt_id, upper(StockCode) as product_code,
    cast(Quantity as integer) as quantity, cast(UnitPrice as decimal(18, 4)) as unit_price,
    cast(Quantity as integer) * cast(UnitPrice as decimal(18, 4)) as net_amount,
    case when CustomerID is null then -1 else cast(cast(CustomerID as double) as integer) end
        as customer_key
from read_csv('{DATA}/online_retail_uci/*.csv', all_varchar = true);
create table core.dim_date (calendar_date date, holiday_name_gb varchar);
"""


@pytest.fixture(scope="module")
def shop() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(LINES)
    rows = [(day.calendar_date, day.holiday_name_gb) for day in calendar_days(FIRST, LAST)]
    connection.executemany("insert into core.dim_date values (?, ?)", rows)
    return connection


@pytest.fixture(scope="module")
def verdict(shop: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    path = tmp_path_factory.mktemp("watch") / "anomalies.yaml"
    path.write_text(WATCH, "utf-8")
    (found,) = judge_all(shop, load_watch(path))
    return found


def about(verdict: Verdict, day: date) -> list[Alarm]:
    return [alarm for alarm in verdict.alarms if alarm.covers(day)]


def source(shop: duckdb.DuckDBPyConnection, sql: str) -> date:
    return shop.execute(sql).fetchone()[0]


def test_every_day_is_judged_and_few_are_alarms(verdict: Verdict) -> None:
    assert verdict.through == LAST
    assert verdict.judged_count == len(DAYS) - 21  # the first three weeks teach
    assert 0 < len(verdict.alarms) <= 18  # two a month: one shop, with nobody beside it


def test_the_day_a_bill_of_38970_pounds_was_taken_back_is_a_severe_alarm(
    shop: duckdb.DuckDBPyConnection, verdict: Verdict
) -> None:
    day = source(
        shop, "select business_date from core.fct_sales_line order by unit_price desc limit 1"
    )
    (alarm,) = about(verdict, day)

    assert day == date(2011, 6, 10)
    assert (alarm.kind, alarm.severity) == ("amount", "severe")
    assert "largest:unit_price" in {alarm.measure, *alarm.also}


@pytest.mark.parametrize("day", [date(2011, 1, 5), date(2011, 2, 21)], ids=str)
def test_the_marketplace_s_fees_of_thousands_are_alarms_of_the_price(
    shop: duckdb.DuckDBPyConnection, verdict: Verdict, day: date
) -> None:
    fees = shop.execute(
        "select count(*) from core.fct_sales_line "
        "where product_code = 'AMAZONFEE' and unit_price > 5000 and business_date = ?",
        [day],
    ).fetchone()
    (alarm,) = about(verdict, day)

    assert fees == (2,)
    assert "largest:unit_price" in {alarm.measure, *alarm.also}


def test_the_fullest_day_is_an_alarm_unless_it_follows_a_bank_holiday(
    shop: duckdb.DuckDBPyConnection, verdict: Verdict
) -> None:
    fullest = shop.execute(
        "select business_date, count(*) from core.fct_sales_line "
        "where business_date >= '2011-01-01' group by all order by 2 desc limit 2"
    ).fetchall()
    assert fullest == [(date(2011, 8, 30), 3235), (date(2011, 4, 18), 3208)]

    assert about(verdict, date(2011, 8, 30)) == []
    (alarm,) = about(verdict, date(2011, 4, 18))
    assert (alarm.measure, alarm.found) == ("row_count", 3208)


def test_of_all_closed_days_only_the_one_between_the_holidays_is_asked_about(
    verdict: Verdict,
) -> None:
    closed = [alarm for alarm in verdict.alarms if alarm.kind in ("silent", "late")]

    # Saturdays, 24 December to 3 January, Easter, the wedding of 29 April and the bank holidays of
    # May and August are closed: 30 December alone is no holiday and none is beside it.
    (asked,) = closed
    assert (asked.day, asked.last_day) == (date(2010, 12, 30), date(2010, 12, 30))
    assert "Boxing Day (2010-12-28)" in asked.sentence
    assert "New Year's Day (2011-01-01)" in asked.sentence


def test_every_alarm_says_which_day_and_what_was_expected(verdict: Verdict) -> None:
    for alarm in verdict.alarms:
        assert str(alarm.day) in alarm.sentence
        assert alarm.kind == "silent" or "expected" in alarm.sentence


def test_no_real_day_is_taken_for_a_repeat_of_another(verdict: Verdict) -> None:
    assert [alarm for alarm in verdict.alarms if alarm.kind == "repeated"] == []
