"""``ops.store_day``: the grade of every store and day, and why.

Belongs here: adding findings up and keeping the grades. Does not: what a finding is
(``criteria``). Grading the same days of the same data again leaves the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from dagster_project.core.declarations import Feed, Template
from dagster_project.core.feeds.gaps import missing_by_store_day
from dagster_project.core.grading.criteria import DAYS, FINDINGS, Missing

GRADES = "ABCDE"  # by points, from none; F from five on
POOR = ("D", "E", "F")

_GRADED = f"""
insert into ops.store_day
with finding as ({" union all ".join(f"({sql})" for sql in FINDINGS)}),
worst as (
    select
        store_durable_key, business_date, criterion,
        max(points) as points,
        string_agg(sentence, '; ' order by points desc, sentence) as told
    from finding
    group by store_durable_key, business_date, criterion
),
found as (
    select
        store_durable_key, business_date,
        coalesce(max(points) filter (where criterion = 'complete'), 0) as complete_points,
        coalesce(max(points) filter (where criterion = 'timely'), 0) as timely_points,
        coalesce(max(points) filter (where criterion = 'balanced'), 0) as balanced_points,
        coalesce(max(points) filter (where criterion = 'plausible'), 0) as plausible_points,
        sum(points) as points,
        string_agg(told, '; ' order by points desc, criterion) as reason
    from worst
    group by store_durable_key, business_date
),
last_feed as (
    select facts.store_durable_key, arg_max(loads.feed, (facts.business_date, loads.batch_id))
        as feed
    from core.fct_transaction as facts
    inner join ops.batch as loads on facts.batch_id = loads.batch_id
    where facts.store_durable_key in (select store_durable_key from found)
    group by facts.store_durable_key
),
stores as (
    select store_durable_key, max(name) as name from core.dim_store
    where is_current group by store_durable_key
)
select
    coalesce(day.store_durable_key, found.store_durable_key) as store_durable_key,
    stores.name,
    coalesce(day.business_date, found.business_date) as business_date,
    case
        when coalesce(found.points, 0) >= {len(GRADES)} then 'F'
        else substr('{GRADES}', cast(coalesce(found.points, 0) as integer) + 1, 1)
    end,
    coalesce(found.complete_points, 0),
    coalesce(found.timely_points, 0),
    coalesce(found.balanced_points, 0),
    coalesce(found.plausible_points, 0),
    found.reason,
    coalesce(day.feed, last_feed.feed),
    coalesce(day.receipt_count, 0)
from temp.day as day
full join found
    on day.store_durable_key = found.store_durable_key and day.business_date = found.business_date
left join last_feed on found.store_durable_key = last_feed.store_durable_key
left join stores
    on coalesce(day.store_durable_key, found.store_durable_key) = stores.store_durable_key
order by all
"""


@dataclass(frozen=True)
class StoreDay:
    """A graded day of a store, as people are told of it."""

    store: str
    day: date
    grade: str
    reason: str
    feed: str | None  # whose owner is to be phoned


def missing_numbers(
    connection: duckdb.DuckDBPyConnection,
    feeds: Iterable[Feed],
    templates: Mapping[str, Template],
    since: date,
) -> list[Missing]:
    """Receipt numbers that never came, by store and day, of the feeds that count them."""
    return [
        Missing(feed.sender, code, day, count)
        for feed in feeds
        for (code, day), count in sorted(
            missing_by_store_day(connection, feed, templates[feed.template], since).items()
        )
    ]


def grade_store_days(
    connection: duckdb.DuckDBPyConnection,
    since: date,
    through: date,
    missing: Iterable[Missing] = (),
) -> int:
    """Grade the days of every store with receipts, or with receipts due; returns how many.

    Grades of other days stay. Reads ``ops.anomaly``, which is judged before. The connection is
    outside a transaction.
    """
    asked = {"since": since, "through": through}
    connection.execute("begin")
    try:
        _write_missing(connection, list(missing))
        connection.execute(DAYS, asked)
        connection.execute("delete from ops.store_day where business_date between ? and ?",
                           [since, through])  # fmt: skip
        count = connection.execute(_GRADED, asked).fetchone()[0]
        connection.execute("drop table temp.day; drop table temp.missing_number; commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return int(count)


def poor_store_days(
    connection: duckdb.DuckDBPyConnection, days: int = 7, grades: Iterable[str] = POOR
) -> list[StoreDay]:
    """Days graded badly among the last ones that were graded, the worst first."""
    (last,) = connection.execute("select max(business_date) from ops.store_day").fetchone()
    if last is None:
        return []
    rows = connection.execute(
        "select coalesce(store_name, cast(store_durable_key as varchar)), business_date, grade, "
        "coalesce(reason, ''), feed from ops.store_day "
        "where business_date > ? and list_contains(?, grade) "
        "order by grade desc, business_date desc, 1, store_durable_key",
        [last - timedelta(days=days), list(grades)],
    ).fetchall()
    return [StoreDay(*row) for row in rows]


def count_grades(connection: duckdb.DuckDBPyConnection, days: int = 7) -> dict[str, int]:
    """Store days of each grade, A to F, among the last ones that were graded."""
    rows = connection.execute(
        "select grade, count(*) from ops.store_day where business_date > "
        "(select max(business_date) from ops.store_day) - cast(? as integer) group by grade",
        [days],
    ).fetchall()
    return dict.fromkeys((*GRADES, "F"), 0) | dict(rows)


def _write_missing(connection: duckdb.DuckDBPyConnection, missing: list[Missing]) -> None:
    connection.execute(
        """
        create or replace temp table missing_number as
        select
            stores.store_durable_key,
            told.day as business_date,
            sum(told.number_count) as number_count
        from (
            select
                unnest($senders) as sender,
                unnest($codes) as store_code,
                unnest($days) as day,
                unnest($counts) as number_count
        ) as told
        inner join core.dim_store as stores
            on
                told.sender = stores.sender
                and told.store_code = stores.store_code
                and stores.is_current
        group by all
        """,
        {
            "senders": [one.sender for one in missing] or [""],
            "codes": [one.store_code for one in missing] or [""],
            "days": [one.day for one in missing] or [date.min],
            "counts": [one.count for one in missing] or [0],
        },
    )
