"""Columns of a delivered file, built from whole arrays: exact decimals, codes, local times.

Belongs here: turning numbers into Arrow columns and those into a file. Does not: what a column
means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.core.simulation.delivery import deliver_query
from dagster_project.core.simulation.plan import utc_offsets

Columns = Mapping[str, pa.Array]
DECIMAL_DIGITS = 18


def decimal(scaled: np.ndarray, digits: int, present: np.ndarray | None = None) -> pa.Array:
    """Exact decimals from whole numbers: 1234 with two digits is 12.34."""
    if digits == 0:
        return whole(scaled, present)
    values = np.ascontiguousarray(scaled, dtype=np.int64)
    wide = np.empty((values.size, 2), dtype=np.int64)  # 128 bits, low half first
    wide[:, 0] = values
    wide[:, 1] = values >> 63
    found = pa.Array.from_buffers(
        pa.decimal128(DECIMAL_DIGITS, digits), values.size, [None, pa.py_buffer(wide.tobytes())]
    )
    return found if present is None else _masked(found, present)


def whole(values: np.ndarray, present: np.ndarray | None = None) -> pa.Array:
    """Whole numbers; missing where ``present`` is false."""
    mask = None if present is None else ~present
    return pa.array(np.ascontiguousarray(values, dtype=np.int64), mask=mask)


def text(values: Sequence[str | None] | np.ndarray) -> pa.Array:
    """Text, missing where None."""
    if isinstance(values, np.ndarray) and values.dtype.kind == "U":
        return pa.array(values.astype(object), type=pa.string())
    return pa.array(values, type=pa.string())


def picked(places: np.ndarray, words: Sequence[str] | np.ndarray | pa.Array) -> pa.Array:
    """The word at each place; missing where the place is negative."""
    known = words if isinstance(words, pa.Array) else text(words)
    indices = pa.array(places.astype(np.int64), mask=places < 0)
    return pa.DictionaryArray.from_arrays(indices, known)


def flag(values: np.ndarray, yes: str = "true", no: str = "false") -> pa.Array:
    """Two words for true and false."""
    return picked(np.where(values, 0, 1), [yes, no])


def same(word: str | None, count: int) -> pa.Array:
    """One word in every row."""
    return picked(np.full(count, -1 if word is None else 0), [word or ""])


def local_times(moments: np.ndarray, zone: str, *, with_offset: bool = True) -> pa.Array:
    """Local times as ``2017-03-21T14:05:33+03:30`` from seconds since 1970."""
    offsets = utc_offsets(zone, moments)
    plain = (moments + offsets).astype("datetime64[s]").astype("U19")
    if not with_offset:
        return text(plain)
    suffix = np.empty(plain.size, dtype="U6")
    for offset in np.unique(offsets):
        hours, minutes = divmod(abs(int(offset)) // 60, 60)
        suffix[offsets == offset] = f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"
    return text(np.char.add(plain, suffix))


def known_times(
    moments: np.ndarray, known: np.ndarray, zone: str, *, with_offset: bool = True
) -> pa.Array:
    """Local times, missing where they are not known."""
    place = np.where(known, np.cumsum(known) - 1, -1)
    return picked(place, local_times(moments[known], zone, with_offset=with_offset))


def stacked(parts: Sequence[Columns]) -> Columns:
    """The same columns of several parts, one part after the other.

    Amounts of currencies with other decimals become text, each as its currency has it.
    """
    return {name: _stack([_plain(part[name]) for part in parts]) for name in parts[0]}


def _stack(columns: list[pa.Array]) -> pa.Array:
    if len({column.type for column in columns}) > 1:
        columns = [column.cast(pa.string()) for column in columns]
    return pa.concat_arrays(columns)


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column


def write_columns(
    connection: duckdb.DuckDBPyConnection, columns: Columns, path: Path, options: str = "header"
) -> int:
    """Write columns as one file in their order; returns the number of rows."""
    table = pa.table(dict(columns))
    connection.register("delivered_rows", table)
    deliver_query(connection, "select * from delivered_rows", path, options)
    connection.unregister("delivered_rows")
    return int(table.num_rows)


def _masked(values: pa.Array, present: np.ndarray) -> pa.Array:
    return pc.if_else(pa.array(present), values, pa.scalar(None, values.type))
