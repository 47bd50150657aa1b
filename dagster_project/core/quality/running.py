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
from dagster_project.core.quality.wording import statement
from dagster_project.core.warehouse import Warehouse

Tables = dict[tuple[str, str], dict[str, str]]  # schema and table to columns and their types


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
        tables = _tables(connection)
        try:
            return [
                result for suite in suites for result in _judge_suite(engine, shared, suite, tables)
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
    engine: ModuleType, shared: Any, suite: Suite, tables: Tables
) -> Iterator[CheckResult]:
    types = tables.get((suite.schema_name, suite.table))
    if not types:
        for expected in suite.expectations:
            yield _result(suite, expected, 0, error="the table does not exist")
        return
    row_count, answers = engine.validate(shared, suite, types)
    for expected, answer in zip(suite.expectations, answers, strict=True):
        yield _result(
            suite,
            expected,
            row_count,
            answer.error,
            passed=answer.has_passed,
            failed=answer.failed_count,
        )


def _tables(connection: duckdb.DuckDBPyConnection) -> Tables:
    rows = connection.execute(
        "select schema_name, table_name, list(column_name), list(data_type) "
        "from duckdb_columns() where database_name = current_database() group by all"
    ).fetchall()
    return {
        (schema, table): dict(zip(names, types, strict=True))
        for schema, table, names, types in rows
    }


def _result(
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
        has_passed=passed and error is None,
        failed_count=failed,
        row_count=row_count,
        why=expected.why,
        statement=statement(expected),
        error=error,
    )
