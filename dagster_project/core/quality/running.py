"""Run suites against the private warehouse, read-only, and bring back counts.

Belongs here: which suites can be run at all, and turning what the engine found into results. Does
not: Great Expectations itself (``engine``), which is only imported when something runs.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import duckdb

from dagster_project.core.quality.results import CheckResult
from dagster_project.core.quality.suites import Expected, Suite
from dagster_project.core.warehouse import Warehouse


def run_suites(warehouse: Warehouse, suites: Sequence[Suite]) -> list[CheckResult]:
    """Every expectation of the suites judged on the warehouse, one result each, in their order.

    Opens the file read-only, on one connection. A table or column that is missing, or a query that
    fails, fails its checks and says so; it raises nothing. Raises WarehouseError where the file
    cannot be opened.
    """
    if not suites:
        return []
    with warehouse.connect(read_only=True) as connection:
        return judge(connection, suites)


def judge(connection: duckdb.DuckDBPyConnection, suites: Sequence[Suite]) -> list[CheckResult]:
    """As ``run_suites``, on a connection whose current catalogue is the warehouse."""
    with _quiet():
        engine = _load_engine()
        shared = engine.share(connection)
        try:
            return [
                result
                for suite in suites
                for result in _judge_suite(connection, engine, shared, suite)
            ]
        finally:
            shared.close()


def _load_engine() -> ModuleType:
    """Import Great Expectations (about three seconds) on first use.

    Its import uses a module that Python 3.11 deprecates; nothing here can change that.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from dagster_project.core.quality import engine
    return engine


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Great Expectations from logging: its messages quote failed SQL, values included."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _judge_suite(
    connection: duckdb.DuckDBPyConnection, engine: ModuleType, shared: Any, suite: Suite
) -> Iterator[CheckResult]:
    columns = _columns(connection, suite)
    if not columns:
        for expected in suite.expectations:
            yield _result(engine, suite, expected, 0, error="the table does not exist")
        return
    row_count = connection.execute(
        f"select count(*) from {suite.schema_name}.{suite.table}"
    ).fetchone()[0]
    answers = zip(suite.expectations, engine.validate(shared, suite), strict=True)
    for expected, answer in answers:
        missing = sorted(set(expected.columns) - columns)
        error = f"no column {', '.join(missing)}" if missing else engine.error_of(answer)
        failed = 0 if answer.success else engine.failed_rows(shared, answer)
        yield _result(
            engine, suite, expected, row_count, error, passed=answer.success, failed=failed
        )


def _columns(connection: duckdb.DuckDBPyConnection, suite: Suite) -> set[str]:
    rows = connection.execute(
        "select column_name from duckdb_columns() where database_name = current_database() "
        "and schema_name = ? and table_name = ?",
        [suite.schema_name, suite.table],
    ).fetchall()
    return {name for (name,) in rows}


def _result(
    engine: ModuleType,
    suite: Suite,
    expected: Expected,
    row_count: int,
    error: str | None,
    *,
    passed: bool = False,
    failed: int = 1,
) -> CheckResult:
    return CheckResult(
        schema_name=suite.schema_name,
        table_name=suite.table,
        check_name=expected.check_name,
        severity=expected.severity,
        is_blocking=expected.blocking,
        has_passed=bool(passed) and error is None,
        failed_count=failed,
        row_count=row_count,
        why=expected.why,
        statement=engine.statement(expected),
        error=error,
    )
