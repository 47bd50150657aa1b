"""What readers open against what was audited, once it stands in its place.

Belongs here: comparing the published file with its own book. Does not: the audit, which looks at
the file before anybody sees it.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

AUDITED = """
select schema_name || '.' || table_name, row_count
from ops.published_table
where version = (select max(version) from ops.publication)
order by all
"""


def unlike_the_audited(path: Path) -> list[str]:
    """Tables of a published file whose rows are not as many as were audited, by name.

    The file is opened as readers open it; the audit's counts are in it (``ops.published_table``).
    Raises duckdb.Error where it cannot be opened.
    """
    with duckdb.connect(str(path), read_only=True) as connection:
        audited = connection.execute(AUDITED).fetchall()
        there = {
            f"{schema}.{table}"
            for schema, table in connection.execute(
                "select schema_name, table_name from duckdb_tables() where not internal"
            ).fetchall()
        }
        missing = [name for name, _ in audited if name not in there]
        counted = [(name, count) for name, count in audited if name in there]
        found = [
            name
            for name, count in counted
            if connection.execute(f"select count(*) from {name}").fetchone() != (count,)
        ]
    return sorted(missing + found)
