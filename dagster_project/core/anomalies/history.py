"""``ops.anomaly``: every alarm with the run that found it, and when it no longer held.

Belongs here: writing the table. Does not: judging. The same data judged twice leaves the
same rows: the run that found an alarm stays, whoever finds it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from hashlib import sha256

import duckdb

from dagster_project.core.anomalies.alarms import Alarm
from dagster_project.core.anomalies.judging import Verdict

SHOWN_DAYS = 7  # before the last graded one: what nobody mended by then is history
JUDGED = "last_business_date, measure, found, expected, low, high, severity, sentence, also"


def record_verdicts(
    connection: duckdb.DuckDBPyConnection, run_id: str, verdicts: Iterable[Verdict]
) -> int:
    """Bring ``ops.anomaly`` to what the verdicts say, in one transaction; returns rows changed.

    New alarms are added, known ones brought up to date, and those of the judged tables and days
    that no longer hold are marked as resolved; one that comes back is open again. The
    connection is outside a transaction.
    """
    connection.execute("begin")
    try:
        changed = sum(_record(connection, run_id, verdict) for verdict in verdicts)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return changed


def open_alarms(
    connection: duckdb.DuckDBPyConnection, days: int = SHOWN_DAYS
) -> dict[str, list[str]]:
    """Sentences of what still holds of the last days with any verdict, by table, severe first."""
    rows = connection.execute(
        "select table_name, sentence from ops.anomaly "
        "where resolved_at is null and last_business_date > "
        "(select max(business_date) from ops.store_day) - cast(? as integer) "
        "order by table_name, severity desc, last_business_date desc, sentence",
        [days],
    ).fetchall()
    found: dict[str, list[str]] = {}
    for table, sentence in rows:
        found.setdefault(table, []).append(sentence)
    return found


def anomaly_id(alarm: Alarm) -> str:
    """The alarm's name, the same whenever the same day is judged."""
    key = (alarm.table_name, alarm.store, alarm.day.isoformat(), alarm.kind, alarm.measure)
    return sha256(repr(key).encode()).hexdigest()[:32]


def _record(connection: duckdb.DuckDBPyConnection, run_id: str, verdict: Verdict) -> int:
    columns = [name.strip() for name in JUDGED.split(",")]
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns)
    differs = " or ".join(
        f"ops.anomaly.{name} is distinct from excluded.{name}" for name in columns
    )
    changed = 0
    for alarm in verdict.alarms:
        changed += connection.execute(
            "insert into ops.anomaly (anomaly_id, run_id, found_at, resolved_at, table_name, "
            f"store, store_name, business_date, kind, {JUDGED}) "
            "values (?, ?, now(), null, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            f"on conflict (anomaly_id) do update set resolved_at = null, {updates} "
            f"where ops.anomaly.resolved_at is not null or {differs}",
            [anomaly_id(alarm), run_id, *_row(alarm)],
        ).fetchone()[0]
    standing = [anomaly_id(alarm) for alarm in verdict.alarms]
    return (
        changed
        + connection.execute(
            "update ops.anomaly set resolved_at = now() where table_name = ? "
            "and resolved_at is null and last_business_date >= ? "
            "and not list_contains(cast(? as varchar[]), anomaly_id)",
            [verdict.table_name, verdict.since or date.min, standing],
        ).fetchone()[0]
    )


def _row(alarm: Alarm) -> list[object]:
    return [
        alarm.table_name, alarm.store, alarm.store_name, alarm.day, alarm.kind, alarm.last_day,
        alarm.measure, alarm.found, alarm.expected, alarm.low, alarm.high, alarm.severity,
        alarm.sentence, list(alarm.also),
    ]  # fmt: skip
