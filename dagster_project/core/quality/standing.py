"""Verdicts that stand: a suite is judged again when it, or a table that it reads, has changed.

Belongs here: what a suite's tables are in, in a word, and the results that were kept of it. Does
not: judging (``running``), or writing results (``results``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256

import duckdb

from dagster_project.core.model_sources import LOADED_BY, Source, last_built, summaries
from dagster_project.core.quality.results import KIND, CheckResult
from dagster_project.core.quality.suites import Suite

Table = tuple[str, str]
QUALIFIED = re.compile(r"\b([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)\b")
# The build that writes a schema's tables as a whole; of models each table has its own last build,
# but a view holds what the tables behind it hold.
WRITTEN_BY = {"identity": "identity", "reference": "identity", "forecast": "forecast"}
MODELS = "models"
BUILDS = "select build, built_batch_id, fingerprint, built_at::varchar from ops.build_state"


def suite_states(
    connection: duckdb.DuckDBPyConnection, suites: Sequence[Suite]
) -> dict[Table, str]:
    """A fingerprint of each suite and of all tables that it reads, by the suite's table.

    Raw tables by the loads of their rows, models by the build that made them last, anything else
    by the last build of its kind.
    """
    kinds = _tables(connection)
    read = [(suite, sorted(_read_by(suite, kinds))) for suite in suites]
    known = _table_states(connection, kinds, {table for _, tables in read for table in tables})
    return {
        (suite.schema_name, suite.table): sha256(
            repr((suite, [(table, known[table]) for table in tables])).encode()
        ).hexdigest()
        for suite, tables in read
    }


def recorded_states(connection: duckdb.DuckDBPyConnection) -> dict[Table, str]:
    """What the suites' tables were in when each was judged."""
    rows = connection.execute("select schema_name, table_name, state from ops.suite_state")
    return {(schema, table): state for schema, table, state in rows.fetchall()}


def record_states(
    connection: duckdb.DuckDBPyConnection, states: dict[Table, str], schemas: Iterable[str]
) -> None:
    """Keep the states of all suites of some schemas, and forget what was expected before them.

    A suite that is gone takes its results with it: nobody could mend what it found.
    """
    scope = list(schemas)
    kept = [f"{schema}.{table}" for schema, table in states]
    connection.execute("begin")
    connection.execute("delete from ops.suite_state where list_contains(?, schema_name)", [scope])
    if states:
        connection.executemany(
            "insert into ops.suite_state values (?, ?, ?)",
            [(schema, table, state) for (schema, table), state in sorted(states.items())],
        )
    connection.execute(
        "delete from ops.check_result where kind = ? and list_contains(?, schema_name) "
        "and not list_contains(cast(? as varchar[]), schema_name || '.' || table_name)",
        [KIND, scope, kept],
    )
    connection.execute("commit")


def kept_results(
    connection: duckdb.DuckDBPyConnection, suites: Sequence[Suite]
) -> dict[Table, dict[str, CheckResult]]:
    """The results of each suite's last judgement, by its table and the check's name."""
    rows = connection.execute(
        """
        select
            schema_name, table_name, check_name, severity, is_blocking, has_passed, failed_count,
            coalesce(row_count, 0), why, coalesce(statement, ''), error
        from ops.check_result
        where kind = ? and list_contains(?, schema_name || '.' || table_name)
        qualify
            run_id = last_value(run_id) over (
                partition by schema_name, table_name
                order by checked_at, run_id
                rows between unbounded preceding and unbounded following
            )
        """,
        [KIND, [f"{suite.schema_name}.{suite.table}" for suite in suites]],
    ).fetchall()
    found: dict[Table, dict[str, CheckResult]] = {}
    for row in rows:
        found.setdefault((row[0], row[1]), {})[row[2]] = CheckResult(*row)
    return found


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[Table, str]:
    """Every table and view of the warehouse, and which of both it is."""
    rows = connection.execute(
        "select schema_name, table_name, 'table' from duckdb_tables() "
        "where database_name = current_database() union all "
        "select schema_name, view_name, 'view' from duckdb_views() "
        "where database_name = current_database() and not internal"
    ).fetchall()
    return {(schema, table): kind for schema, table, kind in rows}


def _read_by(suite: Suite, kinds: dict[Table, str]) -> set[Table]:
    """The suite's own table, and those that its queries name."""
    queries = (one.kwargs.get("unexpected_rows_query", "") for one in suite.expectations)
    named = {(schema, table) for query in queries for schema, table in QUALIFIED.findall(query)}
    return {(suite.schema_name, suite.table)} | (named & set(kinds))


def _table_states(
    connection: duckdb.DuckDBPyConnection, kinds: dict[Table, str], tables: set[Table]
) -> dict[Table, str]:
    loaded = _loaded(connection)
    raw = {Source(f"{one[0]}.{one[1]}", *one): one for one in tables & loaded}
    found = {raw[source]: held for source, held in summaries(connection, raw).items()}
    made = last_built(connection)
    builds = {build: repr(state) for build, *state in connection.execute(BUILDS).fetchall()}
    for table in tables - set(found):
        built = builds.get(WRITTEN_BY.get(table[0], MODELS), "")
        found[table] = made.get(table[1], built) if kinds.get(table) == "table" else built
    return found


def _loaded(connection: duckdb.DuckDBPyConnection) -> set[Table]:
    """Raw tables: every row says which load it came with."""
    rows = connection.execute(
        "select schema_name, table_name from duckdb_columns() "
        "where database_name = current_database() and schema_name = 'raw' and column_name = ?",
        [LOADED_BY],
    ).fetchall()
    return set(rows)
