"""What becomes of every physical record of a unit: rejected, ignored, held back with its file.

Belongs here: counting and reasons. Does not: writing; whether an accepted record is new or a
duplicate is only known in the transaction (``commit``). Arrays hold one entry per row of the unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds.errors import ErrorCode
from dagster_project.core.feeds.stage import Unit


@dataclass(frozen=True)
class Flaw:
    """Why one record is rejected."""

    row: int  # place in the unit; -1 where the record could not even be split
    record_number: int
    code: ErrorCode
    record: str  # the template's record, or the feed's name where none can be told
    column: str | None = None


@dataclass(frozen=True)
class FileVerdict:
    """One file's counts before it is known which accepted records are new."""

    physical_count: int
    flaws: tuple[Flaw, ...]
    refusal: str | None  # why the whole file is held back

    @property
    def rejected_count(self) -> int:
        return self.physical_count if self.refusal else len(self.flaws)


@dataclass(frozen=True)
class Verdict:
    """What is decided about a unit's rows."""

    files: tuple[FileVerdict, ...]
    accepted: np.ndarray  # bool per row: all outputs may be written
    file_of_row: np.ndarray


def settle(connection: duckdb.DuckDBPyConnection, unit: Unit, feed: Feed) -> Verdict:
    """Judge every row of a staged unit."""
    source = unit.source
    file_of_row = np.repeat(np.arange(len(source.files)), source.row_counts)
    mapped = np.zeros(source.total, bool)
    flaws: dict[int, Flaw] = {}
    for record in unit.records:
        if record.maps_every_row:
            mapped[:] = True
        else:
            mapped[_rows(connection, f"select _row from {record.table}")] = True
        found = connection.execute(
            f"select _row, _record, _error from {record.table} where _error is not null"
        ).fetchall()
        for row, number, error in found:
            check = record.checks[error]
            flaws.setdefault(row, Flaw(row, number, check.code, record.name, check.field))
    ignored = np.zeros(source.total, bool)
    if not mapped.all():
        ignored = _ignored(connection, unit, feed) & ~mapped
        for row in np.flatnonzero(~mapped & ~ignored).tolist():
            number = _record_number(unit, row, int(file_of_row[row]))
            flaws[row] = Flaw(row, number, ErrorCode.UNMAPPED, feed.feed)
    files = tuple(
        _file_verdict(unit, feed, place, file_of_row, flaws, ignored)
        for place in range(len(source.files))
    )
    accepted = ~ignored
    accepted[list(flaws)] = False
    for place, verdict in enumerate(files):
        if verdict.refusal:
            accepted[file_of_row == place] = False
    return Verdict(files, accepted, file_of_row)


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> np.ndarray:
    return connection.execute(query).fetchnumpy()["_row"].astype(np.int64)


def _ignored(connection: duckdb.DuckDBPyConnection, unit: Unit, feed: Feed) -> np.ndarray:
    ignored = np.zeros(unit.source.total, bool)
    if feed.ignore_where:
        query = f"select _row from {unit.relation} where {feed.ignore_where}"
        ignored[_rows(connection, query)] = True
    return ignored


def _record_number(unit: Unit, row: int, place: int) -> int:
    if unit.source.record_numbers is not None:
        return int(unit.source.record_numbers[row])
    return row - int(unit.source.first_rows[place]) + 1


def _file_verdict(
    unit: Unit,
    feed: Feed,
    place: int,
    file_of_row: np.ndarray,
    flaws: dict[int, Flaw],
    ignored: np.ndarray,
) -> FileVerdict:
    broken = tuple(Flaw(-1, b.record_number, b.code, feed.feed) for b in unit.source.broken)
    own = tuple(flaw for row, flaw in flaws.items() if file_of_row[row] == place)
    rows = unit.source.row_counts[place]
    if ignored.any():
        rows -= int(ignored[file_of_row == place].sum())
    physical = rows + len(broken)
    rejected = len(own) + len(broken)
    refusal = None
    if physical and rejected > feed.arrival.reject_threshold * physical:
        share = f"{feed.arrival.reject_threshold:.0%}"
        refusal = f"{rejected} of {physical} records rejected, more than {share}"
    return FileVerdict(physical, broken + own, refusal)
