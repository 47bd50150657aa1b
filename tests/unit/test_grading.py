"""The day of a store loses its A for one reason at a time, and says which and whom to phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import duckdb
import pytest

from dagster_project.core.grading import (
    Missing,
    count_grades,
    grade_chart,
    grade_store_days,
    poor_store_days,
    store_alerts,
)
from dagster_project.core.ops_tables import OPS_TABLES

FIRST = date(2026, 3, 2)
DAY = FIRST + timedelta(days=4)
LAST = FIRST + timedelta(days=6)
# Two stores, a hundred receipts a day for a week, each day loaded the next morning at six.
SHOPS = f"""
create schema ops; create schema vault; create schema core;
{OPS_TABLES}
insert into ops.batch
select 1 + n, 'tills', timestamptz '{FIRST} 06:00:00+00' + interval (n + 1) day, 1, 200
from range(7) as t(n);
create table core.dim_store as
select s as store_durable_key, 'till' as sender, 'S' || s as store_code,
    'Market ' || s as name, true as is_current
from range(1, 3) as t(s);
create table core.fct_transaction as
select
    s as store_durable_key, date '{FIRST}' + d::integer as business_date, 1 + d as batch_id,
    timestamptz '{FIRST} 09:00:00+00' + interval (d) day + interval (n) minute as sold_at,
    true as is_complete, true as is_balanced, true as is_sale, n
from range(1, 3) as shop(s) cross join range(7) as t(d) cross join range(100) as r(n);
create table core.fct_till_session as
select store_durable_key, business_date, 1000.00::decimal(18, 2) as counted_amount,
    0.00::decimal(18, 2) as over_short_amount
