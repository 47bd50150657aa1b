"""Samples of workbooks and Parquet files as a table.

Belongs here: cells to text, as a load writes them. Does not: where a sheet's table begins
(``tables`` finds it in the text).
"""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time
from typing import Any

from dagster_project.core.declarations import Dialect
from dagster_project.core.proposing.notes import Note
from dagster_project.core.proposing.opening import Opened, ProposingError
from dagster_project.core.proposing.tables import Table, find_table

MAX_ROWS = 200_000


def read_workbook(opened: Opened) -> Table:
    """The first sheet of a workbook that holds anything; others are named in a note."""
    from python_calamine import CalamineError, load_workbook

    try:
        book = load_workbook(str(opened.path))
        sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    except (CalamineError, OSError) as error:
        told = " ".join(str(error).split())
        raise ProposingError(f"{opened.path.name} is no readable workbook: {told}") from None
    filled = {name: rows for name, rows in sheets.items() if rows}
    if not filled:
        raise ProposingError(f"{opened.path.name} is empty: nothing can be proposed from it")
    name, rows = max(filled.items(), key=lambda item: len(item[1]))
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [_cell(value) for value in row] for row in rows[:MAX_ROWS]
    )
    found = find_table(out.getvalue().encode(), Dialect())
    notes = found.notes
    if len(sheets) > 1:
        others = ", ".join(other for other in sheets if other != name)
        notes = (*notes, Note("sheet", f"the longest sheet; others: {others}", is_open=True))
    dialect = found.dialect.model_copy(update={"sheet": name})
    return Table(dialect, found.names, found.rows, found.is_named, notes, found.broken)


def read_parquet_sample(opened: Opened) -> Table:
    """The first rows of a Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(opened.path)
        batches = file.iter_batches(batch_size=MAX_ROWS)
        batch = next(batches, None)
    except (pa.ArrowException, OSError) as error:
        told = " ".join(str(error).split())
        raise ProposingError(f"{opened.path.name} is no readable Parquet file: {told}") from None
    names = tuple(file.schema_arrow.names)
    columns = [column.to_pylist() for column in batch.columns] if batch is not None else []
    rows = tuple([_cell(value) for value in row] for row in zip(*columns, strict=True))
    return Table(Dialect(), names, rows, True)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        text = value.isoformat(" ")
        return text.removesuffix(" 00:00:00") if value.tzinfo is None else text
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
