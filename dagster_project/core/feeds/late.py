"""Records that arrive long after they happened.

Belongs here: counting them from the ledger's business times, and from raw only for files that
hold both kinds. Does not: saying who is to be phoned (``findings``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from dagster_project.core.declarations import Feed, Template

LATE_DAYS = 3  # a long weekend in which a shop is closed
RECENT_FILES = 50
# Loaded files of some batches or, without batches, of late; their records up to which are late.
_FILES = f"""
select
    file_id,
    batch_id,
    arrived_at,
    loaded_count,
    first_business_at,
    last_business_at,
    arrived_at - interval {LATE_DAYS} day as late_before,
    epoch(arrived_at - last_business_at) / 86400 as delay_days
from ops.file_ledger
where feed = $feed and status = 'loaded' and last_business_at is not null
"""


@dataclass(frozen=True)
class Late:
    """How many loaded records are late, and since when."""

    late_count: int
    loaded_count: int
    oldest_at: datetime


def late_share(
    connection: duckdb.DuckDBPyConnection, feed: Feed, template: Template
) -> Late | None:
    """The late records of a feed's recent files, nothing where there is none.

    Nor where most files come late: history that is taken in is not late data.
    """
    files = f"{_FILES} order by arrived_at desc, file_id limit {RECENT_FILES}"
    usual = connection.execute(
        f"select median(delay_days) from ({files})", {"feed": feed.feed}
    ).fetchone()[0]
    if usual is None or usual > LATE_DAYS:
        return None
    return _late(connection, feed, template, files, {"feed": feed.feed})


def late_records(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    template: Template,
    batch_ids: Sequence[int],
) -> int:
    """How many records of some batches arrived late."""
    files = f"{_FILES} and list_contains($batches, batch_id)"
    values = {"feed": feed.feed, "batches": list(batch_ids)}
    found = _late(connection, feed, template, files, values)
    return found.late_count if found else 0


def _late(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    template: Template,
    files: str,
    values: dict[str, object],
) -> Late | None:
    whole, loaded, oldest, mixed = connection.execute(
        f"""
        select
            coalesce(sum(loaded_count) filter (where last_business_at < late_before), 0),
            coalesce(sum(loaded_count), 0),
            min(first_business_at) filter (where first_business_at < late_before),
            list(struct_pack(file_id, batch_id, late_before)) filter (
                where first_business_at < late_before and last_business_at >= late_before
            )
        from ({files})
        """,
        values,
    ).fetchone()
    late = int(whole) + (_late_in(connection, feed, template, mixed) if mixed else 0)
    return Late(late, int(loaded), oldest) if late else None


def _late_in(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    template: Template,
    files: list[dict[str, object]],
) -> int:
    """Late records of files that hold timely ones too, counted in raw."""
    parts = [
        f"select r._file_id, r._record_number from raw.{template.table(name)} as r "
        "inner join files as f on r._file_id = f.file_id "
        f"where r._feed = $feed and list_contains($batches, r._batch_id) "
        f"and cast(r.{time} as timestamptz) < f.late_before"
        for name in feed.records
        if (time := template.records[name].business_time)
    ]
    rows = connection.execute(
        "with files as (select unnest($ids) as file_id, unnest($limits) as late_before) "
        f"select count(distinct (_file_id, _record_number)) from ({' union all '.join(parts)})",
        {
            "feed": feed.feed,
            "ids": [one["file_id"] for one in files],
            "limits": [one["late_before"] for one in files],
            "batches": sorted({one["batch_id"] for one in files}),
        },
    ).fetchone()
    return int(rows[0])
