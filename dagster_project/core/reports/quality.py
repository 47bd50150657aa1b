"""The quality figures of a page, from the ``ops`` schema of the published file.

Belongs here: checks, feeds, rejects, what changed. Does not: sales (``figures``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import duckdb

POOR_DAYS_SHOWN = 15
LAST_WEEK = "business_date > (select max(business_date) from ops.store_day) - 7"


@dataclass(frozen=True)
class Check:
    """A check that did not pass."""

    table: str
    name: str
    status: str  # failed or warned
    failed_count: int


@dataclass(frozen=True)
class PoorDay:
    """A day of a store that is graded C or worse."""

    store: str
    day: date
    grade: str
    reason: str


@dataclass(frozen=True)
class FeedSummary:
    """What one feed delivered so far."""

    feed: str
    files: int
    quarantined_files: int
    loaded: int
    rejected: int
    duplicate: int
    last_arrived_at: datetime


@dataclass(frozen=True)
class Reject:
    """Rejected records of one feed for one reason."""

    feed: str
    record: str
    error_code: str
    count: int


@dataclass(frozen=True)
class Change:
    """One headline metric of one banner against the version that was replaced."""

    banner: str
    metric: str
    total: float
    difference: float
    by_new_data: float
    by_late_data: float
    by_identity: float
    by_code: float


def has_checks(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any check has judged what is published."""
    return connection.execute("select count(*) > 0 from ops.check_summary").fetchone() == (True,)


def troubled_checks(connection: duckdb.DuckDBPyConnection) -> list[Check]:
    """Checks that failed or warned, failures first."""
    rows = connection.execute(
        """
        select schema_name || '.' || table_name, check_name, status, failed_count
        from ops.check_summary
        where status != 'passed'
        order by status, failed_count desc, 1, 2
        """
    ).fetchall()
    return [Check(*row) for row in rows]


def grade_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Store days of each grade in the last graded week, A first; none where nothing is graded."""
    rows = connection.execute(
        f"select grade, count(*) from ops.store_day where {LAST_WEEK} group by grade order by grade"
    ).fetchall()
    return dict(rows)


def poor_days(connection: duckdb.DuckDBPyConnection) -> list[PoorDay]:
    """The worst store days of the last graded week, C or worse, the worst first."""
    rows = connection.execute(
        f"""
        select
            coalesce(store_name, cast(store_durable_key as varchar)), business_date, grade,
            coalesce(reason, ''),
        from ops.store_day
        where {LAST_WEEK} and grade >= 'C'
        order by grade desc, business_date desc, 1, store_durable_key
        limit {POOR_DAYS_SHOWN}
        """
    ).fetchall()
    return [PoorDay(*row) for row in rows]


def feed_summaries(connection: duckdb.DuckDBPyConnection) -> list[FeedSummary]:
    """Every feed by name."""
    rows = connection.execute(
        """
        select
            feed, file_count, quarantined_file_count, loaded_count, rejected_count,
            duplicate_count, last_arrived_at,
        from ops.feed_summary
        order by feed
        """
    ).fetchall()
    return [FeedSummary(*row) for row in rows]


def rejects(connection: duckdb.DuckDBPyConnection) -> list[Reject]:
    """Rejected records by feed and reason, the most frequent first."""
    rows = connection.execute(
        """
        select feed, record, error_code, reject_count
        from ops.reject_summary
        order by reject_count desc, feed, record, error_code
        """
    ).fetchall()
    return [Reject(*row) for row in rows]


def changes(connection: duckdb.DuckDBPyConnection, version: int) -> list[Change]:
    """Headline metrics that differ from the version replaced; none for the first version."""
    rows = connection.execute(
        """
        select
            banner, metric, total, difference, difference_by_new_data,
            difference_by_late_data, difference_by_identity, difference_by_code,
        from ops.headline
        where version = ? and previous_total is not null and abs(difference) >= 0.005
        order by banner, metric
        """,
        [version],
    ).fetchall()
    return [Change(*row) for row in rows]