from core.fct_transaction where n = 0;
"""
AT = f"store_durable_key = 1 and business_date = date '{DAY}'"
ALARM = """
insert into ops.anomaly values (
    '{id}', 'run', now(), null, 'core.fct_transaction', {store}, null, date '{day}', date '{day}',
    '{kind}', '{measure}', 1, 2, null, null, '{severity}', '{sentence}', []
)
"""


@pytest.fixture
def shops() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(SHOPS)
        yield connection


Graded = Callable[..., dict[tuple[int, date], tuple[str, str | None]]]


@pytest.fixture
def graded(shops: duckdb.DuckDBPyConnection) -> Graded:
    """Grade and reason of every day that is no A, after some statements."""

    def found(*statements: str, missing: tuple[Missing, ...] = ()) -> dict:
        for statement in statements:
            shops.execute(statement)
        grade_store_days(shops, FIRST, LAST, missing)
        rows = shops.execute(
            "select store_durable_key, business_date, grade, reason from ops.store_day "
            "where grade != 'A'"
        ).fetchall()
        return {(store, day): (grade, reason) for store, day, grade, reason in rows}

    return found


def test_good_days_are_an_a_without_a_reason(
    shops: duckdb.DuckDBPyConnection, graded: Graded
) -> None:
    assert graded() == {}
    assert shops.execute("select count(*), count(reason) from ops.store_day").fetchone() == (14, 0)
    assert poor_store_days(shops) == []


@pytest.mark.parametrize(
    ("statement", "grade", "reason"),
    [
        (
            f"update core.fct_transaction set is_complete = false where {AT} and n < 2",
            "B", "2 of 100 receipts lack lines that the till counted",
        ),
        (
            f"update core.fct_transaction set is_complete = false where {AT} and n < 3",
            "C", "3 of 100 receipts lack lines that the till counted",
        ),
        (
            f"update core.fct_transaction set is_balanced = false where {AT} and n = 7",
            "C", "1 of 100 receipts were not paid to the cent",
        ),
        (
            f"update core.fct_transaction set batch_id = batch_id + 2 where {AT} and n < 20",
            "B", "20 of 100 receipts came up to 2 days after the others: a till was offline",
        ),
        (
            f"update core.fct_transaction set sold_at = '{DAY + timedelta(1)} 07:30:00+00' "
            f"where {AT} and n = 7",
            "C",
            "1 receipts are dated up to 90 minutes after they arrived: a till clock is ahead",
        ),
        (
            f"update core.fct_till_session set over_short_amount = -15.00 where {AT}",
            "B", "the cash of the tills is off by 1.5 % of what was counted",
        ),
        (
            f"update core.fct_till_session set over_short_amount = 25.00 where {AT}",
            "C", "the cash of the tills is off by 2.5 % of what was counted",
        ),
    ],
    ids=["short", "many short", "unbalanced", "offline", "clock", "cash", "much cash"],
)  # fmt: skip
def test_a_day_loses_its_a_for_a_reason(
    graded: Graded, statement: str, grade: str, reason: str
) -> None:
    assert graded(statement) == {(1, DAY): (grade, reason)}


def test_missing_receipt_numbers_are_counted_by_store_and_day(graded: Graded) -> None:
    lost = (Missing("till", "S2", DAY, 1), Missing("other", "S1", DAY, 9))

    assert graded(missing=lost) == {(2, DAY): ("B", "1 receipt number is missing")}


def test_an_open_alarm_of_the_store_counts_and_a_resolved_one_does_not(graded: Graded) -> None:
    mild = ALARM.format(id="a", store="'1'", day=DAY, kind="count", measure="row_count",
                        severity="mild", sentence="Fewer rows.")  # fmt: skip
    mended = ALARM.format(id="b", store="'2'", day=DAY, kind="share", measure="missing_share",
                          severity="severe", sentence="Gone.")  # fmt: skip

    assert graded(
        mild, mended, "update ops.anomaly set resolved_at = now() where anomaly_id = 'b'"
    ) == {(1, DAY): ("B", "Fewer rows")}


def test_an_alarm_of_all_stores_is_held_against_each_of_them(graded: Graded) -> None:
    of_all = ALARM.format(id="a", store="null", day=DAY, kind="amount", measure="mean:net_amount",
                          severity="severe", sentence="Prices in cents.")  # fmt: skip

    assert graded(of_all) == {(store, DAY): ("C", "Prices in cents") for store in (1, 2)}


def test_a_day_on_which_nothing_came_is_an_f_of_the_feed_that_came_before(
    shops: duckdb.DuckDBPyConnection, graded: Graded
) -> None:
    silent = ALARM.format(id="a", store="'1'", day=DAY, kind="silent", measure="row_count",
                          severity="severe", sentence="Store Market 1 has no rows.")  # fmt: skip

    assert graded(f"delete from core.fct_transaction where {AT}", silent) == {
        (1, DAY): ("F", "Store Market 1 has no rows")
    }
    assert [(one.store, one.day, one.grade, one.feed) for one in poor_store_days(shops)] == [
        ("Market 1", DAY, "F", "tills")
    ]


def test_points_of_the_criteria_add_up_and_the_heaviest_is_told_first(graded: Graded) -> None:
    found = graded(
        f"update core.fct_transaction set is_complete = false where {AT} and n = 1",
        f"update core.fct_transaction set is_balanced = false where {AT} and n = 7",
        f"update core.fct_till_session set over_short_amount = 15.00 where {AT}",
    )

    assert found == {
        (1, DAY): (
            "D",  # 1 for completeness, 2 (the worst of 2 and 1) for balance
            "1 of 100 receipts were not paid to the cent; the cash of the tills is off by 1.5 % of "
            "what was counted; 1 of 100 receipts lack lines that the till counted",
        )
    }


def test_grading_again_changes_nothing_and_leaves_other_days(
    shops: duckdb.DuckDBPyConnection, graded: Graded
) -> None:
    graded(f"update core.fct_transaction set is_balanced = false where {AT}")
    before = shops.execute("from ops.store_day order by all").fetchall()

    grade_store_days(shops, DAY, LAST)

    assert shops.execute("from ops.store_day order by all").fetchall() == before


def test_alerts_take_a_store_once_and_count_its_other_days(
    shops: duckdb.DuckDBPyConnection, graded: Graded
) -> None:
    graded(
        "update core.fct_transaction set is_balanced = false, is_complete = n > 4 "
        f"where store_durable_key = 1 and business_date >= date '{DAY}'",
        f"update core.fct_transaction set is_balanced = false where store_durable_key = 1 and n < 9"
        f" and business_date = date '{LAST}'",
    )
    [alert] = store_alerts(shops, {})

    assert alert.subject == "Market 1"
    assert alert.line.startswith(f"Market 1: {LAST} is graded E: ")
    assert alert.line.endswith(
        "; 2 more poor days that week (tills); who to phone: data engineering"
    )


def test_grades_are_counted_and_drawn(shops: duckdb.DuckDBPyConnection, graded: Graded) -> None:
    assert grade_chart(shops) is None
    graded(
        f"update core.fct_transaction set is_balanced = false where {AT}",
        "update core.dim_store set name = '<b>Market</b> 1' where store_durable_key = 1",
    )
    picture = grade_chart(shops)

    assert count_grades(shops) == {"A": 13, "B": 0, "C": 1, "D": 0, "E": 0, "F": 0}
    assert picture is not None
    assert picture.count(">A</text>") == 13
    assert picture.count(">C</text>") == 1
    assert "&lt;b&gt;Market" in picture
