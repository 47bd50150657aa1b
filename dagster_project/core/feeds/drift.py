"""Files that are no longer what their feed says: other columns, bad values, a torn end.

Belongs here: what the feed's policies make of them. Does not: finding the columns or the values
(``read``, ``judge``).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from dagster_project.core.declarations import Dialect, Feed, Policy, Record, Treatment
from dagster_project.core.feeds.cards import SECRET_COLUMN
from dagster_project.core.feeds.errors import MESSAGES, ErrorCode, HeldBackError
from dagster_project.core.feeds.ledger import append
from dagster_project.core.feeds.naming import column_name
from dagster_project.core.feeds.records import Splitter

if TYPE_CHECKING:
    from dagster_project.core.feeds.header import Header
    from dagster_project.core.feeds.read import Broken
    from dagster_project.core.feeds.settle import Flaw, Verdict

NEW, MISSING = "new_column", "missing_column"  # kinds of ops.file_drift
SHOWN = 10  # names in a reason or an alarm
MAX_NAME = 60  # characters of a name that the sender made up
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@dataclass(frozen=True)
class FileDrift:
    """One column of one file that is new or missing; a row of ``ops.file_drift``."""

    feed: str
    file_id: str
    kind: str
    column_name: str


def names(columns: Iterable[str]) -> str:
    """Names as they may be told: secrets first, without cards and contacts, none endless."""
    ordered = sorted(set(columns), key=lambda name: (SECRET_COLUMN.search(name) is None, name))
    shown = [column_name(name)[:MAX_NAME] for name in ordered[:SHOWN]]
    rest = len(ordered) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def judge_columns(feed: Feed, missing: Sequence[str], unknown: Sequence[str]) -> None:
    """Raise HeldBackError where the feed's policy does not let such a file in."""
    if missing and feed.drift.missing_column is Policy.FREEZE:
        raise HeldBackError(f"column missing: {', '.join(missing)}")
    if len(missing) == len(feed.columns):
        raise HeldBackError("none of the feed's columns is there")
    if unknown and feed.drift.new_column is Policy.FREEZE:
        raise HeldBackError(f"new column: {names(unknown)}")


def absent_keys(feed: Feed, seen: set[str]) -> tuple[str, ...]:
    """Columns that no object of a file has, where the feed says what to do with such a file.

    A key that is left out is how JSON says that there is no value: no column is missed unless the
    feed's own ``missing_column`` says so.
    """
    if not seen or "missing_column" not in feed.drift.model_fields_set:
        return ()
    return tuple(name for name, others in feed.columns.items() if seen.isdisjoint({name, *others}))


def policy_of(feed: Feed, record: Record, name: str) -> Policy:
    """What becomes of a bad value of a field.

    A record cannot do without a required field or a part of its key; a value that is replaced by
    a token is not told apart from its record.
    """
    policy = feed.drift.fields.get(name, feed.drift.bad_value)
    field = record.fields[name]
    is_needed = field.required or name in record.key
    is_replaced = field.treatment in {Treatment.TOKEN, Treatment.MASK}
    if policy is Policy.DISCARD_VALUE and (is_needed or is_replaced):
        return Policy.DISCARD_ROW
    return policy


def frozen(
    verdicts: Sequence[Verdict], line_of: Callable[[Verdict, int, Flaw], int]
) -> dict[str, str]:
    """Files with a value for which the feed holds them back: content id → reason.

    ``line_of`` gives the first line of a flaw of a verdict's file, by its place.
    """
    reasons: dict[str, str] = {}
    for verdict in verdicts:
        for place, one in enumerate(verdict.unit.source.files):
            if one.content_id in reasons:  # an earlier piece of the same file
                continue
            flaws = [flaw for flaw in verdict.flaws[place] if flaw.freezes]
            if first := min(flaws, key=lambda flaw: flaw.record_number, default=None):
                line = line_of(verdict, place, first)
                told = f"{MESSAGES[first.code]} ({first.code})"
                reasons[one.content_id] = f"line {line}, column {first.column}: {told}"
    return reasons


def torn_end(broken: Sequence[Broken], path: Path, feed: Feed, width: int) -> tuple[Broken, ...]:
    """Give the last record a code of its own where the file ends within it.

    ``width`` is the number of cells of a whole record, 0 for JSON. Raises HeldBackError where
    the feed holds such files back.
    """
    if not broken or broken[-1].end != path.stat().st_size:
        return tuple(broken)
    last = broken[-1]
    with path.open("rb") as handle:
        handle.seek(last.offset)
        raw = handle.read()
    if not _is_torn(raw, last.code, feed.dialect, width):
        return tuple(broken)
    if feed.arrival.truncated == "hold":
        raise HeldBackError(
            f"the file is cut off within its last record, number {last.record_number}"
        )
    return (*broken[:-1], replace(last, code=ErrorCode.TRUNCATED))


def _is_torn(raw: bytes, code: ErrorCode, dialect: Dialect, width: int) -> bool:
    if code is ErrorCode.BAD_ENCODING:
        try:  # a sign that lacks its last bytes is none that is wrong
            codecs.getincrementaldecoder("utf-8")().decode(raw)
        except UnicodeDecodeError:
            return False
        return True
    if code is ErrorCode.BAD_JSON:
        bare = TEXT.sub("", raw.decode())
        is_open = bare.count("{") > bare.count("}") or bare.count("[") > bare.count("]")
        return '"' in bare or is_open
    if code is ErrorCode.RAGGED_ROW:
        whole_signs = codecs.getincrementaldecoder("utf-8")("replace").decode(raw).encode()
        record = next(Splitter(whole_signs, dialect, None).records(), None)
        return record is not None and record.cells is not None and len(record.cells) < width
    return code is ErrorCode.UNTERMINATED_QUOTE


def note_drift(
    connection: duckdb.DuckDBPyConnection, feed: str, headers: dict[str, Header]
) -> None:
    """Keep what is new or missing in files, by file id; a file noted before is noted anew."""
    kinds = {
        file_id: {NEW: header.unknown, MISSING: header.missing}
        for file_id, header in headers.items()
    }
    lines = [
        FileDrift(feed, file_id, kind, column)
        for file_id, found in sorted(kinds.items())
        for kind, columns in found.items()
        for column in sorted({names([name]) if kind == NEW else name for name in columns})
    ]
    known = connection.execute("select 1 from ops.file_drift limit 1").fetchone()
    if known:
        connection.execute(
            "delete from ops.file_drift where feed = ? and file_id in (select unnest(?))",
            [feed, list(headers)],
        )
    append(connection, "ops.file_drift", lines)
