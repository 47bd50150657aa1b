"""Data Docs: what was checked and what came of it, as static pages without a personal value.

Belongs here: putting the pages in place, each in one step. Does not: what is on them
(``docs_pages``) or where it is read (``docs_trends``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from dagster_project.core.home import Home
from dagster_project.core.quality.docs_pages import index_page, place_of, table_page
from dagster_project.core.quality.docs_trends import read_tables

INDEX = "index.html"
BESIDE = ".tmp"  # ends the name of a page until it is whole


def write_data_docs(home: Home, connection: duckdb.DuckDBPyConnection, judged_at: str) -> Path:
    """Write ``data_docs/index.html`` and a page per judged table; returns the index.

    All of it is read from ``ops.check_result`` and, where there is one, ``ops.anomaly``; the
    connection is only read. ``judged_at`` is shown on the index as given. A page that says the
    same as before is left alone, and pages of tables that are judged no more are removed.
    """
    tables = read_tables(connection)
    pages = {f"{place_of(table)}.html": table_page(table, tables) for table in tables}
    for place, text in pages.items():
        _put(home.data_docs / place, text)
    index = home.data_docs / INDEX
    _put(index, index_page(tables, judged_at))
    _remove_others(home.data_docs, pages)
    return index


def _put(path: Path, text: str) -> None:
    """The page in one step: a browser sees the one before or this one, never half of it."""
    content = text.encode("utf-8")
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + BESIDE)
    beside.write_bytes(content)
    beside.replace(path)


def _remove_others(folder: Path, pages: Mapping[str, str]) -> None:
    """Pages of other tables, and what a run that was killed left half-written."""
    for path in [*folder.glob("*/*.html"), *folder.glob(f"**/*.html{BESIDE}")]:
        if path.relative_to(folder).as_posix() not in pages:
            path.unlink()
            if path.parent != folder and not any(path.parent.iterdir()):
                path.parent.rmdir()
