"""What a person should be phoned about: gaps, small files, silence, late rows, drift.

Belongs here: computing findings from ledger and raw tables, and keeping them, one row each, in
``ops.feed_finding``. Does not: refusing anything; a finding never keeps a file or a refresh back.
What is found depends on what is there, not on the order or the number of loads it came in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from dagster_project.core.declarations import Feed, Template
from dagster_project.core.feeds.drift import MISSING, NEW
from dagster_project.core.feeds.gaps import number_gaps
from dagster_project.core.feeds.late import LATE_DAYS, late_share

# A feed's recent files: what "usual" is taken from, and how long a finding on one file stands.
RECENT_FILES = 10
FILES_BEFORE = 50  # what a reject rate has risen from
FEWEST_BEFORE = 3  # files without which nothing is usual yet
FEWEST_RECORDS = 20  # without which a rate says nothing
RISEN_FROM, RISEN_BY = 0.01, 2  # a reject rate of one in a hundred, and twice what it was


@dataclass(frozen=True)
class Finding:
    """One thing worth a phone call; ``subject`` is the till, file or column it is about."""

    feed: str
    kind: str
    subject: str
    message: str  # ends with who to phone; holds no value of the data but receipt numbers


# In business order, which is the same whatever order files arrived in.
_RECENT = """
select
    file_id,
    original_name,
    physical_count,
    rejected_count,
    status,
    reason,
    row_number() over (
        order by
            coalesce(last_business_at, arrived_at) desc, original_name desc, file_id desc
    ) as age
from ops.file_ledger
where feed = $feed and (status = 'loaded' or status = 'quarantined')
"""
_SMALL = f"""
with recent as ({_RECENT}),
files as (
    select *, status = 'loaded' as is_loaded, row_number() over (order by age desc) as place
    from recent
    where status = 'loaded' or reason = 'the file is empty'
    order by age
    limit {RECENT_FILES * 2}
),
judged as (
    select
        original_name,
        physical_count,
        place > max(place) over () - {RECENT_FILES} as is_recent,
        median(physical_count) filter (where is_loaded) over before as usual_count,
        count(*) filter (where is_loaded) over before as before_count
    from files
    window before as (
        order by place rows between {RECENT_FILES} preceding and 1 preceding
    )
)
select original_name, physical_count, usual_count from judged
where
    is_recent and before_count >= {FEWEST_BEFORE} and usual_count > 0
    and (physical_count = 0 or physical_count < $share * usual_count)
"""
_REJECTS = f"""
with recent as ({_RECENT}),
sums as (
    select
        coalesce(sum(physical_count) filter (where age <= {RECENT_FILES}), 0) as records,
        coalesce(sum(rejected_count) filter (where age <= {RECENT_FILES}), 0) as rejected,
        coalesce(sum(physical_count) filter (where age > {RECENT_FILES}), 0) as records_before,
        coalesce(sum(rejected_count) filter (where age > {RECENT_FILES}), 0) as rejected_before,
        count(*) filter (where age > {RECENT_FILES}) as files_before
    from recent
    where age <= {RECENT_FILES + FILES_BEFORE}
)
select rejected, records, rejected_before, records_before from sums
where
    records >= {FEWEST_RECORDS} and files_before >= {FEWEST_BEFORE} and records_before > 0
    and rejected > {RISEN_FROM} * records
    and rejected * records_before > {RISEN_BY} * rejected_before * records
"""
_DRIFTED = f"""
with recent as ({_RECENT})
select
    d.kind,
    d.column_name,
    count(distinct r.file_id),
    arg_max(r.original_name, r.age),
    (select least(count(*), {RECENT_FILES}) from recent)
