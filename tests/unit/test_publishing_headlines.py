"""Why did this number change: each difference to the version before has its cause."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from publications import new_batch, publish_again, read
from sales_warehouse import SALES_DAILY, build_sales_warehouse

from dagster_project.core.identity import create_identity_tables
from dagster_project.core.warehouse import Warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return build_sales_warehouse(tmp_path, days=4, receipts_per_day=30)


# One more line like the first, worth 100, on a day; its receipt says which load brought it.
LINE = (
    "insert into core.fct_sales_line by name select * replace ({key} as sales_line_key, "
    "date '{day}' as business_date, 100 as net_amount_reporting) "
    "from core.fct_sales_line where sales_line_key = 1"
)
LATE_RECEIPT = "update core.fct_transaction set batch_id = 2 where business_date = '2017-01-02'"
NEW_CODE = "update ops.build_state set fingerprint = 'code-2'"
CAUSES = (
    "select difference, difference_by_new_data, difference_by_late_data, difference_by_identity, "
    "difference_by_code from ops.headline where version = 2 and difference != 0 and metric = "
)


def test_a_first_version_has_totals_and_no_difference(warehouse: Warehouse) -> None:
    publish_again(warehouse)
    assert read(
        warehouse,
        "select count(*) > 8, count(previous_total), count(difference) from ops.headline",
    ) == [(True, 0, 0)]


def test_the_headlines_tell_new_days_from_changed_earlier_days(warehouse: Warehouse) -> None:
    publish_again(warehouse)
    new_batch(
        warehouse,
        LINE.format(key=-8, day="2017-01-02"),
        LINE.format(key=-9, day="2017-01-05"),
        SALES_DAILY,
    )
    publish_again(warehouse, "run-2")
    rows = read(warehouse, f"{CAUSES} 'net_sales_amount_reporting'")
    assert rows == [(200.0, 100.0, 100.0, 0.0, 0.0)]
    versions = (
        "select version, replaced_version, data_up_to::varchar from ops.publication order by 1"
    )
    assert read(warehouse, versions) == [(1, None, "2017-01-04"), (2, 1, "2017-01-05")]


def test_changed_models_are_told_from_what_came_late_in_the_same_version(
    warehouse: Warehouse,
) -> None:
    publish_again(warehouse)
    new_batch(
        warehouse,
        LINE.format(key=-7, day="2017-01-01"),  # no load brought anything for this day
        LINE.format(key=-8, day="2017-01-02"),
        LATE_RECEIPT,
        SALES_DAILY,
        NEW_CODE,
    )
    publish_again(warehouse, "run-2")
    rows = read(warehouse, f"{CAUSES} 'net_sales_amount_reporting'")
    assert rows == [(200.0, 0.0, 100.0, 0.0, 100.0)]


def test_the_history_of_a_file_with_other_columns_is_taken_over(warehouse: Warehouse) -> None:
    first = publish_again(warehouse)
    with duckdb.connect(first.path) as connection:  # as another release of the project left it
        connection.execute("alter table ops.headline drop column difference_by_identity")
        connection.execute("alter table ops.headline add column mood varchar default 'good'")
    new_batch(warehouse)
    publish_again(warehouse, "run-2")
    versions = read(warehouse, "select distinct version from ops.headline order by 1")
    assert versions == [(1,), (2,)]


def test_customers_are_new_late_or_merged(warehouse: Warehouse) -> None:
    customer = (
        "insert into customer.customer_360 by name select * replace ({key} as "
        "customer_durable_key, date '{day}' as first_purchase_date) from customer.customer_360 "
        "where customer_durable_key = 1"
    )
    with warehouse.connect() as connection:
        create_identity_tables(connection)
    publish_again(warehouse)
    new_batch(
        warehouse,
        customer.format(key=9001, day="2017-01-05"),
        customer.format(key=9002, day="2017-01-05"),
        customer.format(key=9003, day="2017-01-02"),
        "delete from customer.customer_360 where customer_durable_key in (4, 5)",
        "insert into identity.person_key_history select now(), 'merge', 7, k, 2, '' "
        "from (values (4), (5)) as t(k)",
        "insert into identity.person_key_history values (now(), 'merge', 7, 9002, 1, 'before')",
    )
    publish_again(warehouse, "run-2")
    assert read(warehouse, f"{CAUSES} 'customers'") == [(1.0, 2.0, 1.0, -2.0, 0.0)]
