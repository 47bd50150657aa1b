"""Suites on a real encrypted warehouse: they pass good rows, bite on bad ones, leak nothing."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict
from pathlib import Path

import pytest

from dagster_project.core import home as paths
from dagster_project.core.declarations import load_templates
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.quality import (
    CheckResult,
    Suite,
    load_suites,
    run_suites,
    write_data_docs,
)
from dagster_project.core.warehouse import Warehouse, WarehouseError

KEY = MasterKey(bytes.fromhex("c0ffee00" * 8))
CANARY = "Wilhelmina Canary"
SYSTEM = """
    i as _record_key, i * 7 as _content_hash, 'lantern' as _sender, 'feed' as _feed,
    'file' as _file_id, i as _record_number, 1 as _batch_id
"""
# 20 receipts a day over 30 days, two lines and one tender each: 2 × 3.00 and 1 × 4.00 less 0.50,
# tax 10 % of 9.50 = 0.95, so 10.45 is owed and paid.
ROWS = (
    f"""
    insert into raw.store__store by name
    select 'S1' as store_code, timestamptz '2016-01-01 00:00:00+00' as effective_at,
        'Lantern' as banner, 'shop' as store_type, 'GB' as country_code,
        'Europe/London' as time_zone, 'GBP' as currency_code, 4 as cut_off_hour, {SYSTEM}
    from range(1) as t(i)
    """,
    f"""
    insert into raw.pos_standard__receipt by name
    select 'R' || i as receipt_id, 'sale' as receipt_type, 'S1' as store_code,
        '{KEY.token("member", "m1")}' as member_number_token,
        timestamptz '2017-03-01 09:00:00+00' + to_days(cast(i // 20 as integer)) as sold_at,
        'GBP' as currency_code, 2 as line_count, 10.45 as total_amount, 40 as duration_seconds,
        {SYSTEM}
    from range(600) as t(i)
    """,
    f"""
    insert into raw.pos_standard__line by name
    select 'R' || (i // 2) as receipt_id, i % 2 as line_number, 'sale' as line_type,
        'P' || (i % 2) as product_code, 2 - i % 2 as quantity, 3 + i % 2 as unit_price,
        if(i % 2 = 0, 6, 4) as list_amount, (i % 2) * 0.5 as discount_amount,
        if(i % 2 = 0, 0.6, 0.35) as tax_amount,
        timestamptz '2017-03-01 09:00:00+00' + to_days(cast(i // 40 as integer)) as sold_at,
        {SYSTEM}
    from range(1200) as t(i)
    """,
    f"""
    insert into raw.pos_standard__tender by name
    select 'R' || i as receipt_id, 1 as tender_number, 'card_chip' as tender_type_code,
        10.45 as amount, 'GBP' as currency_code, '{KEY.token("card", "4")}' as card_number_token,
        '411111******1111' as card_number_masked,
        timestamptz '2017-03-01 09:00:00+00' + to_days(cast(i // 20 as integer)) as sold_at,
        {SYSTEM}
    from range(600) as t(i)
    """,
)


def build(root: Path) -> Warehouse:
    warehouse = Warehouse(Home(root), KEY)
    warehouse.create()
    with warehouse.connect() as connection:
        for template in load_templates(paths.TEMPLATES).values():
            for statement in template.ddl():
                connection.execute(statement)
        for statement in ROWS:
            connection.execute(statement)
    return warehouse


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Warehouse:
    return build(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def suites() -> list[Suite]:
    return [suite for suite in load_suites(paths.EXPECTATIONS) if suite.schema_name == "raw"]


def failed(results: list[CheckResult]) -> set[str]:
    return {f"{r.table_name}.{r.check_name}" for r in results if not r.has_passed}


@contextmanager
def corrupted(warehouse: Warehouse, statement: str) -> Iterator[None]:
    """The warehouse after one statement, and as it was again afterwards."""
    table = next(word for word in statement.split() if word.startswith("raw."))
    with warehouse.connect() as connection:
        connection.execute(f"create table ops.kept as select * from {table}")
        connection.execute(statement)
    try:
        yield
    finally:
        with warehouse.connect() as connection:
            connection.execute(f"delete from {table}")
            connection.execute(f"insert into {table} select * from ops.kept")
            connection.execute("drop table ops.kept")


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
        index = write_data_docs(warehouse.home, results, "now")

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
