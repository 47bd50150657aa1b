"""Files that are no delimited text and no JSON lines, brought to one of the two.

One module a kind: sheets, xml, documents (JSON), fixed (columns of fixed width). What they write
is UTF-8 in scratch and is read, judged and rejected like any other file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds.convert.documents import write_documents
from dagster_project.core.feeds.convert.fixed import write_cells
from dagster_project.core.feeds.convert.sheets import write_sheet
from dagster_project.core.feeds.convert.xml import write_elements

# Source (unpacked), target, feed; each raises HeldBackError for a file that is not of its kind.
Converter = Callable[[Path, Path, Feed], None]
CONVERTERS: dict[str, Converter] = {
    "xlsx": write_sheet,
    "xls": write_sheet,
    "xml": write_elements,
    "json": write_documents,
    "fixed_width": write_cells,
}

__all__ = ["CONVERTERS", "Converter"]
