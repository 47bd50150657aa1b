"""Which days a refresh judges: those that something came for, and the last week.

Belongs here: the first and the last of them. Does not: judging.
"""

from __future__ import annotations

from datetime import date, timedelta

import duckdb

from dagster_project.core.anomalies.measures import columns_of, last_day
from dagster_project.core.anomalies.watched import Watch

AGAIN_DAYS = 7  # always judged again: what was late may have come, what is silent may go on


def days_to_judge(
    connection: duckdb.DuckDBPyConnection, watch: Watch, judged_batch: int | None, today: date
) -> tuple[date, date] | None:
    """First and last day; None where nothing has a row.

    Yesterday is the last one, since today is not over. After the loads up to ``judged_batch`` only
    the days that a later load brought rows for are new; None: nothing was judged before. Raises
    WatchError where a watched column is missing.
    """
    last = last_day(connection, watch.tables, today - timedelta(days=1))
    if last is None:
        return None
    earliest = last - timedelta(days=watch.judged_days - 1)
    if judged_batch is None:
        return earliest, last
    recent = last - timedelta(days=AGAIN_DAYS - 1)
    return max(
        earliest, min(recent, _first_changed(connection, watch, judged_batch) or recent)
    ), last


def _first_changed(
    connection: duckdb.DuckDBPyConnection, watch: Watch, judged_batch: int
) -> date | None:
    """The first day that rows of a later load are of, in the tables that say their loads."""
    found = []
    for watched in watch.tables:
        if watched.load is None or not columns_of(connection, "ops", "batch"):
            continue
        sql = f"select min({watched.day}) from {watched.name} where {watched.load} > ?"
        found.append(connection.execute(sql, [judged_batch]).fetchone()[0])
    return min((day for day in found if day is not None), default=None)
