"""How feeds stand, as a person looking at them wants to see it.

Belongs here: what ops tables say of each feed, by a few queries for however many feeds. Does not:
showing it. No file is read again, no value of the data is in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from dagster_project.core.declarations import Feed, Template
from dagster_project.core.feeds.drift import MISSING, NEW
from dagster_project.core.feeds.findings import RECENT_FILES, Finding, open_findings
from dagster_project.core.feeds.late import late_records

SHOWN = 20  # lines of a table; ops has them all
LOADS = 30

# What each query says of a feed comes back under the feed's name, its lines in order.
_ARRIVED = """
select feed, max(arrived_at) from ops.file_ledger
where list_contains($feeds, feed) group by feed
"""
_RECENT = f"""
with recent as (
    select feed, physical_count, rejected_count from ops.file_ledger
    where list_contains($feeds, feed) and status in ('loaded', 'quarantined')
    qualify row_number() over (
        partition by feed order by arrived_at desc, original_name desc, file_id desc
    ) <= {RECENT_FILES}
)
select feed, count(*), sum(physical_count)::bigint, sum(rejected_count)::bigint
from recent group by feed
"""
_LOADS = f"""
select feed, batch_id, sum(physical_count)::bigint, sum(rejected_count)::bigint
from ops.file_ledger
where list_contains($feeds, feed) and batch_id is not null
group by feed, batch_id
qualify row_number() over (partition by feed order by batch_id desc) <= {LOADS}
order by feed, batch_id
"""
_HELD_BACK = f"""
select feed, original_name, arrived_at, reason from ops.file_ledger
where list_contains($feeds, feed) and status = 'quarantined'
qualify row_number() over (
    partition by feed order by arrived_at desc, original_name desc
) <= {SHOWN}
order by feed, arrived_at desc, original_name desc
"""
_REJECTS = f"""
with reasons as (
    select
        feed, file_id, disposition, coalesce(column_name, '') as field_name, error_code,
        min(first_line) as line, count(*) as count, max(batch_id) as batch_id
    from ops.rejects
    where list_contains($feeds, feed) and replayed_batch_id is null
    group by feed, file_id, disposition, field_name, error_code
),
latest as (
    select * from reasons
    qualify row_number() over (
        partition by feed
        order by batch_id desc, count desc, file_id, field_name, error_code, disposition
    ) <= {SHOWN}
),
files as (
    select feed, file_id, min(original_name) as name from ops.file_ledger
    where list_contains($feeds, feed) group by feed, file_id
)
select r.feed, f.name, r.line, r.field_name, r.error_code, r.count, r.disposition
from latest as r inner join files as f on f.feed = r.feed and f.file_id = r.file_id
order by r.feed, r.batch_id desc, f.name, r.line, r.field_name, r.error_code
"""


@dataclass(frozen=True)
class Reason:
    """Why records, or values, of one file were left out; the line is the first of them."""

    file: str
    line: int
    column: str
    code: str
    count: int
    left_out: str  # record, value


@dataclass(frozen=True)
class HeldBack:
    """One file that is not loaded."""

    file: str
    arrived_at: datetime
    reason: str


@dataclass(frozen=True)
class Load:
    """One batch: records that came in, and those of them that were rejected."""

    batch_id: int
    physical_count: int
    rejected_count: int


@dataclass(frozen=True)
class Standing:
    """One feed: its last arrival, its latest files, its last loads, what is left out and open."""

    last_arrived_at: datetime | None = None
    recent_files: int = 0
    recent_physical: int = 0
    recent_rejected: int = 0
    loads: tuple[Load, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    reasons: tuple[Reason, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def reject_share(self) -> float:
        """Of the records of the latest files, held-back ones included; 0 to 1."""
        return self.recent_rejected / self.recent_physical if self.recent_physical else 0.0


def feed_standings(
    connection: duckdb.DuckDBPyConnection, feeds: Mapping[str, Feed], at: datetime
) -> dict[str, Standing]:
    """The standing of every feed that is asked for, known to the ledger or not; read only."""

    def told(sql: str) -> dict[str, list[tuple[Any, ...]]]:
        return _by_feed(connection, sql, feeds)

    arrived, recent, loads = told(_ARRIVED), told(_RECENT), told(_LOADS)
    held_back, reasons = told(_HELD_BACK), told(_REJECTS)
    findings: dict[str, list[Finding]] = {}
    for one in open_findings(connection, feeds, at):
        findings.setdefault(one.feed, []).append(one)
    return {
        name: Standing(
            *(arrived.get(name) or [(None,)])[0],
            *(recent.get(name) or [(0, 0, 0)])[0],
            tuple(Load(*row) for row in loads.get(name, ())),
            tuple(HeldBack(*row) for row in held_back.get(name, ())),
            tuple(Reason(*row) for row in reasons.get(name, ())),
            tuple(findings.get(name, ())),
        )
        for name in feeds
    }


def _by_feed(
    connection: duckdb.DuckDBPyConnection, sql: str, feeds: Collection[str]
) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    for name, *row in connection.execute(sql, {"feeds": list(feeds)}).fetchall():
        found.setdefault(name, []).append(tuple(row))
    return found


@dataclass(frozen=True)
class LoadFigures:
    """What one load brought beside its counts."""

    late_count: int = 0  # records that arrived long after they happened
    new_column_count: int = 0
    missing_column_count: int = 0


def load_figures(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    template: Template,
    batch_ids: Sequence[int],
) -> LoadFigures:
    """Late records, new and missing columns of some batches; zeros for none."""
    if not batch_ids:
        return LoadFigures()
    new, missing = connection.execute(
        "select count(distinct column_name) filter (where kind = $new), "
        "count(distinct column_name) filter (where kind = $missing) from ops.file_drift "
        "where feed = $feed and file_id in (select file_id from ops.file_ledger "
        "where feed = $feed and list_contains($batches, batch_id))",
        {"feed": feed.feed, "batches": list(batch_ids), "new": NEW, "missing": MISSING},
    ).fetchone()
    late = late_records(connection, feed, template, batch_ids)
    return LoadFigures(late, int(new), int(missing))
