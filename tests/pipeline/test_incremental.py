"""Refresh by refresh, in any order, the marts end as one build of everything at once makes them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from mart_content import FACTS, Content, content, differences
from one_month import DELIVERIES, EARLY, EAST, FIRST, LATE, Delivery
from small_warehouse import SmallWarehouse

from dagster_project.core.identity.resolve import resolve_persons
from dagster_project.core.modelling import record_build

pytestmark = pytest.mark.long(minutes=4)


def refresh(small: SmallWarehouse, deliveries: Sequence[Delivery]) -> None:
    """Load deliveries, resolve persons, build, and move the watermark."""
    deliver(small, deliveries)
    build(small)


def deliver(small: SmallWarehouse, deliveries: Sequence[Delivery]) -> None:
    """Load deliveries as one batch each, and resolve persons."""
    with small.warehouse.connect() as connection:
        for delivery in deliveries:
            batch = connection.execute("select nextval('ops.batch_sequence')").fetchone()[0]
            connection.execute("insert into ops.batch values (?, 'hand', now(), 1, 0)", [batch])
            small.deliver_through(
                connection, delivery.table, delivery.rows, batch=batch, sender=delivery.sender
            )
        resolve_persons(connection)


def build(small: SmallWarehouse) -> None:
    """A complete build: views only once, as they hold no rows that could be stale."""
    known = small.query("select count(*) from duckdb_tables() where schema_name = 'core'")[0][0]
    stored = ["--exclude", "config.materialized:view"] if known else []
    run = small.dbt("run", *stored)
    assert run.exit_code == 0, run.words
    with small.warehouse.connect() as connection:
        batch = connection.execute("select max(batch_id) from ops.batch").fetchone()[0]
        record_build(connection, "models", batch, "test")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    return SmallWarehouse(tmp_path_factory.mktemp("incremental"))


@pytest.fixture
def fresh(small: SmallWarehouse) -> SmallWarehouse:
    small.empty()
    return small


@dataclass(frozen=True)
class Month:
    """What one build of the whole month makes, and what a second delivery of it leaves."""

    content: Content
    rows: Content
    rows_after_redelivery: Content
    touched: list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def month(small: SmallWarehouse) -> Month:
    small.empty()
    refresh(small, DELIVERIES)
    once, rows = content(small), every_column(small)
    refresh(small, DELIVERIES[::-1])
    touched = small.query(
        "select receipt_id from intermediate.int_sales__touched_receipts "
        "union all select business_date::varchar from intermediate.int_sales__touched_days "
        "union all select business_date::varchar from intermediate.int_web__touched_days"
    )
    return Month(once, rows, every_column(small), touched)


def every_column(small: SmallWarehouse) -> Content:
    with small.warehouse.connect(read_only=True) as connection:
        return {
            table: Counter(connection.execute(f"select * from {table}").fetchall())
            for table in FACTS
        }


def test_a_second_delivery_of_everything_changes_no_row(month):
    assert month.rows_after_redelivery == month.rows
    assert all(month.rows.values())
    assert month.touched == []


def test_any_order_and_split_of_deliveries_ends_in_the_same_marts(month, fresh):
    shuffled = random.Random(1).sample(DELIVERIES, len(DELIVERIES))
    third = len(shuffled) // 3
    for part in (shuffled[:third], shuffled[third : 2 * third], shuffled[2 * third :]):
        refresh(fresh, part)
    assert differences(content(fresh), month.content) == {}


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(("int_sales__headers_resolved",), id="receipts"),
        pytest.param(("fct_sales_line", "fct_tender", "fct_web_event"), id="facts"),
    ],
)
def test_what_comes_late_is_made_good_on_its_own_day_even_by_a_build_that_was_killed(
    month, fresh, written
):
    refresh(fresh, FIRST + EARLY)
    deliver(fresh, LATE)
    # Killed when only these already stood on their new days.
    cut_short = fresh.dbt("run", "--select", *(f"+{name}" for name in written))
    assert cut_short.exit_code == 0, cut_short.words
    build(fresh)
    assert differences(content(fresh), month.content) == {}


def sales_by_day(small: SmallWarehouse) -> list[tuple[Any, ...]]:
    return small.query(
        "select business_date, receipt_id, net_amount, net_amount_reporting "
        "from core.fct_sales_line where sender = 'east' order by all"
    )


def of(*tables: str) -> Callable[[Delivery], bool]:
    return lambda delivery: delivery.table in tables and delivery.sender == EAST


def test_a_receipt_that_moves_to_another_day_leaves_nothing_on_the_first(fresh):
    receipts = [d for d in FIRST if of("pos_standard__receipt")(d)]
    lines = [d for d in FIRST if of("pos_standard__line")(d)]
    masters = [d for d in FIRST if of("store__store", "exchange_rate__rate")(d)]
    refresh(fresh, [masters[0], masters[3], receipts[0], lines[0]])
    rated = Decimal("1.1600")  # 8 × 0.145
    assert sales_by_day(fresh) == [
        (date(2017, 5, 1), "r1", 8, rated),
        (date(2017, 5, 1), "r7", 8, rated),
    ]
    refresh(fresh, [receipts[1], receipts[2]])
    # The first of May is empty now, and what was sold by r7 is typed as a void.
    assert sales_by_day(fresh) == [(date(2017, 5, 2), "r1", 8, rated)]
    typed = fresh.query(
        "select business_date, receipt_id, reason "
        "from intermediate.int_sales__lines_typed_otherwise order by all"
    )
    assert typed == [
        (date(2017, 5, 1), "r7", "receipt_void"),
        (date(2017, 5, 2), "r1", "line_void"),
        (date(2017, 5, 2), "r6", "receipt_void"),
    ]
    touched = fresh.query(
        "select business_date from intermediate.int_sales__touched_days order by 1"
    )
    assert touched == [(date(2017, 5, 1),), (date(2017, 5, 2),)]
