"""Delimited text without a single quote, by Arrow: the fastest reader there is.

Belongs here: cutting big files into pieces, parsing small ones together. Does not: which files
are plain (``Profile.is_plain``); what is read in other ways (``read``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from dagster_project.core.declarations import Dialect
from dagster_project.core.feeds.errors import FastPathError
from dagster_project.core.feeds.header import Header
from dagster_project.core.feeds.job import Job
from dagster_project.core.feeds.read import Source, expected_rows
from dagster_project.core.feeds.recognise import Delivered
from dagster_project.core.feeds.records import (
    MAX_FIELD_BYTES,
    NEWLINE,
    mapped,
    require_common,
)

# Pieces of a big file: what is in memory at once; a window over rows keeps a file in one piece.
PIECE_BYTES = 192 << 20
RUN_BYTES = 8 << 20  # of small files parsed together


@dataclass(frozen=True)
class Piece:
    """A file, or a run of records of a big one."""

    one: Delivered
    start: int  # first byte after the header
    end: int
    first_record: int = 0  # records of the file before this piece


def pieces_of(one: Delivered, dialect: Dialect, piece_bytes: int) -> list[Piece]:
    """A file without quotes in pieces of whole records."""
    size = one.profile.size_bytes
    content = one.text.content if one.text.content is not None else mapped(one.path)
    start = content.find(b"\n") + 1 or size if dialect.header else 0
    if size - start <= piece_bytes:
        return [Piece(one, start, size)]
    found: list[Piece] = []
    first = 0
    while start < size:
        end = size
        if size - start > piece_bytes:
            end = content.find(b"\n", start + piece_bytes) + 1 or size
        found.append(Piece(one, start, end, first))
        if end < size:
            first += int(np.count_nonzero(one.text.array()[start:end] == NEWLINE))
        start = end
    return found


def read_unquoted(job: Job, pieces: tuple[Piece, ...], header: Header, name: str) -> Source:
    """Read pieces without quotes, several files or one piece of a file, by Arrow.

    Raises FastPathError where a row has another number of cells, or bytes are not UTF-8.
    """
    import pyarrow as pa

    require_common(job.feed.dialect)
    tables, counts = [], []
    try:
        for run in _runs(pieces):
            table, rows = _read_run(run, header, job.feed.dialect)
            tables.append(table)
            counts += rows
    except pa.ArrowInvalid as error:
        raise FastPathError(type(error).__name__) from None
    joined = pa.concat_tables(tables)
    first_record = pieces[0].first_record
    columns = {
        "_file": pa.array(np.repeat(np.arange(len(pieces), dtype=np.int32), counts)),
        "_row": pa.array(np.arange(sum(counts))),
        "_record": pa.array(
            np.concatenate([np.arange(1, rows + 1) for rows in counts]) + first_record
        ),
    }
    for column, array in columns.items():
        joined = joined.append_column(column, array)
    source = Source(name, tuple(p.one for p in pieces), tuple(counts), header, first_record)
    for column in header.missing:
        joined = joined.append_column(column, pa.nulls(len(joined), pa.string()))
    job.connection.register(source.relation, joined)
    return source


def _runs(pieces: tuple[Piece, ...]) -> Iterator[list[Piece]]:
    """Small files one after the other are parsed as one text; a big piece by itself."""
    run: list[Piece] = []
    size = 0
    for piece in pieces:
        own = piece.end - piece.start
        if run and size + own > RUN_BYTES:
            yield run
            run, size = [], 0
        run.append(piece)
        size += own
    if run:
        yield run


def _read_run(run: list[Piece], header: Header, dialect: Dialect) -> tuple[Any, list[int]]:
    """The run's rows, and how many each piece has.

    Raises FastPathError where they are not as many as the pieces physically have.
    """
    from pyarrow import compute as pc

    if len(run) == 1:
        (piece,) = run
        table = _read_piece(piece, header, dialect)
        is_whole = piece.first_record == 0 and piece.end == piece.one.profile.size_bytes
        counts = [expected_rows(piece.one, dialect) if is_whole else table.num_rows]
    else:
        texts = []
        for piece in run:
            text = piece.one.text.part(piece.start, piece.end)
            texts.append(text)
            if text and not piece.one.profile.ends_with_newline:
                texts.append(b"\n")
        table = _parse(b"".join(texts), header, dialect)
        counts = [expected_rows(piece.one, dialect) for piece in run]
    if any((pc.max(pc.binary_length(one)).as_py() or 0) > MAX_FIELD_BYTES for one in table.columns):
        raise FastPathError("a cell is longer than the cap")
    if table.num_rows != sum(counts):
        raise FastPathError("the reader's count is not the count of physical records")
    return table, counts


def _read_piece(piece: Piece, header: Header, dialect: Dialect) -> Any:
    import pyarrow as pa

    if piece.one.text.content is not None:
        return _parse(piece.one.text.part(piece.start, piece.end), header, dialect)
    with pa.memory_map(str(piece.one.path)) as content:
        content.seek(piece.start)
        return _parse(content.read_buffer(piece.end - piece.start), header, dialect)


def _parse(text: Any, header: Header, dialect: Dialect) -> Any:
    """A text or buffer of whole records without quotes as an Arrow table of texts."""
    import pyarrow as pa
    from pyarrow import csv

    names = [name or f"unknown {place}" for place, name in enumerate(header.columns)]
    wanted = [name for _, name in header.known]
    if len(text) == 0:
        return pa.table({name: pa.array([], pa.string()) for name in wanted})
    return csv.read_csv(
        pa.BufferReader(text),
        csv.ReadOptions(column_names=names),
        csv.ParseOptions(delimiter=dialect.delimiter, quote_char=False),
        csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=wanted,
            strings_can_be_null=True,
            null_values=list(dialect.null_text),
        ),
    )
