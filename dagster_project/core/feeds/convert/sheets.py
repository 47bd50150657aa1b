"""Spreadsheets as delimited text, row by row.

Belongs here: cells to text. Does not: which column is what. A row's line is its row in the sheet
as long as no cell before holds a line break.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds.errors import HeldBackError

# A workbook is held in memory as a whole.
MAX_WORKBOOK_BYTES = 1 << 30
MAX_RATIO = 200
RATIO_FREE_BYTES = 16 << 20
MACROS_IN_ZIP = "vbaproject.bin"
MACROS_IN_OLE = "_VBA_PROJECT".encode("utf-16-le")


def write_sheet(source: Path, target: Path, feed: Feed) -> None:
    """Write one sheet of a workbook; rows without any content become blank lines."""
    _refuse_dangerous(source)
    rows = _rows(source, feed.dialect.sheet)
    skipped, kept = feed.dialect.preamble_lines, len(rows) - feed.dialect.footer_lines
    rows = rows[skipped : max(kept, skipped)]
    width = _width(next((row for row in rows if any(row)), []))
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(
            out,
            delimiter=feed.dialect.delimiter,
            quotechar=feed.dialect.quote or '"',
            lineterminator="\n",
        )
        for row in rows:
            if any(row):
                # Cells beside the table keep their row from being taken for a whole one.
                writer.writerow(row[: max(width, _width(row))])
            else:
                out.write("\n")


def _rows(source: Path, sheet: str | None) -> list[list[str]]:
    import python_calamine as calamine

    try:
        with calamine.load_workbook(str(source)) as workbook:
            names = workbook.sheet_names
            if sheet is not None and sheet not in names:
                raise HeldBackError(f"the workbook has no sheet {sheet!r}")
            if not names:
                raise HeldBackError("the workbook has no sheet")
            found = workbook.get_sheet_by_name(sheet or names[0])
            read: list[list[Any]] = found.to_python(skip_empty_area=False)
    except (calamine.CalamineError, zipfile.BadZipFile, OSError) as error:
        raise HeldBackError(f"not a readable workbook ({type(error).__name__})") from None
    return [[_text(cell) for cell in row] for row in read]


def _text(cell: Any) -> str:
    """The cell as a sender of text files would write it."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        # A whole number: sheets know no other kind, and '17850.0' is nobody's customer number.
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def _width(row: list[str]) -> int:
    """Cells up to the last that holds something."""
    return max((place for place, cell in enumerate(row, 1) if cell), default=0)


def _refuse_dangerous(source: Path) -> None:
    """Raise HeldBackError for a workbook with macros, or one that unpacks to more than the cap."""
    if source.stat().st_size > MAX_WORKBOOK_BYTES:
        raise HeldBackError("the workbook is larger than the cap")
    if not zipfile.is_zipfile(source):
        if any(MACROS_IN_OLE in piece for piece in _overlapping(source)):
            raise HeldBackError("the workbook holds macros")
        return
    with zipfile.ZipFile(source) as archive:
        members = archive.infolist()
    if any(member.filename.lower().endswith(MACROS_IN_ZIP) for member in members):
        raise HeldBackError("the workbook holds macros")
    unpacked = sum(member.file_size for member in members)
    exploding = unpacked > RATIO_FREE_BYTES and unpacked > source.stat().st_size * MAX_RATIO
    if exploding or unpacked > MAX_WORKBOOK_BYTES:
        raise HeldBackError("the workbook unpacks to more than the cap")


def _overlapping(source: Path) -> Iterator[bytes]:
    """The file in pieces, each beginning with the end of the one before."""
    carried = b""
    with source.open("rb") as handle:
        while piece := handle.read(4 << 20):
            yield carried + piece
            carried = piece[-len(MACROS_IN_OLE) :]
