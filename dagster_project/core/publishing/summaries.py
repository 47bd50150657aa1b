"""The ``ops`` schema of a published file: version, what changed, feeds, checks, dictionary.

Belongs here: counts and descriptions only. Does not: any name of a file, any rejected value, any
message of a check: those stay in the private warehouse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from dagster_project.core.publishing import headlines
from dagster_project.core.publishing.comments import comment
from dagster_project.core.publishing.tables import Table
from dagster_project.core.publishing.versions import Publication

OPS_TABLES: Mapping[str, tuple[str, str]] = {
    "publication": (
        "One row per version up to this one: when, why, up to which day, and how its checks went.",
        """
        version integer, audience varchar, published_at timestamptz, run_id varchar,
        data_up_to date, replaced_version integer, reason varchar, table_count integer,
        row_count bigint, passed_check_count integer, failed_check_count integer,
        warned_check_count integer, fingerprint varchar
        """,
    ),
    "published_table": (
        "One row per version and table: its rows, and those of the version it replaced.",
        """
        version integer, schema_name varchar, table_name varchar, column_count integer,
        row_count bigint, previous_row_count bigint
        """,
    ),
    "headline": (
        "One row per version, banner and headline metric: its total over all days, and by what it "
        "differs from the version replaced - new days, late data for earlier ones, customers "
        "merged or split, or changed models.",
        headlines.COLUMNS,
    ),
    "feed_summary": (
        "One row per feed: files and records that came in, and what became of them.",
        """
        feed varchar, file_count bigint, loaded_file_count bigint, duplicate_file_count bigint,
        quarantined_file_count bigint, physical_count bigint, loaded_count bigint,
        rejected_count bigint, duplicate_count bigint, last_arrived_at timestamptz,
        last_business_at timestamptz
        """,
    ),
    "reject_summary": (
        "One row per feed, record and reason: rejected records that have not been replayed.",
        "feed varchar, record varchar, error_code varchar, reject_count bigint",
    ),
    "check_summary": (
        "One row per check: how its last run went.",
        """
        schema_name varchar, table_name varchar, check_name varchar, kind varchar,
        severity varchar, is_blocking boolean, status varchar, failed_count bigint,
        checked_at timestamptz
        """,
    ),
    "store_day": (
        "One row per store and business day of the last weeks: its grade, A to F, and why. Points "
        "of each criterion: 0 nothing found, 1 little, 2 much, 5 no rows at all.",
        """
        store_durable_key bigint, store_name varchar, business_date date, grade varchar,
        complete_points integer, timely_points integer, balanced_points integer,
        plausible_points integer, reason varchar, feed varchar, receipt_count bigint
        """,
    ),
    "anomaly": (
        "One row per cause for which days were not as usual: what was found, what was expected, "
        "and whether later data still shows it.",
        """
        table_name varchar, store_name varchar, business_date date, last_business_date date,
        kind varchar, measure varchar, found double, expected double, severity varchar,
        sentence varchar, found_at timestamptz, is_open boolean
        """,
    ),
    "data_dictionary": (
        "One row per column of every published table and view.",
        """
        schema_name varchar, table_name varchar, column_name varchar, data_type varchar,
        class varchar, description varchar
        """,
    ),
}

ALARM_COLUMNS = (
    "table_name, store_name, business_date, last_business_date, kind, measure, found, expected, "
    "severity, sentence, found_at, resolved_at is null as is_open"
)
HISTORIES = frozenset({"publication", "published_table", "headline"})
# Of every table and kind of check, the run that looked last; a check taken out is thus forgotten.
LAST_CHECKS = """
    select
        schema_name,
        table_name,
        check_name,
        kind,
        severity,
        is_blocking,
        case
            when has_passed then 'passed'
            when is_blocking or severity in ('error', 'critical', 'fatal') then 'failed'
            else 'warned'
        end as status,
        failed_count,
        checked_at,
    from {source}.ops.check_result
    qualify
        run_id = last_value(run_id) over (
            partition by schema_name, table_name, kind
            order by checked_at, run_id
            rows between unbounded preceding and unbounded following
        )
