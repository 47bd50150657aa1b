"""Accepted rows into ``raw``, exactly once: called inside the one transaction of a batch.

Belongs here: telling new rows from duplicates and conflicts, and writing them and the vault.
Does not: the ledger. A row is a duplicate when its key and content are in the raw table already,
or stand earlier in the same transaction or file.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np

from dagster_project.core.declarations import Feed, Template
from dagster_project.core.feeds.protect import Protected
from dagster_project.core.feeds.settle import Verdict
from dagster_project.core.feeds.sql import identifier
from dagster_project.core.feeds.stage import StagedRecord, Unit


@dataclass(frozen=True)
class Written:
    """What a unit added."""

    loaded: tuple[int, ...]  # physical records per file of which an output is new
    duplicate: tuple[int, ...]
    first_business: tuple[object, ...]
    last_business: tuple[object, ...]
    row_count: int  # rows added to raw tables


def write_unit(
    connection: duckdb.DuckDBPyConnection,
    unit: Unit,
    verdict: Verdict,
    feed: Feed,
    template: Template,
    batch_id: int,
) -> Written:
    """Write what is new of a unit; nothing is committed here."""
    is_clean = bool(verdict.accepted.all())
    if not is_clean:
        _register_accepted(connection, verdict)
    file_ids = [one.file_id for one in unit.source.files]
    _register_files(connection, file_ids)
    loaded = np.zeros(unit.source.total, bool)
    row_count = 0
    for record in unit.records:
        scope = _scope(connection, record, is_clean)
        fresh = _find_fresh(connection, record, scope, template)
        row_count += _insert(connection, record, scope, fresh, template, feed, batch_id)
        loaded |= _rows_written(connection, record, fresh, verdict.accepted)
    _fill_vault(connection, unit, is_clean, batch_id)
    first, last = _business_times(connection, unit, template, is_clean)
    return Written(
        _per_file(loaded, verdict),
        _per_file(verdict.accepted & ~loaded, verdict),
        first,
        last,
        row_count,
    )


def _per_file(rows: np.ndarray, verdict: Verdict) -> tuple[int, ...]:
    counts = np.bincount(verdict.file_of_row[rows], minlength=len(verdict.files))
    return tuple(counts.tolist())


def _register_accepted(connection: duckdb.DuckDBPyConnection, verdict: Verdict) -> None:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    rows = pa.table({"_row": np.flatnonzero(verdict.accepted)})
    connection.register("accepted_arrow", rows)
    connection.execute(
        "create or replace temp table accepted_rows as select _row from accepted_arrow"
    )
    connection.unregister("accepted_arrow")


def _register_files(connection: duckdb.DuckDBPyConnection, file_ids: list[str]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    places = pa.array(range(len(file_ids)), pa.int32())
    connection.register("unit_files", pa.table({"_file": places, "file_id": file_ids}))


def _scope(connection: duckdb.DuckDBPyConnection, record: StagedRecord, is_clean: bool) -> str:
    """The record's rows that may be written, as a predicate over its staged table."""
    if is_clean:
        return "true"
    found = connection.execute(
        f"select count(*) from {record.table} where _row not in (select _row from accepted_rows)"
    ).fetchone()
    return "_row in (select _row from accepted_rows)" if found[0] else "true"


def _find_fresh(
    connection: duckdb.DuckDBPyConnection, record: StagedRecord, scope: str, template: Template
) -> str | None:
    """A table of the rows to write, or nothing when all of them are new and without conflict."""
    raw = f"raw.{template.table(record.name)}"
    rows, keys = connection.execute(
        f"select count(*), count(distinct _record_key) from {record.table} where {scope}"
    ).fetchone()
    is_empty = connection.execute(f"select 1 from {raw} limit 1").fetchone() is None
    if rows == keys:
        known = 0
        if not is_empty:
            known = connection.execute(
                f"select count(*) from {record.table} where {scope} and _record_key in "
                f"(select _record_key from {raw})"
            ).fetchone()[0]
        if known == 0:
            return None
    fresh = f"{record.table}_fresh"
    connection.execute(
        f"create or replace temp table {fresh} as "
        f"with firsts as (select _record_key, _content_hash, min(_row) as _row "
        f"from {record.table} where {scope} group by all) "
        f"select _row, _record_key from firsts as f where not exists (select 1 from {raw} as r "
        f"where r._record_key = f._record_key and r._content_hash = f._content_hash)"
    )
    _note_conflicts(connection, fresh, raw, template.table(record.name))
    return fresh


