"""Accepted rows into ``raw``, exactly once: called inside the one transaction of a batch.

Belongs here: telling new rows from duplicates and conflicts, and writing them and the vault.
Does not: the ledger. A row is a duplicate when its key and content are in the raw table already,
or stand earlier in the same transaction or file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from dagster_project.core.declarations import FieldType
from dagster_project.core.feeds.arrive import EPOCH
from dagster_project.core.feeds.job import Job
from dagster_project.core.feeds.judge import CALENDAR, columns_of
from dagster_project.core.feeds.protect import Protected
from dagster_project.core.feeds.settle import Verdict, rows_of
from dagster_project.core.feeds.sql import identifier
from dagster_project.core.feeds.stage import StagedRecord, Unit

Times = tuple[datetime | None, datetime | None]


@dataclass(frozen=True)
class Written:
    """What a unit added, per file."""

    loaded: tuple[int, ...]  # physical records of which an output is new
    duplicate: tuple[int, ...]
    business_times: tuple[Times, ...]  # first and last of the accepted records


def write_unit(job: Job, verdict: Verdict, batch_id: int) -> Written:
    """Write what is new of a unit; nothing is committed here."""
    unit = verdict.unit
    is_clean = bool(verdict.accepted.all())
    if not is_clean:
        _register_accepted(job, verdict)
    file_ids = [one.file_id for one in unit.source.files]
    loaded = np.zeros(unit.source.total, bool)
    for record in unit.records:
        scope = _scope(job, record, is_clean)
        fresh = _find_fresh(job, record, scope)
        _insert(job, record, fresh or scope, file_ids, batch_id)
        loaded |= _rows_written(job, record, fresh, verdict.accepted)
    for one in unit.protected:
        if one.keeps_clear:
            _fill_vault(job, one, is_clean, batch_id)
    return Written(
        verdict.per_file(loaded),
        verdict.per_file(verdict.accepted & ~loaded),
        _business_times(job, unit, is_clean),
    )


def _register_accepted(job: Job, verdict: Verdict) -> None:
    import pyarrow as pa

    rows = pa.table({"_row": np.flatnonzero(verdict.accepted)})
    job.connection.register("accepted_arrow", rows)
    job.connection.execute(
        "create or replace temp table accepted_rows as select _row from accepted_arrow"
    )
    job.connection.unregister("accepted_arrow")


def _scope(job: Job, record: StagedRecord, is_clean: bool) -> str:
    """The record's rows that may be written, as a predicate over its staged table."""
    if is_clean:
        return "true"
    found = job.connection.execute(
        f"select count(*) from {record.table} where _row not in (select _row from accepted_rows)"
    ).fetchone()
    return "_row in (select _row from accepted_rows)" if found[0] else "true"


def _find_fresh(job: Job, record: StagedRecord, scope: str) -> str | None:
    """A predicate for the rows to write, or nothing when all in scope are new, without conflict."""
    raw = f"raw.{job.template.table(record.name)}"
    rows, keys = job.connection.execute(
        f"select count(*), count(distinct _record_key) from {record.table} where {scope}"
    ).fetchone()
    if rows == keys and not _known(job, record, scope, raw):
        return None
    fresh = f"{record.table}_fresh"
    # A row is a record's place, unless it holds a list of them.
    place = "rowid" if record.is_list else "_row"
    job.connection.execute(
        f"create or replace temp table {fresh} as "
        f"with firsts as (select _record_key, _content_hash, min({place}) as _place "
        f"from {record.table} where {scope} group by all) "
        f"select _place, _record_key from firsts as f where not exists (select 1 from {raw} as r "
        f"where r._record_key = f._record_key and r._content_hash = f._content_hash)"
    )
    _note_conflicts(job, fresh, raw, job.template.table(record.name))
    return f"{place} in (select _place from {fresh})"


def _known(job: Job, record: StagedRecord, scope: str, raw: str) -> bool:
    """Whether the raw table holds any of the keys."""
    if job.connection.execute(f"select 1 from {raw} limit 1").fetchone() is None:
        return False
    found = job.connection.execute(
        f"select 1 from {record.table} where {scope} and _record_key in "
        f"(select _record_key from {raw}) limit 1"
    )
    return found.fetchone() is not None


def _note_conflicts(job: Job, fresh: str, raw: str, table: str) -> None:
    """Keys that now have more than one content, each noted once."""
    job.connection.execute(
        f"insert into ops.raw_conflict with several as ("
        f"select _record_key from {fresh} group by all having count(*) > 1 union "
        f"select _record_key from {fresh} where _record_key in (select _record_key from {raw})) "
        f"select $1, _record_key from several where _record_key not in "
        f"(select record_key from ops.raw_conflict where raw_table = $1)",
        [table],
    )


def _insert(
    job: Job, record: StagedRecord, chosen: str, file_ids: list[str], batch_id: int
) -> None:
    """Append the chosen rows."""
    columns = ", ".join(identifier(name) for name in columns_of(job, record.name))
    job.connection.execute(
        f"insert into raw.{job.template.table(record.name)} ({columns}, _record_key, "
        "_content_hash, _sender, _feed, _file_id, _record_number, _batch_id) "
        f"select {columns}, _record_key, _content_hash, $1, $2, $3[_file + 1], _record, $4 "
        f"from {record.table} as s where {chosen}",
        [job.feed.sender, job.feed.feed, file_ids, batch_id],
    )


def _rows_written(
    job: Job, record: StagedRecord, fresh: str | None, accepted: np.ndarray
) -> np.ndarray:
    if fresh is None and record.maps_every_row:
        return accepted
    written = np.zeros(len(accepted), bool)
    written[rows_of(job, f"select _row from {record.table} as s where {fresh or 'true'}")] = True
    return written & accepted


def _fill_vault(job: Job, one: Protected, is_clean: bool, batch_id: int) -> None:
    """Clear personal values that the vault does not have yet.

    Values of withheld rows stay out: only tokens that an accepted row carries are kept.
    """
    carried = (
        "true"
        if is_clean
        else (
            f"token in (select {one.column} from {one.staged} "
            "where _row in (select _row from accepted_rows))"
        )
    )
    job.connection.execute(
        f"insert into vault.personal_value select $1, token, any_value(clear), $2 "
        f"from {one.table} where token is not null and {carried} and token not in "
        f"(select token from vault.personal_value where domain = $1) group by token",
        [one.domain, batch_id],
    )


def _at(instant: int | None) -> datetime | None:
    return None if instant is None else EPOCH + timedelta(microseconds=instant)


def _business_times(job: Job, unit: Unit, is_clean: bool) -> tuple[Times, ...]:
    """First and last business time of each file's accepted rows."""
    scope = "true" if is_clean else "_row in (select _row from accepted_rows)"
    parts = [
        f"select _file, cast({time} as timestamptz) as business_at from {record.table} "
        f"where {scope}"
        for record in unit.records
        if (time := job.template.records[record.name].business_time)
        and time in job.feed.records[record.name].fields
    ]
    size = len(unit.source.files)
    if not parts:
        return ((None, None),) * size
    # Microseconds: the database's client takes its time over a time zone, for every value anew.
    first, last = CALENDAR[FieldType.TIMESTAMP]
    rows = job.connection.execute(
        f"select _file, epoch_us(greatest(min(business_at), timestamptz '{first}')), "
        f"epoch_us(least(max(business_at), timestamptz '{last}')) "
        f"from ({' union all '.join(parts)}) group by _file"
    ).fetchall()
    found = {place: (_at(first), _at(last)) for place, first, last in rows}
    return tuple(found.get(place, (None, None)) for place in range(size))