"""


@dataclass(frozen=True)
class CheckCounts:
    """How the last run of every check ended."""

    passed: int
    failed: int
    warned: int
    blocking_failures: tuple[str, ...]  # schema.table: check


def count_checks(connection: duckdb.DuckDBPyConnection, source: str) -> CheckCounts:
    """Counts over the last run of every check in the private warehouse."""
    row = connection.execute(
        f"""
        with last_checks as ({LAST_CHECKS.format(source=source)})
        select
            count(*) filter (status = 'passed'),
            count(*) filter (status = 'failed'),
            count(*) filter (status = 'warned'),
            coalesce(
                list(schema_name || '.' || table_name || ': ' || check_name order by all)
                    filter (status = 'failed' and is_blocking),
                []
            ),
        from last_checks
        """
    ).fetchone()
    return CheckCounts(row[0], row[1], row[2], tuple(row[3]))


def create_ops(connection: duckdb.DuckDBPyConnection, *, previous: str | None) -> None:
    """Create schema ``ops`` in the current catalogue, with the history the previous file kept."""
    connection.execute("create schema if not exists ops")
    for name, (description, columns) in OPS_TABLES.items():
        connection.execute(f"create table ops.{name} ({columns})")
        comment(connection, "table", f"ops.{name}", description)
        if previous and name in HISTORIES:
            _take_over(connection, name, previous)


def _take_over(connection: duckdb.DuckDBPyConnection, name: str, previous: str) -> None:
    """The history of an earlier version, in the columns that it and this one have."""
    rows = connection.execute(
        "select column_name from duckdb_columns() where schema_name = 'ops' and table_name = $1 "
        "and database_name in ($2, current_database()) "
        "group by column_name having count(*) = 2 order by column_name",
        [name, previous],
    ).fetchall()
    if columns := ", ".join(column for (column,) in rows):
        connection.execute(
            f"insert into ops.{name} by name select {columns} from {previous}.ops.{name}"
        )


def summarise_sources(connection: duckdb.DuckDBPyConnection, *, source: str) -> None:
    """Write what came in, what was rejected and how the checks went, of all feeds and tables."""
    connection.execute(
        f"""
        insert into ops.feed_summary
        select
            feed,
            count(*),
            count(*) filter (status = 'loaded'),
            count(*) filter (status = 'duplicate'),
            count(*) filter (status = 'quarantined'),
            sum(physical_count),
            sum(loaded_count),
            sum(rejected_count),
            sum(duplicate_count),
            max(arrived_at),
            max(last_business_at),
        from {source}.ops.file_ledger
        group by feed
        order by feed
        """
    )
    connection.execute(
        f"""
        insert into ops.reject_summary
        select feed, record, error_code, count(distinct (file_id, record_number))
        from {source}.ops.rejects
        where replayed_batch_id is null and disposition = 'record'
        group by all
        order by all
        """
    )
    connection.execute(
        f"insert into ops.store_day by name from {source}.ops.store_day order by all"
    )
    connection.execute(
        f"insert into ops.anomaly by name "
        f"select {ALARM_COLUMNS} from {source}.ops.anomaly order by all"
    )
    connection.execute(
        f"insert into ops.check_summary {LAST_CHECKS.format(source=source)} order by all"
    )


def record_tables(
    connection: duckdb.DuckDBPyConnection,
    version: int,
    tables: Sequence[Table],
    rows: Mapping[str, int],
    current: Publication | None,
) -> None:
    """Write the rows of every table beside those of the version that is replaced."""
    before = connection.execute(
        "select schema_name || '.' || table_name, row_count from ops.published_table "
        "where version = ?",
        [current.version if current else 0],
    ).fetchall()
    previous_rows = dict(before)
    connection.executemany(
        "insert into ops.published_table values (?, ?, ?, ?, ?, ?)",
        [
            (
                version,
                table.schema,
                table.name,
                len(table.columns),
                rows[table.full_name],
                previous_rows.get(table.full_name),
            )
            for table in tables
        ],
    )


def write_dictionary(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> None:
    """Write the dictionary of everything in the current catalogue, views and ``ops`` included."""
    classed = [
        (t.schema, t.name, c.name, c.classification.value) for t in tables for c in t.columns
    ]
    connection.execute(
        """
        insert into ops.data_dictionary
        with classed as (
            select
                unnest($schemas) as schema_name,
                unnest($tables) as table_name,
                unnest($columns) as column_name,
                unnest($classes) as class,
        )
        select
            c.schema_name,
            c.table_name,
            c.column_name,
            c.data_type,
            coalesce(classed.class, 'internal'),
            coalesce(c.comment, ''),
        from duckdb_columns() as c
        left join classed using (schema_name, table_name, column_name)
        where c.database_name = current_database() and not c.internal
        order by c.schema_name, c.table_name, c.column_index
        """,
        dict(
            zip(
                ("schemas", "tables", "columns", "classes"),
                map(list, zip(*classed, strict=True)),
                strict=True,
            )
        ),
    )