from ops.file_drift as d inner join recent as r on r.file_id = d.file_id
where d.feed = $feed and r.age <= {RECENT_FILES}
group by d.kind, d.column_name
"""
_SILENT = """
select feed, max(arrived_at) from ops.file_ledger
where list_contains($feeds, feed) group by feed
"""


def review_feed(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    template: Template,
    at: datetime | None = None,
) -> list[Finding]:
    """Find everything about a feed anew and keep it; ``at`` is now unless told.

    What no longer holds is marked as resolved; what held before keeps its first time.
    """
    at = at or datetime.now(UTC)
    found = [
        *_small_files(connection, feed),
        *_risen_rejects(connection, feed),
        *_drifted_columns(connection, feed),
        *_late_data(connection, feed, template),
        *_gaps(connection, feed, template),
        *silences(connection, [feed], at),
    ]
    keep_findings(connection, [feed.feed], found, at)
    return found


def review_silence(
    connection: duckdb.DuckDBPyConnection, feeds: Iterable[Feed], at: datetime | None = None
) -> list[Finding]:
    """Find the feeds of which nothing has come for too long and keep it; one query for all."""
    at = at or datetime.now(UTC)
    listed = list(feeds)
    found = silences(connection, listed, at)
    keep_findings(connection, [feed.feed for feed in listed], found, at, kinds=["silence"])
    return found


def silences(
    connection: duckdb.DuckDBPyConnection, feeds: Iterable[Feed], at: datetime
) -> list[Finding]:
    """Feeds of which nothing has come for longer than they expect; read only.

    A feed that never brought a file is not silent: it has not begun.
    """
    expected = {one.feed: one for one in feeds if one.arrival.expected_hours is not None}
    if not expected:
        return []
    rows = connection.execute(_SILENT, {"feeds": list(expected)}).fetchall()
    found = []
    for name, last in sorted(rows):
        hours = expected[name].arrival.expected_hours or 0
        if at - last > timedelta(hours=hours):
            text = (
                f"nothing has arrived since {last.astimezone(UTC):%Y-%m-%d %H:%M} UTC, "
                f"something is expected every {hours:g} hours"
            )
            found.append(_finding(expected[name], "silence", "", text))
    return found


def keep_findings(
    connection: duckdb.DuckDBPyConnection,
    feeds: Collection[str],
    found: Sequence[Finding],
    at: datetime,
    *,
    kinds: Collection[str] | None = None,
) -> None:
    """Write what was found of some feeds; open findings of these kinds that are not in it end."""
    scope = "list_contains($feeds, feed) and ($kinds is null or list_contains($kinds, kind))"
    told = {"feeds": list(feeds), "kinds": list(kinds) if kinds is not None else None}
    rows = connection.execute(
        f"select feed, kind, subject, resolved_at is null from ops.feed_finding where {scope}", told
    ).fetchall()
    known = {tuple(key): is_open for *key, is_open in rows}
    current = {(one.feed, one.kind, one.subject): one for one in found}
    for key, one in current.items():
        if key in known:
            connection.execute(
                "update ops.feed_finding set message = ?, last_seen_at = ?, resolved_at = null, "
                "first_seen_at = case when resolved_at is null then first_seen_at else ? end "
                "where feed = ? and kind = ? and subject = ?",
                [one.message, at, at, *key],
            )
        else:
            connection.execute(
                "insert into ops.feed_finding values (?, ?, ?, ?, ?, ?, null)",
                [*key, one.message, at, at],
            )
    for key in (key for key, is_open in known.items() if is_open and key not in current):
        connection.execute(
            "update ops.feed_finding set resolved_at = ? "
            "where feed = ? and kind = ? and subject = ?",
            [at, *key],
        )


def open_findings(
    connection: duckdb.DuckDBPyConnection, feeds: Mapping[str, Feed], at: datetime
) -> list[Finding]:
    """Everything that stands: what the last loads found, and silence as it is now; read only."""
    rows = connection.execute(
        "select feed, kind, subject, message from ops.feed_finding "
        "where resolved_at is null and kind != 'silence'"
    ).fetchall()
    found = [Finding(*row) for row in rows] + silences(connection, feeds.values(), at)
    return sorted(found, key=lambda one: (one.feed, one.kind, one.subject))


def _finding(feed: Feed, kind: str, subject: str, text: str) -> Finding:
    return Finding(feed.feed, kind, subject, f"{text}; who to phone: {feed.owner}")


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    return connection.execute(sql, values).fetchall()


def _small_files(connection: duckdb.DuckDBPyConnection, feed: Feed) -> list[Finding]:
    share = feed.arrival.usual_share
    found = []
    for name, records, usual in _rows(connection, _SMALL, feed=feed.feed, share=share):
        kind = "few_records" if records else "no_records"
        brought = f"{records:,} records" if records else "no record"
        text = f"{name} brought {brought}, the files before it {usual:,.0f} as a rule"
        found.append(_finding(feed, kind, name, text))
    return found


def _risen_rejects(connection: duckdb.DuckDBPyConnection, feed: Feed) -> list[Finding]:
    found = []
    for bad, records, bad_before, before in _rows(connection, _REJECTS, feed=feed.feed):
        text = (
            f"{bad:,} of {records:,} records of the last {RECENT_FILES} files were rejected "
            f"({bad / records:.1%}), {bad_before / before:.1%} before"
        )
        found.append(_finding(feed, "reject_rate", "", text))
    return found


def _drifted_columns(connection: duckdb.DuckDBPyConnection, feed: Feed) -> list[Finding]:
    """Columns new or missing in recent files; none that the feed has been corrected for."""
    known = {name for column, others in feed.columns.items() for name in (column, *others)}
    words = {NEW: "is new", MISSING: "is missing"}
    found = []
    for kind, column, count, first, files in _rows(connection, _DRIFTED, feed=feed.feed):
        if (column in known) == (kind == MISSING):
            text = f"column {column} {words[kind]} in {count} of the last {files} files"
            found.append(_finding(feed, kind, column, f"{text}, first in {first}"))
    return found


def _late_data(
    connection: duckdb.DuckDBPyConnection, feed: Feed, template: Template
) -> list[Finding]:
    late = late_share(connection, feed, template)
    if late is None:
        return []
    text = (
        f"{late.late_count:,} of {late.loaded_count:,} recent records "
        f"({late.late_count / late.loaded_count:.1%}) arrived more than {LATE_DAYS} days late, "
        f"the oldest is of {late.oldest_at.astimezone(UTC):%Y-%m-%d}"
    )
    return [_finding(feed, "late_data", "", text)]


def _gaps(connection: duckdb.DuckDBPyConnection, feed: Feed, template: Template) -> list[Finding]:
    return [
        _finding(feed, "number_gap", gap.subject, gap.text)
        for gap in number_gaps(connection, feed, template)
    ]
