"""Which days a refresh judges, and what is kept of their alarms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from anomaly_shops import (
    AT,
    DAMAGE,
    DAY,
    DAYS,
    FIRST,
    LAST,
    TABLE,
    declared,
    opened_shops,
)

from dagster_project.core.anomalies import (
    Watch,
    days_to_judge,
    judge_all,
    record_verdicts,
)


@pytest.fixture
def shops() -> Iterator[duckdb.DuckDBPyConnection]:
    with opened_shops() as connection:
        yield connection


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return declared(tmp_path)


def kept(shops: duckdb.DuckDBPyConnection, columns: str = "*") -> list[tuple[object, ...]]:
    return shops.execute(f"select {columns} from ops.anomaly order by anomaly_id").fetchall()


def test_judging_the_last_days_says_of_them_what_judging_all_days_says(
    shops: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    early = DAY - timedelta(days=14)
    for day in (early, DAY):
        shops.execute(
            f"delete from {TABLE} where store_durable_key = 2 and business_date = '{day}'"
        )
    [whole], [recent] = judge_all(shops, watch), judge_all(shops, watch, since=DAY)

    assert [alarm.day for alarm in whole.alarms] == [early, DAY]
    assert recent.alarms == whole.alarms[1:]
    record_verdicts(shops, "first", [whole])
    record_verdicts(shops, "second", [replace(recent, alarms=())])
    resolved = shops.execute(
        "select business_date, resolved_at is not null from ops.anomaly order by all"
    ).fetchall()
    assert resolved == [(early, False), (DAY, True)]


def test_a_store_of_few_rows_is_missed_but_its_measures_are_not_judged(
    shops: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    shops.execute(f"delete from {TABLE} where store_durable_key = 2 and n >= 10")
    shops.execute(f"update {TABLE} set net_amount = net_amount * 100 where store_durable_key = 2")
    shops.execute(f"delete from {TABLE} where store_durable_key = 2 and business_date = '{DAY}'")

    [verdict] = judge_all(shops, watch)

    assert [(alarm.store, alarm.day, alarm.kind) for alarm in verdict.alarms] == [
        ("2", DAY, "silent")
    ]


def test_a_till_of_another_century_does_not_make_the_last_day(
    shops: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    shops.execute(
        f"insert into {TABLE} by name select * replace (date '2099-01-01' as business_date) "
        f"from {TABLE} limit 1"
    )

    [verdict] = judge_all(shops, watch)

    assert verdict.through == LAST - timedelta(days=1)  # a Saturday: on Sunday all rest


SATURDAY = LAST - timedelta(days=1)  # the last day of trade: on Sunday all rest


@pytest.mark.parametrize(
    ("judged_batch", "today", "days"),
    [
        (None, LAST + timedelta(days=30), (SATURDAY - timedelta(days=34), SATURDAY)),
        (DAYS, LAST + timedelta(days=30), (SATURDAY - timedelta(days=6), SATURDAY)),
        # Load 70 brought the rows of the seventieth day after the first.
        (69, LAST + timedelta(days=30), (FIRST + timedelta(days=70), SATURDAY)),
        (9, LAST + timedelta(days=30), (SATURDAY - timedelta(days=34), SATURDAY)),
        (None, SATURDAY, (SATURDAY - timedelta(days=35), SATURDAY - timedelta(days=1))),
    ],
    ids=["never judged", "nothing new", "two weeks new", "older than five weeks", "today"],
)
def test_a_refresh_judges_what_came_and_the_last_week_and_not_today(
    shops: duckdb.DuckDBPyConnection,
    watch: Watch,
    judged_batch: int | None,
    today: date,
    days: tuple[date, date],
) -> None:
    assert days_to_judge(shops, watch, judged_batch, today) == days


def test_where_nothing_is_sold_there_is_no_day_to_judge(
    shops: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    shops.execute(f"delete from {TABLE}")

    assert days_to_judge(shops, watch, None, LAST) is None


def test_the_same_data_judged_twice_leaves_the_same_rows(
    shops: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    shops.execute(DAMAGE)
    assert record_verdicts(shops, "monday", judge_all(shops, watch)) == 2
    before = kept(shops)
    assert record_verdicts(shops, "tuesday", judge_all(shops, watch)) == 0

    assert len(before) == 2
    assert kept(shops) == before


def test_an_alarm_is_resolved_when_the_day_is_repaired_and_open_again_when_not(
    shops: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    shops.execute(f"create table lost as from {TABLE} where {AT}")
    shops.execute(f"delete from {TABLE} where {AT}")
    record_verdicts(shops, "first", judge_all(shops, watch))
    assert kept(shops, "run_id, kind, resolved_at is null") == [("first", "silent", True)]

    shops.execute(f"insert into {TABLE} from lost")
    record_verdicts(shops, "second", judge_all(shops, watch))
    assert kept(shops, "run_id, kind, resolved_at is null") == [("first", "silent", False)]

    shops.execute(f"delete from {TABLE} where {AT}")
    record_verdicts(shops, "third", judge_all(shops, watch))
    assert kept(shops, "run_id, kind, resolved_at is null") == [("first", "silent", True)]
