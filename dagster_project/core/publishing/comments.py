"""Descriptions as comments in the published file, where every client shows them.

Belongs here: writing a comment. Does not: its text.
"""

from __future__ import annotations

import duckdb


def comment(connection: duckdb.DuckDBPyConnection, kind: str, place: str, text: str) -> None:
    """Describe a table, view or column; ``kind`` is that word, ``place`` its quoted name."""
    literal = text.replace("'", "''")  # DDL binds no values
    connection.execute(f"comment on {kind} {place} is '{literal}'")
