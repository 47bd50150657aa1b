"""Writing delivered files: a hidden partial file first, then one rename.

Belongs here: how a file gets into ``landing`` or ``truth``. Does not: what stands in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb


class SimulationError(Exception):
    """The arguments cannot be simulated, or the package's data is missing; one line says why."""


@contextmanager
def one_line_errors(out: Path) -> Iterator[None]:
    """Turn what the disk says into SimulationError with one line."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        yield
    except (OSError, duckdb.IOException) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise SimulationError(f"cannot write {out}: {reason or _first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Two threads, rows in the order they are given, nothing drawn on the terminal."""
    connection.execute("set threads = 2")
    connection.execute("set preserve_insertion_order = true")
    connection.execute("set enable_progress_bar = false")


def partial_path(path: Path) -> Path:
    """The hidden name a file has until it is whole; makes the folder where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.partial")


def deliver_bytes(path: Path, content: bytes) -> None:
    """Write one file whole: readers see either nothing or all of it."""
    partial = partial_path(path)
    partial.write_bytes(content)
    os.replace(partial, path)


def deliver_query(
    connection: duckdb.DuckDBPyConnection, query: str, path: Path, options: str = "header"
) -> None:
    """Write a query's rows, in its order, as one CSV or Parquet file.

    ``options`` are DuckDB's COPY options: ``header, delimiter '|'`` or ``format parquet``.
    """
    partial = partial_path(path)
    kind = options if "format" in options else f"format csv, {options}"
    connection.execute(f"copy ({query}) to {literal(str(partial))} ({kind})")
    os.replace(partial, path)


def literal(text: str) -> str:
    """A SQL text literal, for statements that take no bound value (COPY's target)."""
    return "'" + text.replace("'", "''") + "'"
