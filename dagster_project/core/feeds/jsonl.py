"""Reading JSON lines: exact line by line, judged by the database in one go.

Belongs here: lines to text columns. Does not: typing. Nested values arrive as JSON text.
"""

from __future__ import annotations

import json
import mmap
from collections import Counter
from typing import Any

import duckdb
import numpy as np

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds.drift import absent_keys, judge_columns, torn_end
from dagster_project.core.feeds.errors import ErrorCode
from dagster_project.core.feeds.header import Header
from dagster_project.core.feeds.job import Job, in_file_order
from dagster_project.core.feeds.read import Broken, Source, number_kept_rows
from dagster_project.core.feeds.recognise import Delivered
from dagster_project.core.feeds.records import MAX_RECORD_BYTES, map_bytes, record_bounds
from dagster_project.core.feeds.sql import identifier, literal

CHUNK_LINES = 100_000
# What the database's parser lets pass and JSON does not: judged again by Python's parser.
LENIENT = r"NaN|nan|Inf|inf|,\s*[}\]]"
BAD, NO_OBJECT, TWICE, DOUBTFUL = 1, 2, 3, -1


def read_jsonl(job: Job, one: Delivered, name: str) -> Source:
    """Read one file of JSON lines; broken lines are listed, unknown keys reported."""
    columns = ", ".join(f"{identifier(column)} varchar" for column in job.feed.columns)
    job.connection.execute(
        f"create or replace temp table {name} (_file integer, _record bigint, {columns})"
    )
    starts, ends = record_bounds(map_bytes(one.path), None)
    errors: dict[int, ErrorCode] = {}
    seen: set[str] = set()
    with (
        one.path.open("rb") as handle,
        mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        for first in range(0, len(starts), CHUNK_LINES):
            part = slice(first, first + CHUNK_LINES)
            texts, bad = _texts(content, starts[part], ends[part], first)
            _stage(job.connection, texts, first)
            errors |= bad | _judge(job.connection)
            seen |= _keys(job.connection)
            with in_file_order(job):
                _insert(job.connection, name, job.feed)
    numbers = np.delete(np.arange(1, len(starts) + 1), [number - 1 for number in errors])
    lines = _line_numbers(one, starts)
    broken = tuple(
        Broken(number, line, line, int(starts[number - 1]), int(ends[number - 1]), code)
        for number, code in sorted(errors.items())
        for line in [int(lines[number - 1])]
    )
    header = _header(job.feed, seen)
    broken = torn_end(broken, one.path, job.feed, 0)
    source = Source(name, (one,), (len(numbers),), header, broken=broken, record_numbers=numbers)
    number_kept_rows(job, source)
    return source


def _line_numbers(one: Delivered, starts: np.ndarray) -> np.ndarray:
    newlines = np.flatnonzero(map_bytes(one.path) == 10)
    return np.searchsorted(newlines, starts) + 1


def _texts(
    content: mmap.mmap, starts: np.ndarray, ends: np.ndarray, first: int
) -> tuple[list[str | None], dict[int, ErrorCode]]:
    texts: list[str | None] = []
    bad: dict[int, ErrorCode] = {}
    for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        text: str | None = None
        if end - start > MAX_RECORD_BYTES:
            bad[first + place + 1] = ErrorCode.RECORD_TOO_LONG
        else:
            try:
                text = content[start:end].decode()
            except UnicodeDecodeError:
                bad[first + place + 1] = ErrorCode.BAD_ENCODING
        texts.append(text)
    return texts, bad


def _stage(connection: duckdb.DuckDBPyConnection, texts: list[str | None], first: int) -> None:
    import pyarrow as pa

    numbers = pa.array(range(first + 1, first + len(texts) + 1), pa.int64())
    lines = pa.table({"_record": numbers, "line": pa.array(texts, pa.large_string())})
    connection.register("json_chunk", lines)
    connection.execute(
        "create or replace temp table json_lines as select _record, line, "
        f"case when not json_valid(line) then {BAD} "
        f"when json_type(line) != 'OBJECT' then {NO_OBJECT} "
        f"when regexp_matches(line, {literal(LENIENT)}) "
        "or len(list_distinct(json_keys(line))) < len(json_keys(line)) "
        f"then {DOUBTFUL} end as flaw "
        "from json_chunk where line is not null"
    )
    connection.unregister("json_chunk")


def _judge(connection: duckdb.DuckDBPyConnection) -> dict[int, ErrorCode]:
    """Errors by record number; a suspicious line is parsed again, strictly."""
    doubtful = connection.execute(
        f"select _record, line from json_lines where flaw = {DOUBTFUL}"
    ).fetchall()
    judged = {number: _flaw_of(line) for number, line in doubtful}
    for flaw in (BAD, TWICE, None):
        numbers = [number for number, found in judged.items() if found == flaw]
        connection.execute(
            "update json_lines set flaw = ? where _record in (select unnest(?::bigint[]))",
            [flaw, numbers],
        )
    rows = connection.execute(
        "select _record, flaw from json_lines where flaw is not null"
    ).fetchall()
    codes = {
        BAD: ErrorCode.BAD_JSON,
        NO_OBJECT: ErrorCode.NOT_AN_OBJECT,
        TWICE: ErrorCode.DUPLICATE_KEY,
    }
    return {number: codes[flaw] for number, flaw in rows}


def _flaw_of(line: str) -> int | None:
    """What Python's parser says of a doubtful line; a key twice with one value harms nobody."""
    try:
        json.loads(line, parse_constant=_refuse, object_pairs_hook=_object)
    except _TwiceError:
        return TWICE
    except (ValueError, RecursionError):
        return BAD
    return None


class _TwiceError(Exception):
    """A key has two values."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) < len(pairs) and any(plain[key] != value for key, value in pairs):
        raise _TwiceError
    return plain


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _keys(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select distinct unnest(json_keys(line)) from json_lines where flaw is null"
    ).fetchall()
    return {row[0] for row in rows}


def _header(feed: Feed, seen: set[str]) -> Header:
    known = {name for column, aliases in feed.columns.items() for name in (column, *aliases)}
    unknown, missing = tuple(sorted(seen - known)), absent_keys(feed, seen)
    judge_columns(feed, missing, unknown)
    return Header(tuple(feed.columns), unknown, missing)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, feed: Feed) -> None:
    names = [name for column, aliases in feed.columns.items() for name in (column, *aliases)]
    # A structure's names are the same in either case, an object's keys are not.
    times = Counter(name.lower() for name in names)
    together = [name for name in names if times[name.lower()] == 1]
    shape = literal(json.dumps(dict.fromkeys(together, "VARCHAR"), ensure_ascii=False))
    nulls = ", ".join(literal(text) for text in feed.dialect.null_text)
    columns = []
    for column, aliases in feed.columns.items():
        texts = [_text_at(name, name in together) for name in (column, *aliases)]
        value = f"coalesce({', '.join(texts)})"
        columns.append(
            f"case when {value} in ({nulls}) then null else {value} end" if nulls else value
        )
    transformed = f", json_transform(line, {shape}) as o" if together else ""
    connection.execute(
        f"insert into {table} select 0, _record, {', '.join(columns)} from "
        f"(select _record, line{transformed} from json_lines where flaw is null) "
        "order by _record"
    )


def _text_at(name: str, is_in_structure: bool) -> str:
    if is_in_structure:
        return f"o.{identifier(name)}"
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    return f"json_extract_string(line, {literal(pointer)})"
