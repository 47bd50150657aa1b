"""What a check found: counts and reasons, never a value of the data.

Belongs here: the result, its row in ``ops.check_result``, what blocks. Does not: running checks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

KIND = "expectation"
INSERT = """
insert into ops.check_result (
    run_id, checked_at, schema_name, table_name, check_name, kind, severity, is_blocking,
    has_passed, failed_count, why, row_count, statement, error
) values (?, now(), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True)
class CheckResult:
    """One expectation judged on one table."""

    schema_name: str
    table_name: str
    check_name: str
    severity: str  # error, warning
    is_blocking: bool
    has_passed: bool
    failed_count: int  # rows that break the expectation; 1 where the table as a whole does
    row_count: int  # rows of the table
    why: str
    statement: str  # the expectation in words
    error: str | None = None  # why it could not be judged at all


def blocking_failures(results: Iterable[CheckResult]) -> list[CheckResult]:
    """The failed checks after which nothing that builds on their tables may run."""
    return [result for result in results if result.is_blocking and not result.has_passed]


def record_results(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    results: Iterable[CheckResult],
    kind: str = KIND,
) -> int:
    """Write one row per result to ``ops.check_result``; returns how many.

    Results of the same run and check are replaced, so recording twice changes nothing.
    """
    rows = [
        (
            run_id,
            result.schema_name,
            result.table_name,
            result.check_name,
            kind,
            result.severity,
            result.is_blocking,
            result.has_passed,
            result.failed_count,
            result.why,
            result.row_count,
            result.statement,
            result.error,
        )
        for result in results
    ]
    if not rows:
        return 0
    connection.execute("begin")
    try:
        connection.executemany(
            "delete from ops.check_result where run_id = ? and schema_name = ? "
            "and table_name = ? and check_name = ? and kind = ?",
            [row[:5] for row in rows],
        )
        connection.executemany(INSERT, rows)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return len(rows)
