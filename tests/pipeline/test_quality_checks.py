"""Suites on a real encrypted warehouse: they pass good rows, bite on bad ones, leak nothing."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict

import pytest
from quality_rows import KEY, build, corrupted, failed

from dagster_project.core import home as paths
from dagster_project.core.keys import MasterKey
from dagster_project.core.quality import (
    Suite,
    load_suites,
    record_results,
    run_suites,
    write_data_docs,
)
from dagster_project.core.warehouse import Warehouse, WarehouseError

CANARY = "Wilhelmina Canary"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Warehouse:
    return build(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def suites() -> list[Suite]:
    return [suite for suite in load_suites(paths.EXPECTATIONS) if suite.schema_name == "raw"]


@contextmanager
def everything_logged_to(stream: io.StringIO) -> Iterator[None]:
    """SQLAlchemy is quiet unless asked; here it logs every statement and every row it reads."""
    handler = logging.StreamHandler(stream)
    loggers = [logging.getLogger(), logging.getLogger("sqlalchemy")]
    levels = [logger.level for logger in loggers]
    loggers[0].addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        loggers[0].removeHandler(handler)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def test_good_rows_pass_every_check_on_raw(warehouse, suites):
    results = run_suites(warehouse, suites)

    assert failed(results) == set()
    assert len(results) == sum(len(suite.expectations) for suite in suites)
    lines = next(r for r in results if r.table_name == "pos_standard__line")
    assert lines.row_count == 1200


CORRUPTIONS = {
    "a null receipt number on a line": (
        "update raw.pos_standard__line set receipt_id = null where _record_key = 7",
        "pos_standard__line.column_values_to_not_be_null__receipt_id",
    ),
    "a null time on a receipt": (
        "update raw.pos_standard__receipt set sold_at = null where _record_key = 7",
        "pos_standard__receipt.column_values_to_not_be_null__sold_at",
    ),
    "prices of one day times a hundred": (
        "update raw.pos_standard__line set unit_price = unit_price * 100, "
        "list_amount = list_amount * 100 where _record_key < 40",
        "pos_standard__line.prices_stay_near_the_products_usual_price",
    ),
    "unit prices of one day times a hundred, totals right": (
        "update raw.pos_standard__line set unit_price = unit_price * 100 where _record_key < 40",
        "pos_standard__line.list_amount_is_price_times_quantity",
    ),
    "returns with a positive sign": (
        "update raw.pos_standard__line set line_type = 'return' where _record_key < 40",
        "pos_standard__line.returns_are_negative_and_sales_are_not",
    ),
    "a receipt loaded twice": (
        "insert into raw.pos_standard__receipt select * from raw.pos_standard__receipt "
        "where _record_key = 7",
        "pos_standard__receipt.no_row_is_loaded_twice",
    ),
    "the lines of a day lost": (
        "delete from raw.pos_standard__line where _record_key < 40",
        "pos_standard__receipt.at_most_one_receipt_in_two_hundred_lacks_lines",
    ),
    "the receipts of a day lost": (
        "delete from raw.pos_standard__receipt where _record_key < 20",
        "pos_standard__line.lines_stand_on_a_receipt",
    ),
    "the tenders of a day in another unit": (
        "update raw.pos_standard__tender set amount = amount * 100 where _record_key < 20",
        "pos_standard__tender.at_most_one_receipt_in_two_hundred_is_out_of_balance",
    ),
    "discounts beyond the price": (
        "update raw.pos_standard__line set discount_amount = 2 * list_amount where _record_key < 9",
        "pos_standard__line.discount_is_at_most_the_list_amount",
    ),
    "a currency nobody can read": (
        "update raw.pos_standard__receipt set currency_code = 'pounds' where _record_key = 7",
        "pos_standard__receipt.currency_codes_are_iso_4217",
    ),
    "a card number in the clear": (
        "update raw.pos_standard__tender set card_number_masked = '4111111111111111' "
        "where _record_key = 7",
        "pos_standard__tender.card_numbers_are_masked",
    ),
    "a till whose clock fell back to 1970": (
        "update raw.pos_standard__receipt set sold_at = timestamptz '1970-01-01 00:00:07+00' "
        "where _record_key = 7",
        "pos_standard__receipt.times_are_plausible",
    ),
    "every line gone": (
        "delete from raw.pos_standard__line",
        "pos_standard__line.there_are_lines_to_build_from",
    ),
    "a day sent again under new numbers": (
        "insert into raw.pos_standard__receipt by name select * replace ("
        "_record_key + 1000 as _record_key, receipt_id || 'x' as receipt_id) "
        "from raw.pos_standard__receipt where _record_key between 40 and 59",
        "pos_standard__receipt.no_day_came_twice",
    ),
    "every receipt under one number": (
        "update raw.pos_standard__receipt set receipt_id = 'R7'",
        "pos_standard__receipt.keys_tell_rows_apart",
    ),
    "every receipt at one moment": (
        "update raw.pos_standard__receipt set sold_at = timestamptz '2017-03-01 09:00:00+00'",
        "pos_standard__receipt.there_are_sales_of_many_moments",
    ),
    "the money of another country": (
        "update raw.pos_standard__receipt set currency_code = 'USD' where _record_key < 100",
        "pos_standard__receipt.amounts_are_in_the_currency_of_the_store",
    ),
    "a store that nobody knows": (
        "update raw.pos_standard__receipt set store_code = 'S9' where _record_key < 100",
        "pos_standard__receipt.stores_are_known",
    ),
    "tills that no longer state half of the totals": (
        "update raw.pos_standard__receipt set total_amount = null where _record_key % 2 = 0",
        "pos_standard__receipt.details_are_there_or_never",
    ),
    "payments on the day after": (
        "update raw.pos_standard__tender set sold_at = sold_at + interval 1 day "
        "where _record_key < 60",
        "pos_standard__tender.tenders_are_dated_as_their_receipt",
    ),
    "cards on payments in cash": (
        "update raw.pos_standard__tender set tender_type_code = 'cash'",
        "pos_standard__tender.cash_has_no_card",
    ),
    "products and prices of different rows": (
        "update raw.pos_standard__line set product_code = 'P1', "
        "unit_price = if(_record_key % 2 = 0, 3, 30), quantity = if(_record_key % 2 = 0, 2, 0.133)",
        "pos_standard__line.products_keep_their_price",
    ),
    "a time zone nobody knows": (
        "update raw.store__store set time_zone = 'Europe/Lutetia'",
        "store__store.time_zones_are_known",
    ),
}


@pytest.mark.parametrize(("statement", "caught"), CORRUPTIONS.values(), ids=CORRUPTIONS.keys())
def test_a_corruption_is_caught(warehouse, suites, statement, caught):
    judging = [suite for suite in suites if caught.startswith(f"{suite.table}.")]

    with corrupted(warehouse, statement):
        assert caught in failed(run_suites(warehouse, judging))


def test_tables_without_a_row_pass_but_for_the_two_that_must_have_some(tmp_path, suites):
    emptied = build(tmp_path)
    with emptied.connect() as connection:
        for suite in suites:
            connection.execute(f"delete from raw.{suite.table}")

    assert failed(run_suites(emptied, suites)) == {
        "pos_standard__line.there_are_lines_to_build_from",
        "store__store.table_row_count_to_be_between",
    }


def test_a_missing_table_or_column_fails_its_checks_and_says_so(warehouse):
    suite = Suite.model_validate(
        {
            "schema": "raw",
            "table": "store__store",
            "description": "One row per store.",
            "expectations": [
                {
                    "expectation": "expect_column_values_to_not_be_null",
                    "kwargs": {"column": "storey"},
                    "why": "Nobody has such a column.",
                    "severity": "error",
                    "blocking": True,
                },
                {
                    "expectation": "expect_table_row_count_to_be_between",
                    "kwargs": {"min_value": 1},
                    "why": "There is one store in it.",
                    "severity": "error",
                    "blocking": True,
                },
            ],
        }
    )
    gone = suite.model_copy(update={"table": "shop__shop"})

    first, second, *missing = run_suites(warehouse, [suite, gone])

    assert (first.has_passed, first.error) == (False, "no column storey")
    assert second.has_passed
    assert [r.error for r in missing] == ["the table does not exist"] * 2


def test_a_query_that_fails_does_not_quote_the_data_or_fail_its_neighbours(warehouse):
    queries = {
        "breaks": "select 1 from {batch} where cast(banner as integer) > 0",
        "finds_the_store": "select 1 from {batch}",
    }
    suite = Suite.model_validate(
        {
            "schema": "raw",
            "table": "store__store",
            "description": "One row per store.",
            "expectations": [
                {
                    "expectation": "expect_no_rows",
                    "name": name,
                    "kwargs": {"unexpected_rows_query": query},
                    "why": "One of them cannot be judged.",
                    "severity": "error",
                    "blocking": False,
                }
                for name, query in queries.items()
            ],
        }
    )

    broken, sound = run_suites(warehouse, [suite])

    assert (broken.has_passed, broken.error) == (
        False,
        "could not be judged: ConversionException",
    )
    assert (sound.has_passed, sound.failed_count, sound.error) == (False, 1, None)


def test_neither_the_key_nor_a_value_reaches_results_pages_or_logs(tmp_path):
    warehouse = build(tmp_path)
    with warehouse.connect() as connection:
        connection.execute(f"update raw.store__store set banner = '{CANARY}', name = '{CANARY}'")
        connection.execute(f"update raw.store__store set store_type = '{CANARY}'")
    told = io.StringIO()
    suites = load_suites(paths.EXPECTATIONS)
    with everything_logged_to(told), redirect_stdout(told), redirect_stderr(told):
        results = run_suites(warehouse, suites)
        with warehouse.connect() as connection:
            record_results(connection, "run", results)
            index = write_data_docs(warehouse.home, connection, "now")

    assert "store__store.column_values_to_be_in_set__store_type" in failed(results)
    pages = [path.read_text("utf-8") for path in index.parent.rglob("*.html")]
    said = "\n".join([told.getvalue(), repr([asdict(r) for r in results]), *pages])
    assert "store__store" in told.getvalue()  # the log was on, and was read
    for secret in (KEY.warehouse_key(), KEY.secret.hex(), CANARY):
        assert secret not in said


def test_checks_open_the_warehouse_read_only(warehouse, suites):
    before = warehouse.home.warehouse.stat().st_mtime_ns

    run_suites(warehouse, suites)

    assert warehouse.home.warehouse.stat().st_mtime_ns == before


def test_a_wrong_key_is_one_clear_line_without_the_key(warehouse, suites):
    other = MasterKey(bytes(32))

    with pytest.raises(WarehouseError, match="wrong key") as caught:
        run_suites(Warehouse(warehouse.home, other), suites)

    assert other.warehouse_key() not in str(caught.value)


def test_running_checks_warns_of_nothing(warehouse, suites):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_suites(warehouse, suites[:1])