def _note_conflicts(
    connection: duckdb.DuckDBPyConnection, fresh: str, raw: str, table: str
) -> None:
    """Keys that now have more than one content, each noted once."""
    connection.execute(
        f"insert into ops.raw_conflict with several as ("
        f"select _record_key from {fresh} group by all having count(*) > 1 union "
        f"select _record_key from {fresh} where _record_key in (select _record_key from {raw})) "
        f"select $1, _record_key from several where _record_key not in "
        f"(select record_key from ops.raw_conflict where raw_table = $1)",
        [table],
    )


def _insert(
    connection: duckdb.DuckDBPyConnection,
    record: StagedRecord,
    scope: str,
    fresh: str | None,
    template: Template,
    feed: Feed,
    batch_id: int,
) -> int:
    """Append the new rows; returns how many."""
    columns = ", ".join(identifier(n) for n in template.records[record.name].columns())
    chosen = scope if fresh is None else f"_row in (select _row from {fresh})"
    added = connection.execute(
        f"insert into raw.{template.table(record.name)} "
        f"select {columns}, _record_key, _content_hash, $1, $2, f.file_id, _record, $3 "
        f"from {record.table} as s join unit_files as f on f._file = s._file where {chosen}",
        [feed.sender, feed.feed, batch_id],
    ).fetchone()
    return added[0]


def _rows_written(
    connection: duckdb.DuckDBPyConnection,
    record: StagedRecord,
    fresh: str | None,
    accepted: np.ndarray,
) -> np.ndarray:
    if fresh is None and record.maps_every_row:
        return accepted
    written = np.zeros(len(accepted), bool)
    query = f"select _row from {fresh or record.table}"
    written[connection.execute(query).fetchnumpy()["_row"].astype(np.int64)] = True
    return written & accepted


def _fill_vault(
    connection: duckdb.DuckDBPyConnection, unit: Unit, is_clean: bool, batch_id: int
) -> None:
    """Clear personal values that the vault does not have yet.

    Values of withheld rows stay out: only tokens that a written row carries are kept.
    """
    for one in unit.protected:
        if not one.keeps_clear:
            continue
        carried = "true" if is_clean else _carried(one)
        connection.execute(
            f"insert into vault.personal_value select $1, token, any_value(clear), $2 "
            f"from {one.table} where token is not null and {carried} and token not in "
            f"(select token from vault.personal_value where domain = $1) group by token",
            [one.domain, batch_id],
        )


def _carried(one: Protected) -> str:
    return (
        f"token in (select {one.column} from {one.staged} "
        "where _row in (select _row from accepted_rows))"
    )


def _business_times(
    connection: duckdb.DuckDBPyConnection, unit: Unit, template: Template, is_clean: bool
) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """First and last business time of each file's accepted rows."""
    scope = "true" if is_clean else "_row in (select _row from accepted_rows)"
    parts = [
        f"select _file, cast({time} as timestamptz) as business_at from {record.table} where {scope}"
        for record in unit.records
        if (time := template.records[record.name].business_time)
    ]
    size = len(unit.source.files)
    if not parts:
        return (None,) * size, (None,) * size
    rows = connection.execute(
        f"select _file, min(business_at), max(business_at) from ({' union all '.join(parts)}) group by _file"
    ).fetchall()
    found = {place: (first, last) for place, first, last in rows}
    pairs = [found.get(place, (None, None)) for place in range(size)]
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)
